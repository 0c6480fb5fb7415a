"""A minimal example made larger again, each kind of size to a number at which patterns show."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from harness.core import Case, Example
from harness.core.case import SizeKind
from harness.generation.shapes import coordinates, legalise, scalar, with_values, within_budget
from harness.generation.sizes import UnsatisfiableError

CHANNELS: Final = 31
"""One less than a multiple of every block up to 32: a rest after full blocks of 4, 8 or 16 begins at its own place."""
BATCH: Final = 3
SPATIAL: Final = (13, 7, 5)
"""The last spatial size, the one before it, and the one before that: a border of two leaves something within."""
_LARGE_KINDS: Final[tuple[tuple[SizeKind, ...], ...]] = (
    ("channels", "spatial", "batch"),
    ("spatial", "batch"),
    ("channels", "batch"),
    ("channels",),
    ("spatial",),
    ("batch",),
)
"""Which kinds of sizes are made larger, all of them first."""


def enlarged_examples(case: Case, example: Example) -> Iterator[Example]:
    """The example with larger channels, images and batches, the largest first; everything else stays as it is."""
    tried = [dict(example.sizes)]
    for kinds in _LARGE_KINDS:
        try:
            sizes = within_budget(case, legalise(case, _large_sizes(case, example, kinds)))
        except UnsatisfiableError:
            continue
        if sizes not in tried:
            tried.append(sizes)
            yield example.but(sizes=sizes)


def _large_sizes(case: Case, example: Example, kinds: tuple[SizeKind, ...]) -> dict[str, object]:
    """The sizes with those of these kinds as large as they are to be, legal or not; none is made smaller."""
    by_name = {size.name: size.kind for size in case.sizes}
    spatial = [at for at in coordinates(case) if by_name[at[0]] == "spatial"][::-1]
    targets = {at: CHANNELS if by_name[at[0]] == "channels" else BATCH for at in coordinates(case)}
    targets |= {at: SPATIAL[index % len(SPATIAL)] for index, at in enumerate(spatial)}
    changes = {at: max(targets[at], scalar(example.sizes, at)) for at in targets if by_name[at[0]] in kinds}
    return with_values(example.sizes, changes)
