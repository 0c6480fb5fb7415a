"""Tiny examples in which every dimension is still larger than 1: for what costs as much as it has elements."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core import Example
from harness.generation.shapes import legalise
from harness.generation.sizes import UnsatisfiableError
from harness.generation.space import factors

if TYPE_CHECKING:
    from harness.core import Case, Size

TARGETS = {"batch": 2, "channels": 2, "spatial": 3}
"""The nearest legal sizes are taken."""


def gradcheck_examples(case: Case, dtype: str) -> list[Example]:
    """Two of them: the simplest of all other choices, and the second simplest of each where that goes together.

    The numbers are `reals`, which lie on no kink and tie in no maximum; tensors that may be channels-last are.
    """
    examples: list[Example] = []
    for rank in (0, 1):
        try:
            sizes = legalise(case, {size.name: _target(size, rank) for size in case.sizes})
        except UnsatisfiableError:
            continue
        example = Example(case.id, dtype, sizes, _layouts(case, dtype), fill="reals", seed=rank)
        examples += [example] if not examples or sizes != examples[0].sizes else []
    return examples


def _target(size: Size, rank: int) -> Any:
    value: Any = size.choices[min(rank, len(size.choices) - 1)] if size.choices else TARGETS.get(size.kind, rank + 1)
    return (value,) * size.length if size.length else value


def _layouts(case: Case, dtype: str) -> dict[str, str]:
    offers = {factor.name: factor.domain for factor in factors(case, dtype) if factor.kind == "layout"}
    return {
        name: "channels_last" if domain and "channels_last" in domain.values else "contiguous"
        for name, domain in offers.items()
    }
