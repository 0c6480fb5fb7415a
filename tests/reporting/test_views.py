"""The views of a record, and the story of a failure: what is printed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from harness.core import (
    CellState,
    Example,
    Finding,
    MismatchedElement,
    Pattern,
    PatternKind,
    ReproducerCheck,
    ReproducerState,
)
from harness.reporting import failure_text, operator_item_record, terminal_summary
from harness.trial import CellRow, Failure, Outcome
from tests.reporting.records import CASE, model_item, record

EXAMPLE = Example(CASE, "float32", {"W": 1, "stride": (2, 2)}, {"input": "channels_last"})
FINDING = Finding(
    "values", "output[0]", "layout", {"avx2": 3.0}, ("drawn",), "output[0] differs", "all in the last column"
)
FAILURE = Failure(
    FINDING,
    EXAMPLE,
    EXAMPLE.but(seed=9),
    (CellRow("sse41", CellState.PASSED, 0.0, ()), CellRow("avx2", CellState.FAILED, 3.0, ("pooling:jit:avx2",))),
    "again in a fresh worker",
    "pytorch#1: one column",
    Pattern("all in the last column: off by one ulp", (PatternKind.BORDER, PatternKind.ONE_ULP)),
    (MismatchedElement((0, 0, 1), "1.0000001", "1.0", 1), MismatchedElement((1, 0, 1), "nan", "2.0")),
)


def outcome(dtype: str = "float32", **changes: Any) -> Outcome:
    """A trial that passed in one cell, and was not trusted once."""
    fields: dict[str, Any] = {
        "examples": Counter(corners=3, drawn=2),
        "cells": {"sse41": Counter({CellState.PASSED: 4, CellState.UNTRUSTED: 1})},
        "untrusted": Counter({"same layout": 1}),
        "hits": {"sse41": Counter({"convolution:jit:sse41": 7})},
        "ratios": {"output[0]": 0.51234},
        "coverage": {"pairs": 50, "of": 100},
    }
    return Outcome(CASE, dtype, **{**fields, **changes})


def summary(*outcomes: Outcome) -> str:
    """The summary of a record of these outcomes, at two levels that ran and one that did not."""
    return terminal_summary(record(*map(operator_item_record, outcomes)))


def test_the_summary_of_a_run_that_passed() -> None:
    """Marks by level, counts, share of pairs, headroom, kernels that ran, what was not trusted."""
    text = summary(outcome())
    assert "one mark for each level, in this order: sse41 avx2" in text
    assert "level amx: not available: needs amx_tile" in text
    line = next(line for line in text.splitlines() if line.startswith("max_pool2d"))
    assert line.split() == ["max_pool2d", ".-", "5", "50", "%", "0.51"]
    assert "examples: 3 corners, 2 drawn" in text
    assert "checks (example x level): 4 passed, 1 untrusted" in text
    assert "two-way combinations of corner values covered: 50 of 100 (50.0 %)" in text
    assert "untrusted: 1 same layout" in text
    assert "oneDNN at sse41: convolution:jit:sse41 7" in text
    assert "oneDNN at avx2: never reached" in text


def test_the_summary_of_what_went_otherwise() -> None:
    """Failures, known issues with their reproducers, items without a check, incidents and notes each have a line."""
    cells = {
        "sse41": Counter({CellState.FAILED: 1, CellState.PASSED: 3}),
        "avx2": Counter({CellState.KNOWN_ISSUE: 2}),
    }
    eventful = outcome(
        cells=cells,
        failures=[FAILURE],
        known_issues=Counter(column=2),
        reproducers={
            "column": ReproducerCheck(ReproducerState.STILL_FAILS),
            "other": ReproducerCheck(ReproducerState.OF_ANOTHER_ITEM, "max_pool2d[float64]"),
            "gone": ReproducerCheck(ReproducerState.STALE, "it passes"),
        },
        in_parts=Counter(avx2=2),
        incidents=["worker cell-avx2 died; replaced"],
        notes=["stopped after 3 crashes or hangs"],
        ratios={},
        coverage={},
    )
    empty = outcome("float64", cells={"sse41": Counter({CellState.UNTRUSTED: 5})})
    text = summary(eventful, empty)
    assert next(line for line in text.splitlines() if line.startswith("max_pool2d")).split()[1:3] == ["Fd", "u-"]
    for line in (
        "known issue column: 2 examples; reproducer still fails",
        "known issue gone: 0 examples; reproducer stale: it passes",
        "nothing checked: max_pool2d[float64]",
        "without the part that a known crash or hang is about: 2 at avx2",
        "incident: worker cell-avx2 died; replaced",
        "note: max_pool2d[float32]: stopped after 3 crashes or hangs",
    ):
        assert line in text
    assert "known issue other" not in text


def test_a_summary_without_a_bound_or_a_pair() -> None:
    """Where everything was compared bit for bit there is no ratio, and where nothing was counted no share."""
    text = summary(outcome(ratios={}, coverage={}))
    line = next(line for line in text.splitlines() if line.startswith("max_pool2d"))
    assert line.split()[-2:] == ["-", "exact"]


def test_a_run_of_models_alone_has_no_summary_of_operators() -> None:
    """They have a table of their own."""
    assert terminal_summary(record(model_item())) == ""


def test_the_story_of_a_failure() -> None:
    """A sentence, the corner it was, the minimal example, the table, and the command to run it again."""
    text = failure_text(outcome(failures=[FAILURE, FAILURE], notes=["a note"]), " --levels avx2")
    lines = text.splitlines()
    assert lines[0] == "max_pool2d in float32 (layout): output[0] differs"
    assert lines[1] == "where: all in the last column: off by one ulp"
    assert lines[2] == "declared corner: pytorch#1: one column"
    assert "minimal example (again in a fresh worker; fails in layout drawn):" in text
    assert next(line.split() for line in lines if line.startswith("  sse41")) == ["sse41", "passed", "ATen"]
    assert next(line.split() for line in lines if line.startswith("  [0, ")) == [
        "[0,",
        "0,",
        "1]",
        "1.0",
        "1.0000001",
        "1",
    ]
    assert next(line.split() for line in lines if line.startswith("  [1, ")) == ["[1,", "0,", "1]", "2.0", "nan"]
    row = ["avx2", "failed", "3", "pooling:jit:avx2"]
    assert next(line.split() for line in lines if line.startswith("  avx2")) == row
    assert text.count(f"replay: equivalence replay --levels avx2 '{EXAMPLE.to_json()}'") == 2
    assert lines[-1] == "a note"


def test_a_text_with_a_quote_can_still_be_pasted() -> None:
    """The command quotes the example for a shell, whatever its choices are called."""
    example = EXAMPLE.but(sizes={"mode": "it's"})
    failure = Failure(FINDING, example, example, (), "again in a fresh worker")
    assert """it'"'"'s""" in failure_text(outcome(failures=[failure]))


def test_a_stale_known_issue_says_what_to_do() -> None:
    """The entry is named, with what its reproducer does now."""
    detail = "its reproducer does not fail that way any more (it passes)"
    text = failure_text(outcome(reproducers={"column": ReproducerCheck(ReproducerState.STALE, detail)}))
    expected = (
        "known issue column is stale: its reproducer does not fail that way any more (it passes): remove the entry"
    )
    assert text.startswith(expected)


@pytest.mark.parametrize(("reasons", "words"), [(Counter(empty=2), "empty"), (Counter(), "no example ran")])
def test_nothing_checked_says_why(reasons: Counter[str], words: str) -> None:
    """An item in which no check could have failed lists the reasons."""
    text = failure_text(outcome(cells={}, untrusted=reasons))
    assert f"nothing was checked: {words}" in text
