"""How bad a failure is, from what is broken and of which tensor."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final

from harness.core import PatternKind, Severity
from harness.core.finding import Oracle
from harness.portable.tensor_name import DERIVED, kind_of
from harness.trial.known_issues import DEATHS

_BY_ORACLE: Final[dict[Oracle, Severity]] = {
    **dict.fromkeys(DEATHS, Severity.CRASH),
    "range": Severity.MEMORY,
    "written": Severity.MEMORY,
    "strides": Severity.LAYOUT,
    "error": Severity.REFUSAL,
}
_BY_PATTERN: Final = {
    PatternKind.UNWRITTEN: Severity.MEMORY,
    PatternKind.ONE_ULP: Severity.ACCURACY,
    PatternKind.NARROW: Severity.ACCURACY,
}


def failure_severity(oracle: Oracle, tensor: str, pattern: Collection[PatternKind] = ()) -> Severity:
    """How bad it is that this property of this tensor is broken: an output that is wrong is worse than a gradient.

    `pattern` is what the differing elements have in common: memory that nobody wrote is worse than a wrong number, and
    one ulp, or the numbers of a narrower dtype, are a loss of accuracy alone.
    """
    if oracle in _BY_ORACLE:
        return _BY_ORACLE[oracle]
    if by_pattern := [_BY_PATTERN[kind] for kind in pattern if kind in _BY_PATTERN]:
        return by_pattern[0]
    return Severity.WRONG_GRADIENT if kind_of(tensor) in DERIVED else Severity.WRONG_VALUES


def severity_rank(severity: Severity | None) -> int:
    """Its place in the order, 0 for the worst; None, what breaks no property of a tensor, comes after all of them."""
    return len(Severity) if severity is None else severity.rank
