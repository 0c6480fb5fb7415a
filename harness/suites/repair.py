"""What can be judged of an entry that does not fit its schema: what is wrong in it makes room for a stand-in.

A file is looked at twice: for its form, then for its meaning. So that a mistake of form hides none of meaning that can
be judged without it, the second look is at the entry with the wrong part left out, and knows which part that was.
"""

from __future__ import annotations

import copy
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from harness.errors import nearest
from harness.suites.document import Document
from harness.suites.mistakes import MOST_MISTAKES
from harness.suites.positions import Location
from harness.suites.validation import SchemaT

DefaultsT = TypeVar("DefaultsT", bound=BaseModel)

Part = tuple[int | str, ...]
"""A field of an entry, or something in it: ``("numerics",)``, ``("sizes", "N")``."""

STAND_INS: Final[Mapping[str, Any]] = {
    "sizes": "spatial",
    "tensors": {"shape": []},
    "inputs": {"shape": []},
    "arguments": None,
    "init": None,
    "examples": {"why": "a stand-in"},
}
"""Fields of which one part can be wrong and the rest be judged, and what fits in the place of that part."""

_NAMES: Final = ("sizes", "tensors", "inputs")
"""Without these nobody can tell which names the rest may use: an entry where one of them is wrong is not judged."""

_REQUIRED: Final[Mapping[str, Any]] = {"factory": "a.stand_in"}
"""Fields that an entry must have, and what fits in their place."""

_ROUNDS: Final = 2
"""What is wrong shows at once, but for what a key that is left out has hidden."""


@dataclass(frozen=True)
class Repair(Generic[SchemaT]):
    """An entry that fits its schema. `wrong` are the parts that are not as written, `is_whole`: it had no mistake."""

    schema: SchemaT
    wrong: frozenset[Part]
    is_whole: bool


def repair(schema: type[SchemaT], data: Any) -> Repair[SchemaT] | None:
    """`data` as `schema`: unknown keys and wrong fields left out, wrong parts replaced; None where that is not enough.

    A key that was misspelt counts as its field, which is wrong then.
    """
    part, wrong = copy.deepcopy(data), set[Part]()
    for round_ in range(_ROUNDS + 1):
        try:
            checked = schema.model_validate(part)
        except ValidationError as error:
            if not isinstance(part, dict):
                return None
            for detail in error.errors(include_url=False)[: 2 * MOST_MISTAKES]:
                wrong |= _replace(part, detail, schema.model_fields)
        else:
            is_nameless = any((name,) in wrong for name in _NAMES)
            return None if is_nameless else Repair(checked, frozenset(wrong), is_whole=not round_)
    return None


def repair_entries(
    document: Document, section: str, entry: type[SchemaT], defaults: type[DefaultsT]
) -> Iterator[tuple[str, Repair[SchemaT], Repair[DefaultsT]]]:
    """Key, entry and the file's defaults of each entry below `section` whose meaning can be judged."""
    data = document.data if isinstance(document.data, dict) else {}
    shared, entries = repair(defaults, data.get("defaults", {})), data.get(section)
    if shared is None or not isinstance(entries, dict):
        return
    for key, written in entries.items():
        if (repaired := repair(entry, written)) is not None:
            yield key, repaired, shared


def _replace(part: dict[str, Any], detail: ErrorDetails, fields: Collection[str]) -> set[Part]:
    """Put what fits in the place of a mistake, whose tags of unions begin as no key does; which parts that changes."""
    place = [step for step in detail["loc"] if not str(step).startswith("<")]
    field = str(place[0]) if place else ""
    if detail["type"] == "extra_forbidden":
        _remove(part, place)
        meant = nearest(field, fields) if len(place) == 1 else ""
        return {(meant,)} if meant and meant not in part else set()
    if field in STAND_INS and len(place) > 1 and _holds(part.get(field), place[1]):
        part[field][place[1]] = copy.deepcopy(STAND_INS[field])
        return {(field, place[1])}
    part.pop(field, None)
    if field in _REQUIRED:
        part[field] = _REQUIRED[field]
    return {(field,)}


def _holds(container: Any, step: int | str) -> bool:
    """Whether a mapping has that key, or a list that place."""
    if isinstance(container, list):
        return isinstance(step, int) and step < len(container)
    return isinstance(container, dict) and step in container


def _remove(data: Any, place: Location) -> None:
    """Remove a key, unless what held it was replaced already."""
    *above, last = place
    for step in above:
        if not _holds(data, step):
            return
        data = data[step]
    if isinstance(data, dict):
        data.pop(last, None)
