"""The comparison of an item with another build, as a record keeps it."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import Field

from harness.core import PlaceState
from harness.core.finding import Oracle
from harness.reporting.example_record import OperatorExample
from harness.reporting.finding_record import sort_by_name
from harness.suites import StrictSchema
from harness.trial import BuildChange, BuildComparison, ChangedFinding, TensorDrift


class ChangedFindingRecord(StrictSchema):
    """What is broken in the same way over the examples of an item, and in which of the two builds."""

    change: BuildChange = Field(description="new: in the build under test alone; gone: in the baseline alone")
    oracle: Oracle
    tensor: str = Field(description="Empty where the finding is about the call as a whole")
    cells: tuple[str, ...]
    issues: tuple[str, ...] = Field(description="The known issues, of either build, that accept it")
    examples: int = Field(description="How many examples show it")
    message: str = Field(description="The first of them, in a sentence")
    example: OperatorExample = Field(description="The first of them")
    fails: bool = Field(description="Whether the item fails for it")


class ReplayedPlaceRecord(StrictSchema):
    """What the reproducer of one place of a known fault does in the two builds."""

    change: BuildChange | None = Field(description="Null where neither has the fault, or one could not be asked")
    under_test: PlaceState
    baseline: PlaceState


class TensorDriftRecord(StrictSchema):
    """The worst error of the build under test against the baseline, in units of the bound of the reference."""

    ratio: float | None = Field(description="Up to 2; older records have null where no bound makes a number of it")
    cell: str
    example: OperatorExample


class ReferenceDifferenceRecord(StrictSchema):
    """Of one tensor, that the two builds compute another answer in float64, and each agrees with its own."""

    message: str
    example: OperatorExample = Field(description="The first that shows it")


class BuildComparisonRecord(StrictSchema):
    """One item in two builds."""

    baseline: str
    lack: str = Field(description="What the baseline lacks of what the item runs; empty where it lacks nothing")
    examples: int = Field(description="How many ran in both builds")
    findings: tuple[ChangedFindingRecord, ...]
    places: Mapping[str, ReplayedPlaceRecord] = Field(description="Known issue, or its place: its reproducer")
    drift: Mapping[str, TensorDriftRecord] = Field(
        description="Tensor: the worst drift of what is right in both builds; none where all bits are equal"
    )
    references: Mapping[str, ReferenceDifferenceRecord] = Field(
        default_factory=dict, description="Tensor: where the float64 references of the two builds differ"
    )


def build_comparison_record(comparison: BuildComparison) -> BuildComparisonRecord:
    """The comparison as a record keeps it, in stable order."""
    return BuildComparisonRecord(
        baseline=comparison.baseline,
        lack=comparison.lack,
        examples=comparison.examples,
        findings=tuple(map(_finding_record, sorted(comparison.findings, key=_order))),
        places={
            name: ReplayedPlaceRecord(
                change=place.change, under_test=place.under_test.state, baseline=place.baseline.state
            )
            for name, place in sort_by_name(comparison.places).items()
        },
        drift={tensor: _drift(drift) for tensor, drift in sort_by_name(comparison.drift).items()},
        references={
            tensor: ReferenceDifferenceRecord(message=difference.message, example=difference.example)
            for tensor, difference in sort_by_name(comparison.references).items()
        },
    )


def _order(finding: ChangedFinding) -> tuple[int, bool, str, str, tuple[str, ...]]:
    """What fails first, then by change, oracle and tensor."""
    return list(BuildChange).index(finding.change), not finding.fails, finding.oracle, finding.tensor, finding.issues


def _finding_record(finding: ChangedFinding) -> ChangedFindingRecord:
    return ChangedFindingRecord(
        change=finding.change,
        oracle=finding.oracle,
        tensor=finding.tensor,
        cells=finding.cells,
        issues=finding.issues,
        examples=finding.examples,
        message=finding.message,
        example=finding.example,
        fails=finding.fails,
    )


def _drift(drift: TensorDrift) -> TensorDriftRecord:
    ratio = float(f"{drift.ratio:.2g}") if math.isfinite(drift.ratio) else math.inf
    return TensorDriftRecord(ratio=ratio if math.isfinite(ratio) else None, cell=drift.cell, example=drift.example)
