"""`equivalence issues check`: reproducers run alone, and where they were last seen to fail."""

from __future__ import annotations

import re

import pytest

from harness.cli.issues.check import failing_faults
from harness.core import Expression, KnownFault, KnownIssue, ReproducerCheck, ReproducerState, Severity
from tests.plugin.project import KERNELS, LEVEL, SUITE, Project, needs_workers
from tests.trial.toy import CASE

ISSUES = """\
issues:
  wide:
    summary: relu6 is off by one for wide channels-last images.
    severity: wrong-values
    oracle: values
    link: no thread found
    reason: A preload file adds one to what relu6 returns.
    where:
      - cases: [suites/x/s.yaml::relu]
        dtypes: [float32]
        tensors: ['output[0]']
        when: W > 2 and C > 1
        reproducer: {sizes: {N: 1, C: 2, H: 1, W: 3}, layouts: {input: channels_last}}
      - cases: [suites/x/s.yaml::relu]
        dtypes: [float32]
        levels: ">= avx10_1_512"
        tensors: ['output[0]']
        when: W > 2 and C > 1
        reproducer: {sizes: {N: 1, C: 2, H: 1, W: 3}, layouts: {input: channels_last}}
  gone:
    summary: relu6 is off by one for narrow images.
    severity: wrong-values
    oracle: values
    link: no thread found
    reason: A preload file does not touch narrow images.
    where:
      - cases: [suites/x/s.yaml::relu]
        dtypes: [float32]
        tensors: ['output[0]']
        when: W <= 2
        reproducer: {sizes: {N: 1, C: 2, H: 1, W: 2}, layouts: {input: channels_last}}
"""
FAILS = ReproducerCheck(ReproducerState.STILL_FAILS)
STALE = ReproducerCheck(ReproducerState.STALE)
UNCHECKED = ReproducerCheck(ReproducerState.NOT_CHECKED)


@needs_workers
def test_reproducers_are_checked_and_entries_verified(project: Project) -> None:
    """Each place has a line; a stale one makes the exit code 1; an entry of which all that ran fails is verified."""
    project.suite(SUITE.replace("nn.functional.relu", "nn.functional.relu6"))
    project.write("kernels.py", KERNELS)
    path = project.write("golden/issues/x.yaml", ISSUES)
    options = ("--levels", LEVEL, "--preload", "kernels.py")
    run = project.command("issues", "check", "--update", *options)
    assert run.code == 1, run.output
    words = [" ".join(line.split()) for line in run.output.splitlines()]
    assert words[0] == "wide/1 still fails"
    assert words[1].startswith("wide/2 not checked: no cell of avx10_1_512, ")
    assert words[2] == "gone stale: its reproducer does not fail that way any more (it passes)"
    assert re.fullmatch(r"3 reproducers in \d+ s: still fails 1, stale 1, not checked 1", words[3])
    assert words[4] == "verified: written into 1 entries"
    line = re.compile(r'    verified: \{torch: "[\d.]+\w*", cpu: ".*", date: "\d{4}-\d\d-\d\d"\}\n')
    text = path.read_text()
    assert len(line.findall(text)) == 1
    assert line.sub("", text) == ISSUES
    run = project.command("issues", "check", "wide", *options)
    assert (run.code, "gone" in run.output) == (0, False), run.output


def test_nothing_is_verified_by_a_machine(project: Project) -> None:
    """Under CI an update is refused before anything runs, and without one so is an id that no entry has."""
    project.write("golden/issues/x.yaml", ISSUES)
    message = project.command("issues", "check", "--update", CI="1").refusal()
    assert message.startswith("--update: not under CI: what nobody has reviewed is not golden")
    assert project.command("issues", "check", "wade").refusal().endswith("did you mean 'wide'?")


def test_entries_of_the_package_are_not_written_from_elsewhere(project: Project) -> None:
    """A folder without known issues of its own verifies nothing."""
    message = project.command("issues", "check", "--update", "softmax-format", "--levels", LEVEL).refusal()
    assert "activation.yaml is shipped, and not written from elsewhere" in message


@pytest.mark.parametrize(
    ("checks", "verified"),
    [
        ([FAILS, FAILS], True),
        ([FAILS, UNCHECKED], True),
        ([FAILS, STALE], False),
        ([UNCHECKED, UNCHECKED], False),
    ],
)
def test_which_entries_are_verified(checks: list[ReproducerCheck], *, verified: bool) -> None:
    """Those of which something was checked, and nothing that was checked is stale."""
    places = tuple(_place(number) for number in (1, 2))
    fault = KnownFault("wide", "", Severity.LAYOUT, "", "", places)
    by_name = {place.name: check for place, check in zip(places, checks, strict=True)}
    assert failing_faults([fault], by_name) == ([fault] if verified else [])


def _place(number: int) -> KnownIssue:
    return KnownIssue(
        id="wide",
        place=number,
        tensors=("*",),
        oracle="values",
        cells=(),
        when=Expression.parse("True"),
        reason="",
        link="",
        cases=(CASE.id,),
        dtypes=("float32",),
        reproducer=None,  # type: ignore[arg-type] # not looked at
    )
