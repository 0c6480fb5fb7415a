"""Covering arrays: few rows in which every two, three or four columns hold every combination of their values."""

from __future__ import annotations

import contextlib
import json
import os
from functools import cache
from importlib.metadata import version
from itertools import product
from typing import TYPE_CHECKING

import covertable

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path


def load_covering_array(counts: tuple[int, ...], strength: int, directory: Path | None) -> tuple[tuple[int, ...], ...]:
    """The covering array, from a file of `directory` where that has it; one that cannot be read is made again."""
    if directory is None:
        return covering_array(counts, strength)
    file = directory / f"{strength}-{'.'.join(map(str, counts))}-{version('covertable')}.json"
    with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
        kept = tuple(tuple(row) for row in json.loads(file.read_text("ascii")))
        if kept and all(_is_row(row, counts) for row in kept):
            return kept
    rows = covering_array(counts, strength)
    with contextlib.suppress(OSError):  # it is made again the next time
        directory.mkdir(parents=True, exist_ok=True)
        unfinished = file.with_suffix(f".{os.getpid()}")  # another process may be making the same
        unfinished.write_text(json.dumps(rows, separators=(",", ":")), "ascii")
        unfinished.replace(file)
    return rows


def _is_row(row: tuple[object, ...], counts: tuple[int, ...]) -> bool:
    """Whether it has an index for each column."""
    columns = zip(row, counts, strict=False)
    return len(row) == len(counts) and all(isinstance(index, int) and 0 <= index < count for index, count in columns)


@cache
def covering_array(counts: tuple[int, ...], strength: int) -> tuple[tuple[int, ...], ...]:
    """Rows in which every `strength` columns hold every combination of values; column i has counts[i] values.

    Factors of one value do not take part; the row of zeros, all at their simplest, is always there.
    """
    several = [index for index, count in enumerate(counts) if count > 1]
    if len(several) <= strength:
        rows: Iterable[Sequence[int]] = product(*(range(counts[index]) for index in several))
    else:
        rows = covertable.make([list(range(counts[index])) for index in several], strength=strength)
    full = [dict(zip(several, row, strict=True)) for row in rows]
    zeros = (0,) * len(counts)
    return tuple(dict.fromkeys([zeros, *(tuple(row.get(i, 0) for i in range(len(counts))) for row in full)]))
