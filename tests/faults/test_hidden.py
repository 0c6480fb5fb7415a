"""Behind a known issue: a known crash, or one tensor that is known to be wrong, hides no fault of another."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from harness.core import CellState, Example, Expression, KnownIssue
from harness.trial import Outcome, Trial
from tests.faults.conftest import PLANTED, ROOT, Trials, opened

CASE = "suites/operators/convolution.yaml::conv2d_depthwise"
SMALLEST = {"N": 1, "C": 2, "multiplier": 1, "H": 1, "W": 2}
SIZES = SMALLEST | {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": (0, 0)}
LAYOUTS = {"input": "channels_last", "weight": "contiguous", "grad_output": "contiguous"}

ENTRY = KnownIssue(
    id="planted",
    cases=(CASE,),
    dtypes=("float64",),
    tensors=("*",),
    oracle="crash",
    cells=(),
    when=Expression.parse("layout_input != 'contiguous'"),
    reason="planted",
    link="no thread found",
    reproducer=Example(CASE, "float64", SIZES, LAYOUTS, absent=("bias",), fill="integers"),
)


@pytest.fixture(scope="module")
def trials(levels: list[str], stock: Trials) -> Iterator[Trials]:
    """The kernel that dies in the gradient of its weight, at one level."""
    del stock
    preload = [PLANTED[0], ROOT / "tests" / "faults" / "fatal_gradients.py"]
    with opened(levels[:1], preload=preload, random=10, rows=20) as trials:
        yield trials


@pytest.fixture(scope="module")
def outcome(trials: Trials) -> Outcome:
    """The trial of the convolution with an entry that says that it crashes in any layout but contiguous."""
    entry = replace(ENTRY, id="dies", cells=tuple(trials.levels))
    return outcome_with(trials, entry)


def outcome_with(trials: Trials, entry: KnownIssue) -> Outcome:
    """The trial of the convolution with that entry alone, each example of it derived once."""
    executor, profile = trials.gate.executor, trials.gate.settings.profile
    case = trials.cases["conv2d_depthwise"]
    once = replace(case, paths=tuple(path for path in case.paths if path != "double_backward"))
    return Trial(once, "float64", executor, [entry], profile, seed=1).run()


def test_a_wrong_output_behind_a_known_crash_is_found(outcome: Outcome, trials: Trials) -> None:
    """The forward runs without the gradient that dies, and its fault is shrunk and confirmed like any other."""
    assert outcome.status == "failed"
    (failure,) = outcome.failures
    assert (*failure.finding.key, failure.finding.kind) == ("values", "output[0]", "layout")
    assert failure.confirmed == "again in a fresh worker"
    assert dict(failure.example.sizes) == SIZES
    assert {row.cell: row.verdict for row in failure.rows} == dict.fromkeys(trials.levels, CellState.FAILED)


def test_what_ran_in_parts_is_counted_and_costs_no_worker(outcome: Outcome, trials: Trials) -> None:
    """Every example under the entry ran without that gradient; its reproducer alone still dies, in a fork."""
    (level,) = trials.levels
    assert outcome.in_parts[level] > 5
    assert outcome.known_issues["dies"] >= outcome.in_parts[level]
    assert "kept from running" not in outcome.examples
    assert outcome.reproducers["dies"].state == "still fails"
    assert (outcome.incidents, outcome.notes) == ([], [])


def test_a_wrong_output_beside_a_gradient_that_is_known_to_be_wrong_is_found(planted: Trials) -> None:
    """The entry accepts the gradient of the weight in every example; the output of the same ones still fails."""
    reproducer = ENTRY.reproducer.but(sizes=SIZES | {"kernel": (1, 2)}, layouts=dict.fromkeys(LAYOUTS, "contiguous"))
    entry = replace(
        ENTRY,
        tensors=("grad:weight",),
        oracle="values",
        cells=tuple(planted.levels),
        when=Expression.parse("kernel[1] > 1"),
        reproducer=reproducer,
    )
    outcome = outcome_with(planted, entry)
    assert {failure.finding.key for failure in outcome.failures} == {("values", "output[0]")}
    assert outcome.failures[0].example.sizes["dilation"][1] > 1
    assert outcome.known_issues["planted"] > 0
    assert outcome.reproducers["planted"].state == "still fails"
