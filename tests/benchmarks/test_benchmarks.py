"""Benchmarks run and print what they measured; how fast anything is nobody asserts."""

from __future__ import annotations

import os
import re

import pytest

from benchmarks import __main__ as command
from benchmarks import families, handwritten, kernels, levels, memory, processes
from benchmarks.runs import suite_items

PYTHON = os.environ.get("EQUIVALENCE_PYTHON")
ITEMS = suite_items("copies", dtypes=["float32"])[:1]


def test_a_family_has_its_rate_and_shares() -> None:
    """The shares of harness, reference and cells are those of one whole."""
    header, row = families.report(1, PYTHON, ["copies"]).splitlines()
    assert header.split() == [
        "family",
        "examples",
        "a",
        "second",
        "a",
        "CPU",
        "second",
        "harness",
        "reference",
        "cells",
    ]
    shares = [int(share) for share in re.findall(r"(\d+)%", row)]
    assert len(shares) == 3
    assert 98 <= sum(shares) <= 102
    assert float(row.split()[2]) > 0


def test_levels_are_compared_with_the_first() -> None:
    """The first alone, all of them, and what each further one adds."""
    _header, first, every, added = levels.report(2, PYTHON, ITEMS).splitlines()
    assert float(first.split()[-1]) > 0
    assert every.startswith("all ")
    assert re.fullmatch(r"each further level adds -?\d+% of the time of the first", added)


def test_each_process_has_its_memory() -> None:
    """That of the harness, of the reference and of every cell, in MiB."""
    _header, *rows = memory.report(1, PYTHON, ITEMS).splitlines()
    peaks = {row.split()[0]: int(row.split()[-1]) for row in rows}
    assert {"harness", "reference"} < peaks.keys()
    assert min(peaks.values()) > 10


def test_runs_are_timed_for_each_number_of_processes() -> None:
    """The first number is what the others are compared with; a run that fails is no measurement."""
    _header, row = processes.report(2, PYTHON, counts=(1,), chosen="max_pool2d_integers and int64").splitlines()
    assert row.startswith("-n 1")
    assert row.endswith("1.00")


def test_the_share_of_kernels_is_one_of_the_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """Forward, the reference, and what is left for the harness come to all of the time."""
    monkeypatch.setenv("PYTHONPATH", os.environ.get("PYTHONPATH", ""))
    _header, *rows = kernels.report(2, PYTHON, ITEMS).splitlines()
    shares = {row.split()[0]: int(row.split()[-1].rstrip("%")) for row in rows}
    assert {"forward", "reference", "harness"} <= shares.keys()
    assert all(0 <= share <= 100 for share in shares.values())
    assert 97 <= sum(shares.values()) <= 103


def test_the_hand_written_test_has_a_rate() -> None:
    """Both are measured in one run, and their ratio is said."""
    words = handwritten.report(2, PYTHON, rounds=1)
    ours, theirs, ratio = map(float, re.findall(r"\d+\.\d+", words))
    assert ratio == pytest.approx(ours / theirs, abs=0.1 + 0.02 * ratio)


def test_a_benchmark_that_does_not_exist_is_a_mistake(capsys: pytest.CaptureFixture[str]) -> None:
    """The message names those that there are."""
    with pytest.raises(SystemExit):
        command.main(["speed"])
    assert "there is no benchmark 'speed'; there are families, handwritten" in capsys.readouterr().err
