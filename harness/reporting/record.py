"""The record of a run: one JSON document, of which everything printed is a view."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.errors import UserError

SCHEMA: Final = 1
"""Raised by one whenever a field changes its meaning or goes away."""


@dataclass
class Record:
    """Header, levels and the outcome of every item, in the order of their ids whatever the order they came in."""

    header: list[str] = field(default_factory=list)
    build: dict[str, str] = field(default_factory=dict)
    run: dict[str, Any] = field(default_factory=dict)
    levels: dict[str, dict[str, str]] = field(default_factory=dict)
    outcomes: dict[str, dict[str, Any]] = field(default_factory=dict)

    def open(self, header: Sequence[str], build: dict[str, str], run: dict[str, Any], levels: dict[str, Any]) -> None:
        """What is known before the first item runs."""
        self.header, self.build, self.run, self.levels = list(header), build, run, levels

    def prepare(self, path: Path) -> None:
        """Make the directories, and find out now rather than after the run whether the file can be written.

        Raises UserError.
        """
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.open("a").close()
        except OSError as error:
            raise UserError(f"the record {path} cannot be written: {error.strerror}") from None

    def add(self, item: str, outcome: dict[str, Any]) -> None:
        """The outcome of one item, by its node id."""
        self.outcomes[item] = outcome

    def as_json(self) -> dict[str, Any]:
        """The document. The same run gives the same document but for the `seconds`."""
        return {
            "schema": SCHEMA,
            "build": self.build,
            "run": self.run,
            "levels": self.levels,
            "items": {item: self.outcomes[item] for item in sorted(self.outcomes)},
        }

    def write(self, path: Path) -> None:
        """Write the document; directories are made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.as_json(), indent=1, allow_nan=False) + "\n", "utf-8")

    @property
    def sorted(self) -> list[dict[str, Any]]:
        """The outcomes by item id."""
        return [self.outcomes[item] for item in sorted(self.outcomes)]

    @property
    def cases(self) -> list[dict[str, Any]]:
        """The outcomes of operators."""
        return [outcome for outcome in self.sorted if "case" in outcome]

    @property
    def models(self) -> list[dict[str, Any]]:
        """The outcomes of models."""
        return [outcome for outcome in self.sorted if "model" in outcome]

    @property
    def cells(self) -> list[str]:
        """The levels that ran, lowest first."""
        return [name for name, level in self.levels.items() if level["state"] == "run"]


def total(counts: Iterable[dict[str, int]]) -> Counter[str]:
    """The sum of several counts."""
    summed: Counter[str] = Counter()
    for count in counts:
        summed.update(count)
    return summed
