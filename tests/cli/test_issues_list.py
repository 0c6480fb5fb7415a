"""`equivalence issues list` and `show`: what is known, without running anything."""

from __future__ import annotations

import contextlib
import json

import pytest

from harness.cli import main
from tests.plugin.project import Project

ISSUES = """\
issues:
  narrow:
    summary: relu returns a contiguous result for a narrow image.
    severity: layout
    oracle: strides
    link: no thread found
    since: "2.9"
    verified: {torch: "2.15.0", cpu: "a toy", date: "2026-11-27"}
    reason: A toy that loses the format of narrow images.
    where:
      - cases: [suites/x/s.yaml::relu]
        dtypes: [float32]
        levels: [sse41, avx2]
        tensors: ['output[0]']
        when: W == 1 and wide
        as: {wide: C > 1}
        note: Only here.
        reproducer: {sizes: {N: 1, C: 2, H: 3, W: 1}, layouts: {input: channels_last}}
  dead:
    summary: relu of an empty image ends the process.
    severity: crash
    oracle: crash
    link: https://example.org/1
    reason: A toy that ends the process for no pixels.
    where:
      - cases: ['suites/x/s.yaml::rel*']
        dtypes: [float32]
        when: H == 0
        reproducer: {case: 'suites/x/s.yaml::relu', sizes: {N: 1, C: 1, H: 0, W: 1}}
      - cases: ['suites/x/s.yaml::rel*']
        dtypes: [float32]
        when: W == 0
        reproducer: {case: 'suites/x/s.yaml::relu', sizes: {N: 1, C: 1, H: 1, W: 0}}
"""
TABLE = """\
severity  fault   places  since  fixed  last verified       link
crash     dead    2       -      -      -                   https://example.org/1
layout    narrow  1       2.9    -      2.15.0, 2026-11-27  no thread found
2 faults, 3 places
"""
NARROW = """\
narrow (layout): relu returns a contiguous result for a narrow image.
  reason: A toy that loses the format of narrow images.
  link: no thread found
  since: 2.9
  verified: 2026-11-27 on PyTorch 2.15.0, a toy

narrow: strides of output[0]
  cases: suites/x/s.yaml::relu (relu)
  dtypes: float32
  levels: sse41, avx2
  when: W == 1 and wide
  as: wide: C > 1
  PyTorch: >=2.9
  note: Only here.
  reproducer: """


def run_command(project: Project, *arguments: str) -> int:
    """Run it in the project; no worker is needed."""
    project.write("golden/issues/x.yaml", ISSUES)
    with contextlib.chdir(project.root):
        return main(["issues", *arguments])


def test_every_fault_has_a_line(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """`list` has the worst first, with the number of places, the releases, the last verification and the link."""
    assert run_command(project, "list") == 0
    assert capsys.readouterr().out == TABLE


def test_a_fault_is_shown_whole(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """`show` prints all fields, the cases that a pattern covers, and a reproducer with a layout for every tensor."""
    assert run_command(project, "show", "narrow") == 0
    out = capsys.readouterr().out
    assert out.startswith(NARROW)
    layouts = {"input": "channels_last", "grad_output": "contiguous"}
    assert json.loads(out.removeprefix(NARROW))["layouts"] == layouts


def test_each_place_is_shown(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Places of one fault are told apart by their number."""
    assert run_command(project, "show", "dead") == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line.startswith("dead/")] == [
        "dead/1: crash of *",
        "dead/2: crash of *",
    ]
    assert "cases: suites/x/s.yaml::rel* (relu)" in out


def test_a_fault_that_nobody_knows(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the id that is most like it."""
    assert run_command(project, "show", "narow") == 4
    assert capsys.readouterr().err == "ERROR: there is no known issue 'narow'; did you mean 'narrow'?\n"
