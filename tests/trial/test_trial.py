"""A trial over a toy executor: what is counted, what is reduced, what known issues change."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Example, Expression, Numerics, Observation, ReproducerCheck, ReproducerState
from harness.execution import Result
from harness.generation import corner_examples, has_own_layout
from harness.golden import CorpusCase
from harness.profiles import PROFILES
from harness.trial import make_plan
from harness.trial.plan import LEAST_SHARE
from tests.trial.toy import CASE, ToyExecutor
from tests.trial.trials import REPRODUCER, SMALLEST, known_issue, right, try_case, wide


def test_a_right_operator_passes_in_every_cell() -> None:
    """No finding: both cells passed, examples of both phases are counted, pairs are covered."""
    outcome = try_case(ToyExecutor(right))
    assert outcome.status == "passed"
    due = {"saved": 0, "corpus": 0, "declared": 0, "corners": 20, "drawn": 10}
    assert dict(outcome.examples) == due
    assert set(outcome.cells) == {"low", "high"}
    assert outcome.coverage["pairs"] > 0
    assert outcome.hits["low"]["double:low"] > 0


@pytest.mark.parametrize("rows", [1, 4, 7])
def test_a_short_run_takes_its_rows_from_all_over_the_array(rows: int) -> None:
    """The simplest one, and others as far apart as so many can be, of those that differ from their contiguous run."""
    ran: list[Example] = []

    def note(example: Example, cell: str, layout: str) -> str:
        if (cell, layout) == ("low", "drawn"):
            ran.append(example)
        return ""

    first, *others = corner_examples(CASE, "float32")
    every = [first, *(example for example in others if has_own_layout(CASE, example))]
    assert len(others) > len(every)
    try_case(ToyExecutor(note), profile=replace(PROFILES["gate"], rows=rows, random=0, by_space=False))
    places = [every.index(example) for example in ran]
    assert len(places) == rows < len(every)
    gaps = np.diff([*places, len(every)])
    assert places[0] == 0
    assert gaps.max() - gaps.min() <= 1


def test_dtypes_share_the_rows_of_an_array() -> None:
    """Each row is run in some dtype of the case, and each dtype runs a good number of them, but not all."""
    case = replace(CASE, dtypes=("float32", "float64", "bfloat16"))
    rows = [row.but(dtype="float32") for row in corner_examples(case, "float32")]
    ran: dict[str, list[Example]] = {}
    for dtype in case.dtypes:
        plan = make_plan(
            case, dtype, profile=replace(PROFILES["gate"], random=0), saved=[], corpus=CorpusCase(), seed=0, arrays=None
        ).plan
        ran[dtype] = [each.but(dtype="float32") for each in plan.examples if plan.phase(each) == "corners"]
        assert LEAST_SHARE <= len(ran[dtype]) < len(rows)
    assert all(any(row in share for share in ran.values()) for row in rows)


def test_dtypes_that_run_the_same_code_take_turns_with_the_corpus_unless_onednn_ran() -> None:
    """Of four examples of ATen two alike dtypes run two each, a half type all; where oneDNN ran, each runs all."""
    case = replace(CASE, dtypes=("float32", "float64", "bfloat16"))
    rows = corner_examples(case, "float32")
    plain = tuple({"sizes": dict(row.sizes), "layouts": dict(row.layouts)} for row in rows)
    profile = replace(PROFILES["gate"], random=16, by_space=False, larger=0)
    ran = {}
    for kernels in ((), ("jit:avx2",)):
        for dtype in case.dtypes:
            corpus = CorpusCase(kernels, plain[:4])
            plan = make_plan(case, dtype, profile=profile, saved=[], corpus=corpus, seed=0, arrays=None).plan
            of_corpus = [each.but(dtype="float32") for each in plan.examples if plan.phase(each) == "corpus"]
            ran[bool(kernels), dtype] = [each.to_json() for each in of_corpus]
    assert [len(ran[False, dtype]) for dtype in case.dtypes] == [2, 2, 4]
    assert set(ran[False, "float32"]).isdisjoint(ran[False, "float64"])
    assert [len(ran[True, dtype]) for dtype in case.dtypes] == [4, 4, 4]


def test_where_a_number_of_examples_is_asked_for_no_dtype_shares_it() -> None:
    """As many are drawn of a case in three dtypes as of one in one dtype."""
    drawn = []
    for dtypes in (("float32",), ("float32", "float64", "bfloat16")):
        case, profile = replace(CASE, dtypes=dtypes), PROFILES["gate"].with_examples(24)
        plan = make_plan(case, "float32", profile=profile, saved=[], corpus=CorpusCase(), seed=0, arrays=None).plan
        drawn.append(sum(plan.phase(each) == "drawn" for each in plan.examples))
    assert drawn[0] == drawn[1] > 0


def test_a_whole_run_compiles_and_a_short_one_does_not() -> None:
    """The rows that are compiled are of one dtype, which keeps them where dtypes share rows."""
    case = replace(CASE, dtypes=("float32", "float64", "bfloat16"), paths=("compile",))
    compiled = {}
    for name in ("gate", "quick"):
        profile = replace(PROFILES[name], random=0)
        plan = make_plan(case, "float32", profile=profile, saved=[], corpus=CorpusCase(), seed=0, arrays=None).plan
        compiled[name] = [each for each in plan.examples if each.path == "compile"]
    assert len(compiled["gate"]) == 1
    assert not compiled["quick"]


def test_a_dtype_that_must_be_refused_runs_few_examples() -> None:
    """All that refuse pass, with no share of combinations; one that answers is reduced like any other fault."""
    case = replace(CASE, unsupported=("float16",))
    outcome = try_case(ToyExecutor(lambda *_: "raised"), case=case, dtype="float16")
    assert (outcome.status, outcome.coverage, outcome.notes) == ("passed", {}, [])
    assert dict(outcome.examples) == {"saved": 0, "corpus": 0, "declared": 0, "corners": 12, "drawn": 10}

    def answer(example: Example, cell: str, layout: str) -> str:
        return "" if cell == "high" and layout == "drawn" and example.sizes["W"] > 2 else "raised"

    (failure,) = try_case(ToyExecutor(answer), case=case, dtype="float16").failures
    assert (failure.finding.key, failure.finding.kind) == (("error", ""), "layout")
    assert dict(failure.example.sizes) == SMALLEST | {"W": 3}


def test_a_fault_is_reduced_to_its_smallest_example() -> None:
    """One failure for the oracle and tensor, at the smallest sizes that show it, confirmed in a fresh worker."""
    outcome = try_case(ToyExecutor(wide))
    (failure,) = outcome.failures
    assert failure.example.sizes["W"] == 3
    assert {**failure.example.sizes, "W": 1} == SMALLEST
    assert failure.finding.key == ("values", "output[0]")
    assert failure.confirmed == "again in a fresh worker"
    assert [row.verdict for row in failure.rows] == ["failed", "failed"]


def test_a_fault_in_one_cell_names_that_cell() -> None:
    """The table says which cells pass and which fail, with the kernels of each."""

    def high(example: Example, cell: str, layout: str) -> str:
        both = min(example.sizes["C"], example.sizes["W"]) > 1 and example.layouts["input"] == "channels_last"
        return "value" if cell == "high" and both and layout == "drawn" else ""

    (failure,) = try_case(ToyExecutor(high)).failures
    assert [(row.cell, row.verdict, row.kernels) for row in failure.rows] == [
        ("low", "passed", ("double:low",)),
        ("high", "failed", ("double:high",)),
    ]
    assert failure.finding.kind == "layout"


def test_a_known_issue_is_counted_not_failed() -> None:
    """A finding under the condition is counted, its reproducer replayed, and the hunt goes on around it."""
    outcome = try_case(ToyExecutor(wide), known_issue(REPRODUCER))
    assert outcome.status == "known issue"
    assert outcome.known_issues["wide"] > 0
    assert outcome.reproducers == {"wide": ReproducerCheck(ReproducerState.STILL_FAILS)}


def test_a_known_issue_hides_nothing_outside_its_condition() -> None:
    """With a condition that is too narrow the rest still fails, at the smallest example outside it."""
    entry = known_issue(REPRODUCER.but(sizes=SMALLEST | {"W": 5}), when=Expression.parse("W > 3"))
    outcome = try_case(ToyExecutor(wide), entry)
    assert outcome.status == "failed"
    assert outcome.failures[0].example.sizes["W"] == 3


def test_a_reproducer_that_passes_makes_the_entry_stale() -> None:
    """A reproducer that no longer fails fails the trial: the entry must go."""
    outcome = try_case(ToyExecutor(right), known_issue(REPRODUCER))
    assert outcome.status == "failed"
    assert outcome.stale == ["wide"]
    assert "it passes" in outcome.reproducers["wide"].detail


def test_a_known_issue_without_its_cell_says_so() -> None:
    """An entry for a level that this machine lacks is neither stale nor confirmed."""
    outcome = try_case(ToyExecutor(right), known_issue(REPRODUCER, cells=("amx",)))
    assert outcome.status == "passed"
    assert outcome.reproducers == {
        "wide": ReproducerCheck(ReproducerState.NOT_CHECKED, "no cell of amx on this machine")
    }


def test_a_finding_seen_once_is_said_to_be_so() -> None:
    """What fails neither again nor in a fresh worker is reported as found, not as confirmed."""
    failed: list[Example] = []

    def once(example: Example, cell: str, layout: str) -> str:
        del cell
        if failed or layout == "contiguous":
            return ""
        failed.append(example)
        return "value"

    (failure,) = try_case(ToyExecutor(once)).failures
    assert failure.confirmed == "not again in a fresh worker: seen once"
    assert failure.example == failed[0]


def test_the_example_that_spoiled_the_worker_is_named() -> None:
    """A fault that a fresh worker shows only after an earlier example names that example, shrunk as well."""
    spoiled: list[Example] = []

    def spoils(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        if example.sizes["N"] == 3:
            spoiled.append(example)
        return "value" if spoiled and example.sizes["N"] == 1 else ""

    def fresh(example: Example, cell: str, layout: str) -> str:
        was_spoiled = bool(spoiled)
        spoiled.clear()
        return spoils(example, cell, layout) or ("value" if was_spoiled and example.sizes["N"] == 1 else "")

    class Forgetful(ToyExecutor):
        def run_isolated(self, *arguments: Any, **options: Any) -> Any:
            kept = list(spoiled)
            spoiled.clear()
            result = super().run_isolated(*arguments, **options)
            spoiled.extend(kept)
            return result

    (failure, *_) = try_case(Forgetful(spoils, alone=fresh)).failures
    assert failure.confirmed.startswith("only after {")
    assert '"N": 3, "C": 1, ' in failure.confirmed


def test_a_deadline_is_reported() -> None:
    """Running out of time is a note, not a failure."""
    outcome = try_case(ToyExecutor(right), deadline=0.0)
    assert outcome.notes == ["the time budget was reached before this began"]
    assert outcome.status == "not run"


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """A clock that moves one second each time it is read."""
    now = [0.0]

    def tick() -> float:
        now[0] += 1.0
        return now[0]

    monkeypatch.setattr("harness.trial.trial.time.monotonic", tick)
    return now


def test_a_deadline_in_the_middle_is_reported(clock: list[float]) -> None:
    """What ran is counted and judged, and the note says how much of the plan that was."""
    outcome = try_case(ToyExecutor(right), deadline=clock[0] + 20)
    (note,) = outcome.notes
    assert note == f"the time budget was reached after {outcome.examples.total()} of 28 examples"
    assert 0 < outcome.examples.total() == sum(outcome.cells["low"].values()) < 28
    assert outcome.status == "passed"


def test_a_deadline_ends_shrinking(clock: list[float]) -> None:
    """A failure found just in time is reported as it was found, and the note says that it may not be the smallest."""
    outcome = try_case(ToyExecutor(wide), deadline=clock[0] + 30)
    assert outcome.status == "failed"
    assert outcome.notes[-1] == "the time budget was reached: a smaller example may fail too"


def test_a_level_that_is_not_effective_is_not_trusted() -> None:
    """What passed in a cell that turned out to run other kernels than its cap allows does not count as passed."""
    outcome = try_case(ToyExecutor(right, ineffective={"low": "oneDNN ran jit:avx2"}))
    assert set(outcome.cells["low"]) == {"untrusted"}
    assert outcome.untrusted["level not effective"] == outcome.cells["high"]["passed"] > 0


def test_nothing_to_run_is_not_a_failure() -> None:
    """The replay profile of a case without declared or saved examples has not run: neither a pass nor a failure."""
    outcome = try_case(ToyExecutor(right), profile=PROFILES["replay"])
    assert outcome.status == "not run"


def test_a_reproducer_that_comes_and_goes_is_not_stale() -> None:
    """A reproducer that passed once is tried many times in one fresh worker before it is called stale."""

    class Fickle(ToyExecutor):
        def run_isolated(self, *arguments: Any, repeats: int = 1, **options: Any) -> Result:
            self.alone = wide if repeats > 1 else right
            return super().run_isolated(*arguments, repeats=repeats, **options)

    outcome = try_case(Fickle(right), known_issue(REPRODUCER))
    assert outcome.reproducers == {"wide": ReproducerCheck(ReproducerState.STILL_FAILS)}


def test_a_reproducer_runs_beside_the_examples() -> None:
    """It is sent before the first example, and what became of it is waited for after the last."""
    events: list[str] = []

    class Watched(ToyExecutor):
        def send_isolated(self, *arguments: Any, **options: Any) -> Callable[[], Result]:
            events.append("sent")
            result = super().send_isolated(*arguments, **options)

            def wait() -> Result:
                events.append("waited for")
                return result()

            return wait

        def run(self, *arguments: Any, **options: Any) -> Iterator[Result]:
            events.append("examples")
            return super().run(*arguments, **options)

    outcome = try_case(Watched(wide), known_issue(REPRODUCER))
    assert events[:2] == ["sent", "examples"]
    assert events.count("waited for") == 1
    assert outcome.reproducers == {"wide": ReproducerCheck(ReproducerState.STILL_FAILS)}


def test_a_reproducer_of_another_dtype_is_left_to_its_own_trial() -> None:
    """An entry of several dtypes has one reproducer; the trials of the others say whose it is."""
    outcome = try_case(ToyExecutor(right), known_issue(REPRODUCER.but(dtype="float64"), dtypes=("float32", "float64")))
    assert outcome.reproducers == {"wide": ReproducerCheck(ReproducerState.OF_ANOTHER_ITEM, "double[float64]")}


def test_an_admitted_accumulator_widens_the_bound_where_its_condition_holds() -> None:
    """Within the looser bound the example counts as a known issue; the same error elsewhere is a failure."""
    case = replace(CASE, numerics=Numerics("multilinear", "multilinear"), fills=("reals",))

    class Coarse(ToyExecutor):
        """One bfloat16 rounding away from twice the input, for wide images."""

        def _result(self, example: Example, cells: Any, wrong: Any) -> Result:
            result = super()._result(example, cells, wrong)
            values = result.reference.values["output[0]"] / 3  # no integers: their sums would be exact
            reference = replace(
                result.reference,
                values={"output[0]": values},
                inputs={"input": values / 2},
                bound={"output[0]": np.abs(values)},
                terms={"output[0]": np.full(values.shape, 2.0)},
            )
            return replace(result, reference=reference, observations=tuple(map(self._off, result.observations)))

        def _off(self, observation: Observation) -> Observation:
            record = observation.tensors["output[0]"]
            error = np.float32(2.0**-8) if record.shape[3] > 2 else np.float32(0)
            wrong = replace(record, values=(record.values / 3 * (1 + error)).astype(np.float32))
            return replace(observation, tensors={"output[0]": wrong})

    admitted = known_issue(REPRODUCER, accumulates_in="bfloat16")
    assert try_case(Coarse(right), case=case).status == "failed"
    inside = try_case(Coarse(right), admitted, case=case)
    assert inside.status == "known issue"
    assert inside.known_issues["wide"] > 0
    assert inside.reproducers == {"wide": ReproducerCheck(ReproducerState.STILL_FAILS)}
    beside = try_case(Coarse(right), replace(admitted, when=Expression.parse("W > 3")), case=case)
    assert beside.status == "failed"


def test_more_faults_than_are_reduced_are_named() -> None:
    """Beyond the first few faults a trial says only what else failed."""

    class Broken(ToyExecutor):
        def _result(self, *arguments: Any) -> Result:
            result = super()._result(*arguments)
            values = {f"output[{index}]": result.reference.values["output[0]"] for index in range(5)}
            return replace(result, reference=replace(result.reference, values=values))

    outcome = try_case(Broken(right))
    assert len(outcome.failures) == 3
    assert outcome.notes == ["also failed: shape of output[4]: output[4] is missing"]


def test_saved_failures_run_first() -> None:
    """The replay profile runs saved examples and nothing drawn."""
    executor = ToyExecutor(wide)
    outcome = try_case(executor, profile=PROFILES["replay"], saved=[REPRODUCER])
    assert outcome.examples.total() == 1
    assert outcome.failures[0].original == REPRODUCER


def test_a_short_run_has_an_empty_batch_as_well() -> None:
    """Few rows of the array have none of a size that may be 0, and a kernel that forgets about it is caught by them."""
    sizes = (replace(CASE.sizes[0], empty=True), *CASE.sizes[1:])
    ran: list[Example] = []

    def note(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        ran.append(example)
        return ""

    profile = replace(PROFILES["gate"], rows=6, random=0, by_space=False, larger=0)
    outcome = try_case(ToyExecutor(note), case=replace(CASE, sizes=sizes), profile=profile)
    assert outcome.examples["corners"] == 6
    assert any(example.sizes["N"] == 0 for example in ran)
