"""JSON that somebody else may have written, read within limits."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Final

Collection = list[object] | dict[str, object]

DEEPEST_JSON: Final = 100
"""How deep lists and mappings may lie in one another; an example and a record come to less than ten."""

LEAST_INT64: Final = -(2**63)
LARGEST_INT64: Final = 2**63 - 1
"""The whole numbers that PyTorch takes as sizes and as arguments."""

_TOO_DEEP: Final = f"nested too deeply to be read: more than {DEEPEST_JSON} lists and mappings in one another"


def parse_json(text: str) -> object:
    """What a JSON text says; NaN, Infinity and -Infinity are numbers.

    Raises ValueError for what is no JSON, is nested more than `DEEPEST_JSON` deep, or has a whole number of more than
    64 bits.
    """
    try:
        data: object = json.loads(text, parse_int=_whole_number)
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error}") from None
    except RecursionError:
        raise ValueError(_TOO_DEEP) from None
    if _is_too_deep(data):
        raise ValueError(_TOO_DEEP)
    return data


def count_values(data: object) -> int:
    """How many values there are in what `parse_json` gave, itself included."""
    count, level = 1, _collections((data,))
    while level:
        parts = [value.values() if isinstance(value, dict) else value for value in level]
        count += sum(map(len, parts))
        level = [part for values in parts for part in _collections(values)]
    return count


def _whole_number(digits: str) -> int:
    """The number of these digits. Raises ValueError for one of more than 64 bits."""
    if len(digits) > len(str(LEAST_INT64)) or not LEAST_INT64 <= int(digits) <= LARGEST_INT64:
        raise ValueError(f"the whole number {digits[:20]}{'...' * (len(digits) > 20)} has more than 64 bits")
    return int(digits)


def _is_too_deep(data: object) -> bool:
    """Whether collections lie in one another more than `DEEPEST_JSON` deep, looked at level by level."""
    level = _collections((data,))
    for _ in range(DEEPEST_JSON):
        level = [part for value in level for part in _collections(value.values() if isinstance(value, dict) else value)]
    return bool(level)


def _collections(values: Iterable[object]) -> list[Collection]:
    return [value for value in values if isinstance(value, list | dict)]
