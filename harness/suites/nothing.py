"""From a case to the case of the same operator with nothing in it: one size after the other is 0."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Final

from harness.core import Case, Expression, Size
from harness.suites.entry import Entry
from harness.suites.mistakes import suggestion
from harness.suites.names import is_dotted
from harness.suites.schema import EmptySchema
from harness.suites.scope import Scope
from harness.suites.sizes import DISTRIBUTIONS

EMPTY: Final = "_empty"
NOTHING: Final = "nothing"
"""The size that says which of the others is 0."""

EVERY: Final = "all"
"""Its value where all of them are."""

_MORE: Final = 2
"""How much larger than its least value a size is drawn: what is beside nothing can be small."""


@dataclass(frozen=True)
class EmptySizes:
    """The sizes of a case that may be 0, and what the float64 reference runs then (None: what it runs else)."""

    names: tuple[str, ...]
    reference: str | None = None


def build_empty(entry: Entry, scope: Scope) -> EmptySizes | None:
    """What `empty` declares; None without it, and where it is mistaken."""
    written = entry.get("empty")
    if written is None or entry.is_wrong("empty"):
        return None
    schema = written if isinstance(written, EmptySchema) else EmptySchema(sizes=written)
    at = entry.at("empty") if schema is not written else entry.at("empty", "sizes")
    attempts = scope.report.attempts
    sizes = entry.get("sizes")
    for index, name in enumerate(schema.sizes):
        if name not in sizes and not entry.is_wrong("sizes"):
            tail = suggestion(name, tuple(sizes), otherwise="its sizes are")
            scope.report.add((*at, index), f"{name!r} is not a size of {entry.key!r}{tail}")
    if entry.get("result") is None and not entry.is_wrong("result"):
        message = f"{entry.key!r} needs result: [...]: what has nothing in it is judged by the shape that this gives"
        scope.report.add(entry.at("empty"), message)
    if schema.reference is not None and not is_dotted(schema.reference):
        message = f"{schema.reference!r} is not a dotted name, such as torch.nn.functional.conv2d"
        scope.report.add(entry.at("empty", "reference"), message)
    return EmptySizes(schema.sizes, schema.reference) if scope.report.attempts == attempts else None


def empty_case(case: Case, empty: EmptySizes | None) -> Iterator[Case]:
    """Where `empty` is given ``<name>_empty``, in which one of those sizes, or all of them, is 0.

    Only sizes that are drawn as batch, channels or spatial can be. An output of one number is no reason for distrust:
    a sum of nothing is 0 everywhere.
    """
    names = tuple(size.name for size in case.sizes if empty and size.name in empty.names and _has_least(size))
    if empty is None or not names:
        return
    which = Size(NOTHING, "choice", names if len(names) == 1 else (*names, EVERY))
    yield replace(
        case,
        id=case.id + EMPTY,
        name=case.name + EMPTY,
        sizes=(which, *(_small_size(size, may_be_none=size.name in names) for size in case.sizes)),
        numerics=replace(case.numerics, constant=True),
        reference=empty.reference or case.reference,
        paths=(),
        unsupported=(),
        examples=(),
        is_empty=True,
    )


def _has_least(size: Size) -> bool:
    return size.kind in DISTRIBUTIONS and not size.length


def _small_size(size: Size, *, may_be_none: bool) -> Size:
    """A size of little more than its least value, or 0 where it is the one."""
    if not _has_least(size):
        return size
    low = "1" if size.low is None else f"max(1, {size.low.text})"
    bounds = (low, f"{low} + {_MORE}")
    if may_be_none:
        bounds = tuple(f"0 if {NOTHING} in ({size.name!r}, {EVERY!r}) else {bound}" for bound in bounds)  # type: ignore[assignment] # two
    return Size(size.name, "range", low=Expression.parse(bounds[0]), high=Expression.parse(bounds[1]))
