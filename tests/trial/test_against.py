"""Two toy builds over the same examples: what is new in the one under test, gone, and in both."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from typing import Any

import pytest

from harness.core import (
    Cell,
    Example,
    ItemStatus,
    KnownIssue,
    Level,
    Observation,
    PlaceReplay,
    PlaceState,
    TensorRecord,
)
from harness.execution import Result
from harness.trial import Baseline, BuildChange, BuildComparison, Outcome, against
from tests.trial.toy import CASE, ToyExecutor, Wrong, WrongPart
from tests.trial.trials import REPRODUCER, SMALLEST, known_issue, right, try_case, wide


def compare(ours: Wrong, theirs: Wrong, *known_issues: KnownIssue, **options: Any) -> tuple[Outcome, BuildComparison]:
    """A trial of the one toy against the other; the known issues are of both builds unless `of_baseline` says which."""
    of_baseline = options.pop("of_baseline", known_issues)
    executor = ToyExecutor(theirs, **options.pop("toy", {}))
    baseline = Baseline("build B", executor, of_baseline, known_issues, **options.pop("baseline", {}))  # type: ignore[arg-type] # a stand-in
    outcome = try_case(ToyExecutor(ours, **options.pop("our_toy", {})), *known_issues, baseline=baseline, **options)
    assert outcome.against is not None
    return outcome, outcome.against


def changes(comparison: BuildComparison) -> dict[BuildChange, set[tuple[str, ...]]]:
    """The cells in which something is of each change."""
    cells: dict[BuildChange, set[tuple[str, ...]]] = {}
    for finding in comparison.findings:
        cells.setdefault(finding.change, set()).add(finding.cells)
    return cells


def many(example: Example, cell: str, layout: str) -> str:
    """More than two channels come out wrong, in every cell."""
    del cell
    return "value" if layout == "drawn" and example.sizes["C"] > 2 else ""


def either(example: Example, cell: str, layout: str) -> str:
    """Wide images and those of many channels come out wrong."""
    return wide(example, cell, layout) or many(example, cell, layout)


def test_what_is_in_both_builds_does_not_fail_the_item() -> None:
    """It is counted as known, and listed; examples ran in both builds."""
    outcome, comparison = compare(wide, wide)
    assert outcome.status is ItemStatus.KNOWN_ISSUE
    assert (outcome.failures, outcome.notes) == ([], [])
    assert changes(comparison) == {BuildChange.IN_BOTH: {("low", "high")}}
    assert comparison.examples == outcome.examples.total()
    assert not any(finding.fails for finding in comparison.findings)
    assert comparison.drift == {}


def test_what_is_new_fails_and_its_example_fails_in_the_build_under_test_alone() -> None:
    """The smallest wide image is wrong in both builds, so the minimal example has many channels and is not wide."""
    outcome, comparison = compare(either, wide)
    assert outcome.status is ItemStatus.FAILED
    (failure,) = outcome.failures
    assert dict(failure.example.sizes) == SMALLEST | {"C": 3}
    assert {finding.change: finding.fails for finding in comparison.findings} == {
        BuildChange.NEW: True,
        BuildChange.IN_BOTH: False,
    }
    assert comparison.drift == {}  # what is wrong in a build is a finding, and no distance


def test_what_is_gone_is_listed_and_fails_nothing() -> None:
    """The message and the example are the baseline's."""
    outcome, comparison = compare(right, wide)
    assert outcome.status is ItemStatus.PASSED
    (gone,) = comparison.findings
    assert (gone.change, gone.oracle, gone.tensor, gone.cells) == (
        BuildChange.GONE,
        "values",
        "output[0]",
        ("low", "high"),
    )
    assert gone.example.sizes["W"] > 2
    assert gone.message.startswith("output[0] differs from the float64 reference")
    assert gone.examples > 1


def test_a_fault_that_spreads_to_another_level_is_new_there() -> None:
    """At the level where the baseline has it as well it is in both."""

    def low(example: Example, cell: str, layout: str) -> str:
        return wide(example, cell, layout) if cell == "low" else ""

    outcome, comparison = compare(wide, low)
    assert changes(comparison) == {BuildChange.NEW: {("high",)}, BuildChange.IN_BOTH: {("low",)}}
    assert "high" in outcome.failures[0].finding.cells


def test_a_level_that_equals_another_in_the_baseline_is_compared_with_that() -> None:
    """The baseline has no cell of its own for it."""
    low = Cell("low", Level("low", "x86_64", None, "default"))
    _, comparison = compare(wide, wide, toy={"cells": (low,), "aliases": {"high": "low"}})
    assert changes(comparison) == {BuildChange.IN_BOTH: {("low", "high")}}


def test_a_known_issue_of_both_builds_hides_nothing_that_the_baseline_does_right() -> None:
    """It says that both are wrong; where the baseline is not, the build under test has become worse."""
    outcome, comparison = compare(wide, right, known_issue(REPRODUCER))
    assert outcome.status is ItemStatus.FAILED
    (finding,) = comparison.findings
    assert (finding.change, finding.issues, finding.fails) == (BuildChange.NEW, ("wide",), True)
    assert dict(outcome.failures[0].example.sizes) == SMALLEST | {"W": 3}


def test_a_known_issue_that_is_not_of_the_baseline_explains_what_is_new() -> None:
    """It is of a later release: listed with its name, and not failed; its reproducer tells the two apart as well."""
    outcome, comparison = compare(wide, right, known_issue(REPRODUCER), of_baseline=())
    assert outcome.status is ItemStatus.KNOWN_ISSUE
    (finding,) = comparison.findings
    assert (finding.change, finding.issues, finding.fails) == (BuildChange.NEW, ("wide",), False)
    assert {name: place.change for name, place in comparison.places.items()} == {"wide": BuildChange.NEW}


def test_what_has_been_mended_is_gone_and_not_stale() -> None:
    """The reproducer of a known issue of both does not fail any more in the build under test."""
    outcome, comparison = compare(right, wide, known_issue(REPRODUCER))
    assert outcome.status is ItemStatus.PASSED
    assert (outcome.stale, outcome.failures) == ([], [])
    assert comparison.places["wide"].change is BuildChange.GONE
    assert [(finding.change, finding.issues) for finding in comparison.findings] == [(BuildChange.GONE, ("wide",))]


@pytest.mark.parametrize(("absences", "change"), [(2, BuildChange.IN_BOTH), (9, BuildChange.NEW)])
def test_a_known_fault_that_a_build_does_not_show_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch, absences: int, change: BuildChange
) -> None:
    """Memory that is not the call's shows by chance; what never shows is not there, and three times more are enough."""
    baseline, issue = ToyExecutor(wide), known_issue(REPRODUCER)
    asked = []

    def replay(place: KnownIssue, case: object, executor: object) -> PlaceReplay:
        """Both builds have the fault; the baseline does not show it at first."""
        if executor is baseline:
            asked.append((place, case))
        is_absent = executor is baseline and len(asked) <= absences
        return PlaceReplay(PlaceState.DOES_NOT_FAIL if is_absent else PlaceState.FAILS)

    monkeypatch.setattr(against, "replay_place", replay)
    outcome = try_case(ToyExecutor(wide), issue, baseline=Baseline("build B", baseline, [issue], [issue]))  # type: ignore[arg-type] # a stand-in
    assert outcome.against is not None
    assert outcome.against.places["wide"].change is change
    assert len(asked) == min(absences + 1, 1 + against.MOST_ASKED_AGAIN)


def test_what_varies_in_the_baseline_is_not_new() -> None:
    """The baseline is asked again, many times, for what it did not show; it then does."""
    outcome, comparison = compare(wide, right, toy={"alone": wide})
    assert outcome.status is ItemStatus.KNOWN_ISSUE
    assert changes(comparison) == {BuildChange.IN_BOTH: {("low", "high")}}


def test_what_varies_in_the_build_under_test_is_not_gone() -> None:
    """It is asked again too, as often, for what only the baseline showed."""
    outcome, comparison = compare(right, wide, our_toy={"alone": wide})
    assert outcome.failures == []
    assert changes(comparison) == {BuildChange.IN_BOTH: {("low", "high")}}


@pytest.mark.parametrize("dying", ["theirs", "ours"])
def test_what_a_known_crash_hides_in_one_build_is_in_both(dying: str) -> None:
    """Where the call itself dies there, it cannot show the wrong values that the other one, which survives, shows."""

    def part(forward: str) -> WrongPart:
        def wrong(example: Example, cell: str, layout: str, without: Collection[str]) -> str:
            del cell, layout
            is_fatal = example.sizes["W"] > 2
            return ("died" if "input" not in without else forward) if is_fatal else ""

        return wrong

    def dies(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        return "died" if example.sizes["W"] > 2 else ""

    fatal = known_issue(REPRODUCER, id="dies", oracle="crash", tensors=("*",))
    toys = {"theirs": {"part": part("value")}, "ours": {"part": part("value")}} | {dying: {"part": part("died")}}
    outcome, comparison = compare(dies, dies, fatal, known_issue(REPRODUCER), our_toy=toys["ours"], toy=toys["theirs"])
    assert outcome.failures == []
    assert {finding.change for finding in comparison.findings if finding.issues == ("wide",)} == (
        {BuildChange.IN_BOTH} if dying == "theirs" else set()
    )
    assert not any(finding.change is BuildChange.GONE for finding in comparison.findings)


@pytest.mark.parametrize("singly", ["value", ""])
def test_a_baseline_that_dies_when_asked_again_is_asked_once_more(singly: str) -> None:
    """What spoils memory ends the worker, or shows as wrong numbers, by chance; if it never does, that is new."""
    asked = {"count": 0}

    def spoil(example: Example, cell: str, layout: str) -> str:
        asked["count"] += 1
        if not wide(example, cell, layout):
            return ""
        return "died" if asked["count"] <= 2 else singly

    outcome, comparison = compare(wide, right, toy={"alone": spoil})
    change = BuildChange.IN_BOTH if singly else BuildChange.NEW
    assert changes(comparison) == {change: {("low", "high")}}
    assert outcome.status is (ItemStatus.KNOWN_ISSUE if singly else ItemStatus.FAILED)


@pytest.mark.parametrize("ours", [wide, right])
def test_what_the_baseline_lacks_is_said(ours: Wrong) -> None:
    """Nothing runs there, no reproducer is replayed, and what fails in the build under test is new."""
    outcome, comparison = compare(ours, right, known_issue(REPRODUCER), of_baseline=(), baseline={"lack": "no kernel"})
    assert (comparison.lack, comparison.examples, comparison.places) == ("no kernel", 0, {})
    assert {finding.change for finding in comparison.findings} == ({BuildChange.NEW} if ours is wide else set())
    assert outcome.failures == []  # a known issue that is not of the baseline accepts it


def test_a_baseline_without_a_kernel_has_lost_nothing() -> None:
    """Where golden/ has not seen the item in its release, that every call raises there alike is said, and not gone."""

    def refuse(example: Example, cell: str, layout: str) -> str:
        del example, cell, layout
        return "unsupported"

    outcome, comparison = compare(right, refuse, baseline={"may_lack": True})
    assert comparison.lack == "NotImplementedError: no kernel"
    assert (comparison.findings, outcome.status) == ([], ItemStatus.PASSED)


def test_a_dtype_that_both_builds_must_refuse_is_lacking_in_neither() -> None:
    """That every call raises is what is due."""
    case = replace(CASE, unsupported=("float16",))
    outcome, comparison = compare(
        lambda *_: "unsupported", lambda *_: "unsupported", baseline={"may_lack": True}, case=case, dtype="float16"
    )
    assert (comparison.lack, comparison.findings, outcome.status) == ("", [], ItemStatus.PASSED)


def test_crashes_of_the_baseline_end_the_trial_too() -> None:
    """Each costs a worker, whichever build it is in; what they show is gone in the build under test."""

    def dies(example: Example, cell: str, layout: str) -> str:
        del layout
        return "died" if cell == "high" and example.sizes["C"] > 1 else ""

    outcome, comparison = compare(right, dies)
    assert "stopped after 3 crashes or hangs" in outcome.notes[0]
    assert changes(comparison) == {BuildChange.GONE: {("high",)}}


def test_a_known_crash_of_the_baseline_is_left_out_there() -> None:
    """What the build under test computes there, right or wrong, is judged, and wrong values in place of it are new."""

    def dies(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        return "died" if example.sizes["W"] > 2 else ""

    fatal = replace(known_issue(REPRODUCER), oracle="crash", tensors=("",))
    outcome, comparison = compare(wide, dies, of_baseline=(fatal,))
    assert outcome.status is ItemStatus.FAILED
    assert {finding.change for finding in comparison.findings} == {BuildChange.NEW}
    assert compare(right, dies, of_baseline=(fatal,))[0].status is ItemStatus.PASSED


@dataclass
class OtherReference(ToyExecutor):
    """A toy whose float64 reference, and with it every result, is one more from two channels on."""

    def _result(self, example: Example, cells: Collection[str] | None, wrong: Wrong) -> Result:
        result = super()._result(example, cells, wrong)
        shift = 1.0 if example.sizes["C"] > 1 else 0.0
        values = {name: array + shift for name, array in result.reference.values.items()}
        observations = tuple(replace(each, tensors=_shifted(each, shift)) for each in result.observations)
        return replace(result, reference=replace(result.reference, values=values), observations=observations)


def _shifted(observation: Observation, shift: float) -> dict[str, TensorRecord]:
    return {
        name: replace(record, values=(record.values + shift).astype(record.values.dtype))
        for name, record in observation.tensors.items()
    }


def test_another_answer_in_float64_is_told_and_is_no_drift() -> None:
    """Each build agrees with its own reference, so that nothing is new or gone; how far they lie apart is no rounding.

    It is the first such example whose numbers are told.
    """
    baseline = Baseline("build B", OtherReference(right))  # type: ignore[arg-type] # a stand-in
    outcome = try_case(ToyExecutor(right), baseline=baseline)
    comparison = outcome.against
    assert comparison is not None
    assert (outcome.status, comparison.findings, comparison.drift) == (ItemStatus.PASSED, [], {})
    assert list(comparison.references) == ["output[0]"]
    difference = comparison.references["output[0]"]
    assert difference.example.sizes["C"] > 1
    assert "(here 2.0, there 3.0 at [0, 0, 0, 0])" in difference.message


def test_what_is_wrong_in_a_build_has_no_other_reference_beside() -> None:
    """It is told apart as what it is."""
    baseline = Baseline("build B", OtherReference(many))  # type: ignore[arg-type] # a stand-in
    comparison = try_case(ToyExecutor(lambda *_: "value"), baseline=baseline).against
    assert comparison is not None
    assert (comparison.drift, comparison.references) == ({}, {})
    assert {finding.change for finding in comparison.findings} >= {BuildChange.NEW}
