"""What share of the combinations of corner values a set of examples has covered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from harness.generation.shapes import domain_of
from harness.generation.space import Factor, factors

if TYPE_CHECKING:
    from collections.abc import Iterable

    from harness.core import Case, Example
    from harness.generation.sizes import Domain


@dataclass(frozen=True)
class CornerCoverage:
    """Combinations of corner values of two, and of three, different factors: how many were met, of how many.

    The totals count what the bounds leave; a combination that only `require` or the element budget rules out counts as
    not covered. Triples are 0 of 0 where they were not asked for.
    """

    pairs_covered: int
    pairs_total: int
    triples_covered: int = 0
    triples_total: int = 0


def corner_coverage(case: Case, dtype: str, examples: Iterable[Example], *, triples: bool = True) -> CornerCoverage:
    """The coverage of these examples. A value between the corners counts for nothing.

    Where bounds leave a size fewer corners, its last corner counts for those that it stands for.
    """
    free = factors(case, dtype)
    owner = np.repeat(np.arange(len(free)), [factor.count for factor in free])
    rows = [_hits(case, free, example) for example in examples]
    hits = np.array(rows, dtype=bool).reshape(len(rows), len(owner))
    pairs = (owner[:, None] < owner[None, :]) & _together(hits)
    counts = [factor.count for factor in free]
    pairs_total, triples_total = _totals(counts)
    if not triples:
        return CornerCoverage(int(pairs.sum()), pairs_total)
    return CornerCoverage(int(pairs.sum()), pairs_total, _triples(hits, owner), triples_total)


def _together(hits: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Which two corners some row holds both of."""
    as_float = hits.astype(np.float32)  # a matrix product of floats runs in BLAS, one of booleans does not
    together: npt.NDArray[np.bool_] = (as_float.T @ as_float) > 0
    return together


def _triples(hits: npt.NDArray[np.bool_], owner: npt.NDArray[np.intp]) -> int:
    """For each corner, the pairs of later factors' corners in the rows that hold it."""
    count = 0
    for corner, factor in enumerate(owner):
        later = owner > factor
        rest = owner[later]
        both = _together(hits[hits[:, corner]][:, later])
        count += int((both & (rest[:, None] < rest[None, :])).sum())
    return count


def _totals(counts: list[int]) -> tuple[int, int]:
    """The elementary symmetric sums of degree two and three of the numbers of corners."""
    singles = pairs = triples = 0
    for count in counts:
        triples += pairs * count
        pairs += singles * count
        singles += count
    return pairs, triples


def _hits(case: Case, free: tuple[Factor, ...], example: Example) -> list[bool]:
    """For every corner of every factor, whether the example has it."""
    domains = _size_domains(case, example)
    row: list[bool] = []
    for factor in free:
        allowed = domains[factor.name] if factor.domain is None else factor.domain
        value = _value(factor, example)
        row.extend(_equal(allowed.corner(index), value) for index in range(factor.count))
    return row


def _size_domains(case: Case, example: Example) -> dict[str, Domain]:
    return {size.name: domain_of(case, size, example.sizes) for size in case.sizes}


def _value(factor: Factor, example: Example) -> Any:
    if factor.kind == "size":
        value = example.sizes[factor.name]
        return value if factor.position < 0 else value[factor.position]
    return example.layouts.get(factor.name) if factor.kind == "layout" else getattr(example, factor.kind)


def _equal(corner: Any, value: Any) -> bool:
    return type(corner) is type(value) and bool(corner == value)
