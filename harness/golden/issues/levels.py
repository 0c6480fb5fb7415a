"""ISA levels as a known issue names them: by their partial order, so that a new level is one entry in `isa.yaml`."""

from __future__ import annotations

import functools
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from harness.core import Level
from harness.suites import suggestion

ALL: Final = "all"
"""Every level of every architecture."""

_COMPARISON: Final = re.compile(r"(not +)?(>=|<=|<|>) *(\S+)")


def resolve_levels(text: str | Sequence[str], levels: Sequence[Level]) -> tuple[str, ...]:
    """The names of the levels meant by ``all``, by comparisons such as ``>= avx2, not >= avx512_core``, or by a list.

    ``< avx2`` are the levels below avx2 in the partial order; a level that can do neither less nor more is in neither.
    ``not < avx2`` is every other level of avx2's architecture. Raises ValueError that says what is wrong.
    """
    below = _lower_levels(tuple(levels))
    if text == ALL:
        return tuple(below)
    if not isinstance(text, str):
        for name in text:
            _check_name(name, below)
        return tuple(name for name in below if name in text)
    architectures = {level.name: level.architecture for level in levels}
    meant = [_compared_levels(part.strip(), below, architectures) for part in text.split(",")]
    return tuple(name for name in below if all(name in group for group in meant))


def phrase_levels(failing: Collection[str], ran: Collection[str], levels: Sequence[Level]) -> str | tuple[str, ...]:
    """The shortest text, or else the list, that `resolve_levels` reads as `failing`, as far as the levels `ran`.

    A level that did not run is taken to do as the nearest below it that did: it is claimed where a comparison with a
    level that ran implies it, and ``all`` only where the lowest level of an architecture is among those that ran.
    """
    order = [level.name for level in levels]
    starts = [name for name in order if name in failing]
    ends = [name for name in order if name in ran and name not in failing]
    lowest = {level.name for level in levels if not level.above}
    texts = [
        *([ALL] if lowest & set(ran) else []),
        *(f">= {start}" for start in starts),
        *(f"< {end}" for end in ends),
        *(f"not >= {end}" for end in ends),
        *(f">= {start}, not >= {end}" for start in starts for end in ends),
    ]
    fits = (text for text in texts if set(resolve_levels(text, levels)) & set(ran) == set(failing))
    return next(fits, tuple(starts))


def describe_levels(cells: Collection[str], levels: Sequence[Level]) -> str:
    """The shortest text that `resolve_levels` reads as these levels; a list of them where no comparison says it."""
    phrase = phrase_levels(cells, {level.name for level in levels}, levels)
    return phrase if isinstance(phrase, str) else ", ".join(phrase)


def _compared_levels(text: str, below: Mapping[str, frozenset[str]], architectures: Mapping[str, str]) -> set[str]:
    comparison = _COMPARISON.fullmatch(text)
    if comparison is None:
        raise ValueError(
            f"{text!r} is none of: all, >= LEVEL, > LEVEL, <= LEVEL, < LEVEL, not < LEVEL, a list of levels"
        )
    negated, sign, name = comparison.groups()
    _check_name(name, below)
    lower = set(below[name]) if sign.startswith("<") else {other for other, levels in below.items() if name in levels}
    meant = lower | ({name} if sign.endswith("=") else set())
    same = {other for other in below if architectures[other] == architectures[name]}
    return same - meant if negated else meant


def _check_name(name: str, known: Iterable[str]) -> None:
    if name not in known:
        raise ValueError(f"there is no level {name!r}{suggestion(name, sorted(known))}")


@functools.cache
def _lower_levels(levels: tuple[Level, ...]) -> Mapping[str, frozenset[str]]:
    """Level → every level that is below it, directly or not. Each known issue asks, and the levels are few."""
    above = {level.name: level.above for level in levels}

    def lower(name: str) -> frozenset[str]:
        """Those below one level."""
        return frozenset(above.get(name, ())).union(*(lower(other) for other in above.get(name, ())))

    return {name: lower(name) for name in above}
