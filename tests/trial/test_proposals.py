"""Proposals: what is one fault becomes one entry, with the condition that its neighbours tell."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core import Case, Example, Expression, Finding, KnownFault, KnownIssue, Severity
from harness.trial import NewFailure, Proposer
from harness.trial.proposals import case_family, fault_severity
from tests.trial.toy import CASE, CELLS, ToyExecutor, Wrong
from tests.trial.trials import REPRODUCER, known_issue, many_channels, right, wide

LEVELS = [cell.level for cell in CELLS]
TWIN = replace(CASE, id=f"{CASE.id}_twin", name="double_twin")


def failure(example: Example = REPRODUCER, case: Case = CASE, **changes: Any) -> NewFailure:
    """A failure of the toy in every cell."""
    oracle, tensor = changes.pop("oracle", "values"), changes.pop("tensor", "output[0]")
    cells = changes.pop("cells", {"low": 2.0, "high": 2.0})
    finding = Finding(oracle, tensor, "layout", cells, message="output[0] is wrong")
    return NewFailure(case, finding, example, {"low", "high"})


def proposals(wrong: Wrong, *failures: NewFailure, known: tuple[KnownIssue, ...] = ()) -> list[KnownFault]:
    """What is proposed where the toy is wrong like that."""
    proposer = Proposer(ToyExecutor(wrong), LEVELS, lambda *_: known)  # type: ignore[arg-type] # a stand-in
    faults, gone = proposer.propose(failures)
    assert gone == []
    return faults


def test_a_failure_becomes_an_entry() -> None:
    """It has the shrunk reproducer, the severity, levels by their order, and what the neighbours tell."""
    (fault,) = proposals(wide, failure())
    (place,) = fault.places
    assert (fault.id, fault.severity) == ("double-output-0-values", Severity.WRONG_VALUES)
    assert fault.summary == "double: output[0] is wrong"
    assert fault.reason == "REASON TO BE WRITTEN"
    assert (place.cases, place.dtypes, place.tensors) == ((CASE.id,), ("float32",), ("output[0]",))
    assert (place.cells, place.when.text, place.reproducer) == (("low", "high"), "W > 2", REPRODUCER)


def test_dtypes_and_cases_of_one_fault_are_one_place() -> None:
    """Another dtype, and another case of the family, join where levels and condition are the same."""
    both = replace(CASE, dtypes=("float32", "float64"))
    second = REPRODUCER.but(dtype="float64")
    (fault,) = proposals(wide, failure(case=both), failure(second, case=both))
    assert [place.dtypes for place in fault.places] == [("float32", "float64")]
    volumes = [
        replace(CASE, id=CASE.id.replace("double", f"double{name}"), name=f"double{name}") for name in ("2d", "3d")
    ]
    (fault,) = proposals(wide, *(failure(REPRODUCER.but(case=case.id), case=case) for case in volumes))
    assert [place.cases for place in fault.places] == [tuple(case.id for case in volumes)]
    faults = proposals(wide, failure(), failure(REPRODUCER.but(case=TWIN.id), case=TWIN))
    assert [fault.id for fault in faults] == ["double-output-0-values", "double-twin-output-0-values"]


def test_other_levels_are_another_place() -> None:
    """Places of one fault are numbered, each with the levels in which it was seen."""
    both = replace(CASE, dtypes=("float32", "float64"))
    high = failure(REPRODUCER.but(dtype="float64"), case=both, cells={"high": 2.0})
    (fault,) = proposals(wide, failure(case=both), high)
    assert [(place.name, place.cells) for place in fault.places] == [
        ("double-output-0-values/1", ("low", "high")),
        ("double-output-0-values/2", ("high",)),
    ]


def test_what_kills_the_worker_is_run_alone() -> None:
    """A crash is proposed as one, with the same search in workers of their own."""
    layouts = dict.fromkeys(REPRODUCER.layouts, "contiguous")
    example = REPRODUCER.but(sizes={"N": 1, "C": 3, "H": 1, "W": 1}, layouts=layouts)
    (fault,) = proposals(many_channels("died"), failure(example, oracle="crash", tensor=""))
    assert (fault.severity, fault.places[0].tensors, fault.places[0].when.text) == (Severity.CRASH, ("*",), "C > 2")


def test_what_a_known_issue_accepts_tells_nothing() -> None:
    """Neighbours under another entry of the same oracle and tensor are neither with nor without the fault."""
    entry = known_issue(REPRODUCER, when=Expression.parse("W == 7"))
    (fault,) = proposals(wide, failure(), known=(entry,))
    assert fault.places[0].when.text == "W > 2"


def test_what_does_not_fail_here_is_not_proposed() -> None:
    """It comes back as it was."""
    proposer = Proposer(ToyExecutor(right), LEVELS, lambda *_: ())  # type: ignore[arg-type] # a stand-in
    assert proposer.propose([failure()]) == ([], [failure()])


@pytest.mark.parametrize(
    ("oracle", "tensor", "severity"),
    [
        ("crash", "", Severity.CRASH),
        ("hang", "", Severity.CRASH),
        ("written", "input", Severity.MEMORY),
        ("range", "output[1]", Severity.MEMORY),
        ("values", "output[0]", Severity.WRONG_VALUES),
        ("repeat", "grad:weight", Severity.WRONG_GRADIENT),
        ("shape", "output[0]", Severity.WRONG_VALUES),
        ("strides", "grad:input", Severity.LAYOUT),
        ("error", "", Severity.REFUSAL),
    ],
)
def test_severity_from_oracle_and_tensor(oracle: Any, tensor: str, severity: Severity) -> None:
    """A wrong output is worse than a wrong gradient; what an accumulator explains is a matter of accuracy."""
    finding = Finding(oracle, tensor, "universal", {})
    assert fault_severity(finding, is_coarse_sum=False) is severity
    assert fault_severity(finding, is_coarse_sum=True) is Severity.ACCURACY


@pytest.mark.parametrize(
    ("name", "family"),
    [("max_pool2d", "max_pool"), ("max_pool3d_padded", "max_pool"), ("group_norm_3d", "group_norm"), ("relu", "relu")],
)
def test_the_family_of_a_case(name: str, family: str) -> None:
    """Cases that differ in their number of dimensions are of one family."""
    assert case_family(name) == family
