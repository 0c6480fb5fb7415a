"""From a case over images to the case of the same operator over volumes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from harness.core import Case, Expression, Size
from harness.suites.entry import Entry
from harness.suites.scope import Scope
from harness.suites.sizes import build_size

DEPTH: Final = "D"
FLAT: Final = Size(DEPTH, "choice", (1,))
"""The depth of an image, so that one condition can speak of both cases."""

_SUFFIX: Final = "_3d"
_HEIGHT: Final = 2
_NAMED_HEIGHT: Final = re.compile(r"\bH\b")


def names_with_depth(name: str) -> tuple[str, str]:
    """The names of a case over images and of the same over volumes."""
    return name, name + _SUFFIX


def build_depth(entry: Entry, scope: Scope) -> Size | None:
    """The size that `depth` declares, D drawn in `scope`; None without it, and where it is mistaken."""
    written = entry.get("depth")
    if entry.is_wrong("depth"):
        scope.draw(DEPTH, None)
    if written is None:
        return None
    if DEPTH in entry.get("sizes"):
        message = f"{DEPTH!r} is a size of {entry.key!r} already; remove it, or write depth: null"
        scope.report.add(entry.at("depth"), message)
        return None
    size = build_size(DEPTH, written, Scope(scope.report, entry.key, (DEPTH,)), entry.at("depth"))
    scope.draw(DEPTH, 1)
    return size


def with_depth(case: Case, depth: Size | None) -> Iterator[Case]:
    """The case, and where `depth` is given ``<name>_3d``, the same over volumes. Images have a depth D of 1."""
    if depth is None:
        yield case
        return
    yield replace(case, sizes=(FLAT, *case.sizes))
    yield replace(
        case,
        id=case.id + _SUFFIX,
        name=case.name + _SUFFIX,
        sizes=(depth, *case.sizes),
        tensors=tuple(replace(spec, shape=_with_depth(spec.shape)) for spec in case.tensors),
        result=None if case.result is None else _with_depth(case.result),
    )


def _with_depth(shape: tuple[Expression, ...]) -> tuple[Expression, ...]:
    """An image gets its depth before its height, written alike: `H if kept else 1` has a depth of the same kind."""
    if len(shape) != len("NCHW"):
        return shape
    depth = Expression.parse(_NAMED_HEIGHT.sub(DEPTH, shape[_HEIGHT].text))
    return (*shape[:_HEIGHT], depth, *shape[_HEIGHT:])
