"""What makes a failure go away: each variation of its minimal example, run by a toy that is wrong as it is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from harness.core import Case, CellState, Example, Expression, Finding, Module, Size
from harness.core.finding import FindingKind
from harness.execution import CellSettings
from harness.trial import CellRow, Diagnosis, Failure, PartwiseRunner, Variation, VariedAspect
from harness.trial.diagnoser import SECONDS, Diagnoser, Symptom
from harness.trial.diagnosis import diagnosed_kind
from tests.trial.toy import CASE, ToyExecutor, Wrong
from tests.trial.trials import known_issue, many_channels, right, try_case

SIZES = {"N": 1, "C": 2, "H": 1, "W": 2}
EXAMPLE = Example(CASE.id, "float32", SIZES, {"input": "channels_last", "grad_output": "contiguous"})
FINDING = Finding("values", "output[0]", "layout", {"low": 1.0, "high": 1.0})


def diagnose(
    wrong: Wrong,
    example: Example = EXAMPLE,
    finding: Finding = FINDING,
    *known_issues: Any,
    case: Case = CASE,
    executor: ToyExecutor | None = None,
    **options: Any,
) -> Diagnosis:
    """The diagnosis of that finding, by a toy that is wrong like this."""
    toy: Any = executor or ToyExecutor(wrong)
    diagnoser = Diagnoser(case, toy, PartwiseRunner(case, toy, known_issues), **options)
    return diagnoser.diagnose(Symptom(example, finding, [CellRow("low", CellState.FAILED, 1.0, ("double:low",))]))


def in_channels_last(example: Example, cell: str, layout: str) -> str:
    """What is drawn in channels-last comes out wrong."""
    del cell
    return "value" if layout == "drawn" and example.layouts["input"].startswith("channels_last") else ""


def only_if(condition: Callable[[Example], bool], end: str = "value") -> Wrong:
    """Examples of which this is true go wrong, in either layout."""

    def wrong(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        return end if condition(example) else ""

    return wrong


def always(example: Example) -> bool:
    """Every example is wrong."""
    del example
    return True


def words(variations: tuple[Variation, ...]) -> set[str]:
    """The variations in words."""
    return {variation.words for variation in variations}


def try_and_fail(wrong: Wrong, **options: Any) -> Failure:
    """The only failure of a trial."""
    (failure,) = try_case(ToyExecutor(wrong), **options).failures
    return failure


def test_a_fault_of_one_format_goes_away_in_the_other() -> None:
    """Each tensor's format is changed by itself; what has nothing to do with it stays."""
    diagnosis = diagnose(in_channels_last)
    assert words(diagnosis.goes_away) == {"input in contiguous"}
    assert words(diagnosis.stays) == {"grad_output in channels_last", "oneDNN off", "unpoisoned memory"}
    assert diagnosis.undecided == ()


def test_a_fault_that_shows_when_all_is_contiguous_is_one_of_layouts_where_another_makes_it_go_away() -> None:
    """grad_output taken for channels-last: the smallest example is contiguous, so that both of its layouts fail."""

    def takes_it_for_channels_last(example: Example, cell: str, layout: str) -> str:
        del cell
        ambiguous = example.sizes["C"] == 1 or example.sizes["H"] * example.sizes["W"] == 1
        is_last = layout == "drawn" and example.layouts["grad_output"].startswith("channels_last")
        return "" if ambiguous or is_last else "value"

    failure = try_and_fail(takes_it_for_channels_last)
    assert set(failure.example.layouts.values()) == {"contiguous"}
    assert failure.finding.layouts == ("drawn", "contiguous")
    assert failure.finding.kind == "layout"
    assert words(failure.diagnosis.goes_away) == {"grad_output in channels_last"}


def test_what_is_wrong_however_it_is_laid_out_stays_universal() -> None:
    """No variation makes it go away."""
    failure = try_and_fail(only_if(lambda example: example.sizes["W"] > 2))
    assert failure.finding.kind == "universal"
    assert failure.diagnosis.goes_away == ()
    assert "input in channels_last" in words(failure.diagnosis.stays)


@pytest.mark.parametrize(
    ("kind", "aspect", "expected"),
    [
        ("universal", VariedAspect.FORMAT, "layout"),
        ("isa", VariedAspect.VIEW, "layout"),
        ("universal", VariedAspect.THREADS, "universal"),
        ("isa", VariedAspect.LEVEL, "isa"),
        ("crash", VariedAspect.FORMAT, "crash"),
        ("unstable", VariedAspect.VIEW, "unstable"),
    ],
)
def test_the_kind_follows_from_what_makes_it_go_away(
    kind: FindingKind, aspect: VariedAspect, expected: FindingKind
) -> None:
    """A layout makes it one of layouts, whatever the smallest example says; a worker's end and a changing bit stay."""
    variation = Variation(aspect, "")
    assert diagnosed_kind(kind, Diagnosis(goes_away=(variation,))) == expected
    assert diagnosed_kind(kind, Diagnosis(stays=(variation,))) == kind


def test_the_other_levels_are_read_off_the_table() -> None:
    """One that passes makes it go away; nothing is run for it."""

    def high(example: Example, cell: str, layout: str) -> str:
        del example, layout
        return "value" if cell == "high" else ""

    failure = try_and_fail(high)
    assert failure.finding.kind == "isa"
    assert failure.diagnosis.goes_away == (Variation(VariedAspect.LEVEL, "low"),)


def test_a_view_is_made_dense_and_the_aligned_one_is_called_so() -> None:
    """Of a view both the other format of the same view and the plain format are tried."""
    sliced = EXAMPLE.but(layouts={"input": "channels_last:slice_c", "grad_output": "contiguous"})
    diagnosis = diagnose(only_if(lambda example: example.layouts["input"].endswith("slice_c")), sliced)
    assert words(diagnosis.goes_away) == {"input in channels_last, no slice_c"}
    assert "input in contiguous:slice_c" in words(diagnosis.stays)
    shifted = EXAMPLE.but(layouts={"input": "contiguous:offset", "grad_output": "contiguous"})
    diagnosis = diagnose(only_if(lambda example: example.layouts["input"].endswith("offset")), shifted)
    assert words(diagnosis.goes_away) == {"input aligned"}


def test_one_thread_and_float32_are_tried_where_they_are_other() -> None:
    """Neither is a variation of an example that has it."""
    case = replace(CASE, dtypes=("float32", "float64"))
    example = EXAMPLE.but(threads=2, dtype="float64")
    diagnosis = diagnose(only_if(lambda example: example.threads > 1), example, case=case)
    assert words(diagnosis.goes_away) == {"one thread"}
    assert "float32" in words(diagnosis.stays)
    plain = diagnose(only_if(always), case=case)
    assert not {"one thread", "float32"} & (words(plain.goes_away) | words(plain.stays))


def test_evaluation_is_tried_of_a_module_that_trains() -> None:
    """The size that decides it is changed, and nothing else."""
    train = Size("train", "choice", choices=(True, False))
    case = replace(CASE, sizes=(*CASE.sizes, train), module=Module(train=Expression.parse("train")))
    example = EXAMPLE.but(sizes=SIZES | {"train": True})
    assert words(diagnose(only_if(lambda example: example.sizes["train"]), example, case=case).goes_away) == {
        "evaluation"
    }
    evaluated = diagnose(only_if(always), example.but(sizes=SIZES | {"train": False}), case=case)
    assert "evaluation" not in words(evaluated.stays)


def test_the_composition_that_an_operator_is_judged_by_is_tried_in_its_place() -> None:
    """A toy is as wrong under any name, so that the fault stays."""
    case = replace(CASE, reference="torch.composition")
    assert "torch.composition in place of toy.double" in words(diagnose(only_if(always), case=case).stays)
    in_place = diagnose(only_if(always), EXAMPLE.but(inplace=True), case=replace(case, inplace="toy.double_"))
    assert not [each for each in in_place.stays if each.aspect is VariedAspect.REFERENCE]


def test_a_cell_is_asked_to_do_without_what_it_can_do_without() -> None:
    """OneDNN where it ran, poison where memory is filled, preload files where there are any."""
    executor = ToyExecutor(in_channels_last, preloads=True)
    diagnose(in_channels_last, executor=executor)
    assert executor.settings[-3:] == [
        CellSettings(onednn=False),
        CellSettings(poisoned=False),
        CellSettings(preloaded=False),
    ]
    in_process = ToyExecutor(in_channels_last, is_isolating=False)
    diagnose(in_channels_last, executor=in_process)
    assert CellSettings(poisoned=False) not in in_process.settings
    assert CellSettings(preloaded=False) not in in_process.settings


def test_a_crash_goes_away_where_the_worker_lives() -> None:
    """What ends the worker is no longer told of any tensor."""
    crash = Finding("crash", "", "crash", {"low": 1.0})
    diagnosis = diagnose(only_if(lambda example: example.layouts["input"] == "channels_last", "died"), finding=crash)
    assert words(diagnosis.goes_away) == {"input in contiguous"}
    failure = try_and_fail(many_channels("died"))
    assert failure.diagnosis.goes_away == ()
    assert failure.finding.kind == "crash"


def test_what_says_nothing_is_told_with_its_reason() -> None:
    """A variation that raises, ends its worker or meets a known issue neither shows the fault nor its absence."""

    def otherwise(end: str) -> Wrong:
        def wrong(example: Example, cell: str, layout: str) -> str:
            del cell
            if example.layouts["input"] == "channels_last":
                return "value"
            return end if layout == "drawn" else ""

        return wrong

    for end, reason in (("raised", "it raises RuntimeError"), ("died", "the worker died"), ("hung", "the worker hung")):
        (undecided,) = diagnose(otherwise(end)).undecided
        assert (undecided.variation.words, undecided.reason) == ("input in contiguous", reason)
    entry = known_issue(EXAMPLE, when=Expression.parse("layout_input == 'contiguous'"))
    (undecided,) = diagnose(only_if(always), EXAMPLE, FINDING, entry).undecided
    assert (undecided.variation.words, undecided.reason) == ("input in contiguous", "known issue wide accepts it")
    fatal = replace(entry, oracle="crash")
    (undecided,) = diagnose(only_if(always), EXAMPLE, FINDING, fatal).undecided
    assert undecided.reason == "not run: it is known to end the worker"


def test_no_more_is_run_once_the_time_is_over() -> None:
    """The clock is asked before each variation; what was not run says so."""
    times = iter([0.0, 5.0, 19.0, *[20.0 + index for index in range(20)]])
    executor = ToyExecutor(in_channels_last)
    diagnosis = diagnose(in_channels_last, executor=executor, clock=lambda: next(times))
    assert len(executor.isolated) == 2
    assert words(diagnosis.goes_away) == {"input in contiguous"}
    assert words(diagnosis.stays) == {"grad_output in channels_last"}
    reasons = {each.reason for each in diagnosis.undecided}
    assert reasons == {"not run: 20 s are all that a diagnosis gets"}
    assert words(tuple(each.variation for each in diagnosis.undecided)) == {"oneDNN off", "unpoisoned memory"}


def test_a_variation_gets_no_more_than_the_time_that_is_left() -> None:
    """The reference may take four times the limit of a cell, and may not outlast the diagnosis either."""
    times = iter([0.0, 0.0, 8.0, 16.0, 19.0])
    executor = ToyExecutor(in_channels_last, limit=4.0)
    diagnose(in_channels_last, executor=executor, clock=lambda: next(times))
    assert executor.limits == [4.0, 3.0, 1.0, 0.25]
    assert SECONDS == 20.0


def test_a_trial_that_is_late_diagnoses_nothing() -> None:
    """Its time budget is over, and every variation says so."""
    executor = ToyExecutor(in_channels_last)
    diagnosis = diagnose(in_channels_last, executor=executor, late=lambda: True)
    assert executor.isolated == []
    assert {each.reason for each in diagnosis.undecided} == {"not run: the time budget was reached"}


def test_what_was_seen_once_has_no_diagnosis() -> None:
    """A fault that cannot be made to show has nothing to go away."""
    calls = iter(range(1000))

    def first_call(example: Example, cell: str, layout: str) -> str:
        del example, cell, layout
        return "value" if next(calls) == 0 else ""

    (failure,) = try_case(ToyExecutor(first_call, alone=right)).failures
    assert failure.confirmed == "not again in a fresh worker: seen once"
    assert not failure.diagnosis
