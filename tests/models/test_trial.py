"""A trial of a model, over a model executor that says what was written down for it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from harness.core import CellState, Expression, ItemStatus
from harness.models import ModelKnownIssue, ModelOutcome, ModelTrial, Problem, Skipped, model_failure_text
from harness.models.model import ModelExample, ModelObservation
from tests.models.toy import CELL, LOST, MODEL, ToyModelExecutor, run

WRONG = 1e-3
REASON = "the reference's worker no longer has the module calls (died: killed by SIGKILL)"


def right_runs(example: ModelExample) -> Sequence[ModelObservation]:
    """Both runs are exact."""
    del example
    return [run("nchw", kernels={"reorder:jit:uni": 3}), run("both")]


def wrong_runs(example: ModelExample) -> Sequence[ModelObservation]:
    """The converted run is off where the size is 2."""
    return [run("nchw"), run("both", WRONG if example.sizes["S"] == 2 else 0.0)]


def format_losing_runs(example: ModelExample) -> Sequence[ModelObservation]:
    """A module gives NCHW back for NHWC."""
    del example
    return [run("nchw"), run("both", call=LOST)]


def outcome_of(executor: ToyModelExecutor, *issues: ModelKnownIssue, draws: int = 2, **options: Any) -> ModelOutcome:
    """The outcome of a trial of the toy in evaluation."""
    return ModelTrial(MODEL, MODEL.ways[0], executor, issues, seed=1, draws=draws, **options).run()  # type: ignore[arg-type] # a stand-in


def issue(name: str, when: str = "True", oracle: Any = "values", tensor: str = "output[0]") -> ModelKnownIssue:
    """An entry about the toy."""
    return ModelKnownIssue(
        id=name, tensors=(tensor,), oracle=oracle, cells=("*",), when=Expression.parse(when), reason="a toy",
        link="no thread found", models=("*",), items=("*",),
    )  # fmt: skip


def test_a_right_model_passes() -> None:
    """Every example counts in its cell, and the reorders and the layout are those of the first."""
    outcome = outcome_of(ToyModelExecutor(right_runs))
    assert (outcome.status, outcome.examples) == (ItemStatus.PASSED, 2)
    assert outcome.cells == {CELL: {CellState.PASSED: 2}}
    assert outcome.reorders == {"nchw": 3, "both": 0}
    assert [(row.module, row.formats_in, row.formats_out) for row in outcome.layout] == [("act", "nhwc", "nhwc")]
    assert outcome.hits == {CELL: {"reorder:jit:uni": 6}}


def test_a_wrong_model_fails_though_the_worker_that_would_localise_it_is_lost() -> None:
    """The trial goes on; the failure says why no module is named, and the incident is the outcome's."""
    outcome = outcome_of(ToyModelExecutor(wrong_runs))
    assert (outcome.status, outcome.examples) == (ItemStatus.FAILED, 2)
    (failure,) = outcome.failures
    assert [finding.tensor for finding in failure.findings] == ["output[0]"]
    assert (failure.faulty_modules, failure.not_localised) == ((), REASON)
    (incident,) = outcome.incidents
    assert incident.endswith(f"cannot be run by themselves: {REASON}")
    text = model_failure_text(outcome, "toy.yaml::toy[eval]", 1)
    assert f"  to blame: not known: {REASON}\n" in text
    assert "no module alone" not in text


def test_an_entry_accepts_what_its_condition_is_true_of() -> None:
    """The finding is known, and nothing is left to localise."""
    outcome = outcome_of(ToyModelExecutor(wrong_runs), issue("two", "S == 2"))
    assert outcome.status == ItemStatus.KNOWN_ISSUE
    assert outcome.cells == {CELL: {CellState.PASSED: 1, CellState.KNOWN_ISSUE: 1}}
    assert (outcome.known_issues, outcome.stale, outcome.incidents) == ({"two": 1}, [], [])


def test_an_entry_that_accepts_nothing_where_it_holds_is_stale() -> None:
    """One whose condition was never true is not: nothing was seen of it."""
    outcome = outcome_of(
        ToyModelExecutor(wrong_runs), issue("two", "S == 2"), issue("one", "S == 1"), issue("no", "S > 9")
    )
    assert (outcome.status, outcome.stale) == (ItemStatus.FAILED, ["one"])


def test_an_entry_about_a_lost_format_names_the_module() -> None:
    """A lost format is a finding about the module, by its path."""
    outcome = outcome_of(ToyModelExecutor(format_losing_runs), issue("act", oracle="strides", tensor="module:act"))
    assert (outcome.status, outcome.known_issues) == (ItemStatus.KNOWN_ISSUE, {"act": 2})


def test_what_does_not_come_back_in_a_fresh_worker_is_noted() -> None:
    """It stays a failure: something spoiled the memory, or it comes and goes."""
    outcome = outcome_of(ToyModelExecutor(wrong_runs, alone=right_runs))
    assert outcome.status == ItemStatus.FAILED
    (note,) = outcome.notes
    assert "does not fail in a fresh worker" in note


def test_a_model_that_cannot_be_judged_stops_the_trial() -> None:
    """One sentence; no example is counted."""
    outcome = outcome_of(ToyModelExecutor(right_runs, problem=Problem("output['label'] is a str")))
    assert (outcome.status, outcome.examples) == (ItemStatus.FAILED, 0)
    assert model_failure_text(outcome, "id", 1).startswith("toy in eval-eager-float32: output['label'] is a str\n")


def test_what_is_missing_is_not_available() -> None:
    """The reason is kept once for each cell, and no entry is stale where not everything ran."""
    executor = ToyModelExecutor(lambda example: [], skipped={CELL: Skipped("no compiler")})  # noqa: ARG005
    outcome = outcome_of(executor, issue("any"))
    assert (outcome.status, outcome.stale) == (ItemStatus.NOT_AVAILABLE, [])
    assert outcome.reasons_not_run == ["no compiler"]


def test_a_tensor_whose_selection_changes_in_float64_too_is_named() -> None:
    """Rounding alone changes what is selected: it is not judged, and a note says which tensor."""
    outcome = outcome_of(ToyModelExecutor(right_runs, sensitivity=float("inf")))
    assert outcome.status == ItemStatus.UNTRUSTED
    assert outcome.notes == ["1 of 1 tensors are not judged, because rounding changes what is selected: output[0]"]


def test_the_time_budget_ends_a_trial_between_examples() -> None:
    """What was not reached is said."""
    outcome = outcome_of(ToyModelExecutor(right_runs), deadline=0.0)
    assert (outcome.status, outcome.notes) == (
        ItemStatus.NOT_RUN, ["the time budget was reached after 0 examples"],
    )  # fmt: skip
