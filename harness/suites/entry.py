"""One entry of a file over the file's defaults: each value, and where it was written."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, ClassVar

from harness.suites.positions import Location
from harness.suites.repair import Part
from harness.suites.schema import CaseSchema, DefaultsSchema
from harness.suites.validation import StrictSchema


@dataclass(frozen=True)
class LayeredEntry:
    """An entry as written below `section`. A key that it does not have is the defaults', and so is its place.

    `wrong` are the parts of it and of the defaults that are not as written, because their form is wrong.
    """

    section: ClassVar[str]
    key: str
    schema: StrictSchema
    defaults: StrictSchema
    wrong: frozenset[Part] = field(default=frozenset(), kw_only=True)

    @property
    def location(self) -> Location:
        """Where the entry itself is."""
        return (self.section, self.key)

    def get(self, field: str) -> Any:
        """The value of a key."""
        return getattr(self._owner(field), field)

    def has(self, field: str) -> bool:
        """Whether the key was written, here or in the defaults."""
        return field in self._owner(field).model_fields_set

    def is_wrong(self, *part: int | str) -> bool:
        """Whether a part is not as it was written, or stands in a field that is left out, or holds such a part."""
        return any(wrong[: len(part)] == part[: len(wrong)] for wrong in self.wrong)

    def at(self, field: str, *below: int | str) -> Location:
        """Where the value of a key, or something in it, was written."""
        above: Location = self.location if self._owner(field) is self.schema else ("defaults",)
        return (*above, field, *below)

    def _owner(self, field: str) -> StrictSchema:
        is_written = field in self.schema.model_fields_set or (field,) in self.wrong
        return self.defaults if not is_written and field in self.defaults.model_fields_set else self.schema


@dataclass(frozen=True)
class Entry(LayeredEntry):
    """A case over the suite's defaults."""

    section = "cases"
    schema: CaseSchema
    defaults: DefaultsSchema
