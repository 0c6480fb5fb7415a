"""What the record of the run before says of time."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, Self

from harness.core.json_text import parse_json
from harness.core.text_file import read_text_file
from harness.errors import UserError
from harness.profiles import Profile
from harness.reporting import Record

_DEPTH: Final = ("strength", "rows", "random", "saved_only")
"""What of a profile says how many examples an item has."""


@dataclass(frozen=True)
class LastRun:
    """The seconds that each item took, by its node id, and of how many examples (`depth`) at which `levels`."""

    seconds: Mapping[str, float] = field(default_factory=dict)
    depth: Mapping[str, object] = field(default_factory=dict)
    levels: frozenset[str] = frozenset()

    @classmethod
    def of(cls, record: Record) -> Self:
        """What a record that has been read says."""
        seconds = {name: item.seconds for name, item in record.items.items()}
        return cls(seconds, _depth(record.run.model_dump()), frozenset(record.levels))

    def is_like(self, profile: Profile, levels: Collection[str]) -> bool:
        """Whether an item of a run with that profile and these levels (none: not known yet) has as much to do."""
        return self.depth == _depth(asdict(profile)) and (not levels or self.levels == frozenset(levels))


def read_last_run(path: Path) -> LastRun:
    """What a record says, of which nothing else is looked at: to check all of it takes long. Nothing of no record."""
    try:
        record = parse_json(read_text_file(path))
    except (UserError, ValueError):
        return LastRun()
    parts = record if isinstance(record, dict) else {}
    seconds = {name: item.get("seconds") for name, item in _part_of(parts, "items").items() if isinstance(item, dict)}
    return LastRun(
        {name: float(value) for name, value in seconds.items() if isinstance(value, int | float)},
        _depth(_part_of(parts, "run")),
        frozenset(_part_of(parts, "levels")),
    )


def _part_of(record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """A part of a record that has to be a mapping."""
    part = record.get(name)
    return part if isinstance(part, dict) else {}


def _depth(run: Mapping[str, object]) -> dict[str, object]:
    return {name: run.get(name) for name in _DEPTH}
