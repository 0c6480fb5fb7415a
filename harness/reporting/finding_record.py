"""What operators and models record alike: findings and counts."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TypeVar

from pydantic import Field

from harness.core import Finding
from harness.core.finding import FindingKind, Oracle
from harness.suites import StrictSchema

Name = TypeVar("Name", bound=str)
Value = TypeVar("Value")

Counts = Mapping[str, int]
"""How often each of several things came up."""


class FindingRecord(StrictSchema):
    """One broken property of an operator or a model."""

    oracle: Oracle
    tensor: str = Field(description="Empty where the finding is about the call as a whole")
    kind: FindingKind
    cells: Mapping[str, float | None] = Field(
        description="Cell: error in units of its allowance; 1 where there is no number, null where it is infinite"
    )
    layouts: tuple[str, ...] = Field(description="The layouts, or of a model the conversions, in which it shows")
    message: str
    where: str = Field(description="Which elements differ; empty where that is nothing to go by")


def finding_record(finding: Finding) -> FindingRecord:
    """The finding as a record keeps it."""
    return FindingRecord(
        oracle=finding.oracle,
        tensor=finding.tensor,
        kind=finding.kind,
        cells={cell: ratio if math.isfinite(ratio) else None for cell, ratio in finding.cells.items()},
        layouts=finding.layouts,
        message=finding.message,
        where=finding.where,
    )


def sort_by_name(named: Mapping[Name, Value]) -> dict[Name, Value]:
    """The same by the order of the names, so that a record does not depend on what came first."""
    return dict(sorted(named.items()))
