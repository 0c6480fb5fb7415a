"""One entry of `cases` over the suite's defaults: each value, and where it was written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from harness.declaration.models import CaseModel, Defaults
from harness.declaration.positions import Location


@dataclass(frozen=True)
class Entry:
    """A case as written. A key that the case does not have is the defaults', and so is its place."""

    key: str
    model: CaseModel
    defaults: Defaults

    @property
    def location(self) -> Location:
        """Where the entry itself is."""
        return ("cases", self.key)

    def get(self, field: str) -> Any:
        """The value of a key."""
        return getattr(self._owner(field), field)

    def has(self, field: str) -> bool:
        """Whether the key was written, here or in the defaults."""
        return field in self._owner(field).model_fields_set

    def at(self, field: str, *below: int | str) -> Location:
        """Where the value of a key, or something in it, was written."""
        above: Location = self.location if self._owner(field) is self.model else ("defaults",)
        return (*above, field, *below)

    def _owner(self, field: str) -> Defaults:
        inherited = field not in self.model.model_fields_set and field in self.defaults.model_fields_set
        return self.defaults if inherited else self.model
