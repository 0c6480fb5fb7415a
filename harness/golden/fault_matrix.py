"""`golden/fault_matrix.json`: in which builds of PyTorch which fault shows, place by place, as it was measured."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from packaging.version import Version
from pydantic import Field

from harness.core import KnownFault, KnownIssue, PlaceReplay, PlaceState
from harness.core.text_file import is_there
from harness.suites import Items, StrictSchema, read_validated

MATRIX_FILE: Final = "golden/fault_matrix.json"
"""Where it lies below the root of a project."""


class MeasuredBuildSchema(StrictSchema):
    """What the reproducers were replayed on, and when."""

    torch: str = Field(description="The build's own version, local part included")
    onednn: str = Field(description="oneDNN's version; empty where the build has none")
    cpu: str
    levels: Items[str] = Field(description="The ISA levels that ran")
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


class PlaceReplaySchema(StrictSchema):
    """What became of one reproducer in one build."""

    state: PlaceState = Field(strict=False)
    detail: str = ""


class ShownScriptSchema(StrictSchema):
    """The script of a fault that has shown it: a digest of its text, and the release that it was run on."""

    digest: str
    release: str


class FaultMatrixSchema(StrictSchema):
    """The whole file."""

    builds: dict[str, MeasuredBuildSchema] = Field(default_factory=dict, description="By release: 2.15.0")
    faults: dict[str, dict[str, dict[str, PlaceReplaySchema]]] = Field(
        default_factory=dict, description="By the fault's id, by its place, by release"
    )
    scripts: dict[str, ShownScriptSchema] = Field(default_factory=dict, description="By the fault's id")


@dataclass
class FaultMatrix:
    """What was measured so far. `builds` and the innermost keys of `replays` are releases, such as ``2.15.0``.

    A place is kept by `place_key`, so that an entry which moves keeps what was measured of it, and one whose reproducer
    is another has nothing measured.
    """

    builds: dict[str, MeasuredBuildSchema] = field(default_factory=dict)
    replays: dict[str, dict[str, dict[str, PlaceReplay]]] = field(default_factory=dict)
    scripts: dict[str, ShownScriptSchema] = field(default_factory=dict)

    @property
    def releases(self) -> tuple[str, ...]:
        """The releases that were measured, the oldest first."""
        return tuple(sorted(self.builds, key=Version))

    def replay(self, place: KnownIssue, release: str) -> PlaceReplay | None:
        """What became of a place in a release; None where that was not measured."""
        return self.replays.get(place.id, {}).get(place_key(place), {}).get(release)

    def note(self, place: KnownIssue, release: str, replay: PlaceReplay) -> None:
        """Keep what became of a place in a release."""
        self.replays.setdefault(place.id, {}).setdefault(place_key(place), {})[release] = replay

    def shows(self, fault: str, script: str | None) -> bool:
        """Whether this very script has been run and has shown the fault of that id."""
        shown = self.scripts.get(fault)
        return script is not None and shown is not None and shown.digest == script_digest(script)

    def note_script(self, fault: str, script: str, release: str) -> None:
        """Keep that the script has shown the fault on a release."""
        self.scripts[fault] = ShownScriptSchema(digest=script_digest(script), release=release)

    def fault_state(self, fault: KnownFault, release: str) -> PlaceState | None:
        """Whether the release has the fault: at one place at least; None where no place was measured in it.

        It does not fail where a place could be run and none fails.
        """
        replays = [replay for place in fault.places if (replay := self.replay(place, release))]
        states = {replay.state for replay in replays}
        order = (PlaceState.FAILS, PlaceState.DOES_NOT_FAIL, PlaceState.NOT_AVAILABLE, PlaceState.NOT_CHECKED)
        return next((state for state in order if state in states), None)

    def forget_others(self, faults: Sequence[KnownFault]) -> None:
        """Drop what was measured of faults and places that are not there any more."""
        keys = {fault.id: {place_key(place) for place in fault.places} for fault in faults}
        self.replays = {
            name: {key: row for key, row in self.replays[name].items() if key in keys[name]}
            for name in keys
            if name in self.replays
        }
        self.scripts = {name: script for name, script in self.scripts.items() if name in keys}

    def to_json(self) -> str:
        """The file: a line for each place and release, so that a difference can be read."""
        parts = {
            "builds": [f"    {_text(release)}: {_line(self.builds[release])}" for release in self.releases],
            "faults": [
                f"    {_text(name)}: {{\n{_places_text(self.replays[name])}\n    }}" for name in sorted(self.replays)
            ],
            "scripts": [f"    {_text(name)}: {_line(self.scripts[name])}" for name in sorted(self.scripts)],
        }
        return "{{\n{}\n}}\n".format(",\n".join(_part_text(name, lines) for name, lines in parts.items()))


def script_digest(script: str) -> str:
    """What a script is known by."""
    return hashlib.sha256(script.encode()).hexdigest()[:16]


def place_key(place: KnownIssue) -> str:
    """What a place is kept by: the item of its reproducer, and a digest of what has to fail."""
    reproducer = place.reproducer
    subject = [reproducer.to_json(), place.oracle, *place.tensors, place.accumulates_in or ""]
    digest = hashlib.sha256("\n".join(subject).encode()).hexdigest()[:10]
    return f"{reproducer.case.rpartition('::')[2]}[{reproducer.dtype}] {digest}"


def load_fault_matrix(path: Path) -> FaultMatrix:
    """Read the file; empty where there is none. Raises DeclarationError with every mistake."""
    if not is_there(path):
        return FaultMatrix()
    schema, _ = read_validated(path, FaultMatrixSchema, "matrix of faults and builds")
    replays = {
        fault: {
            key: {release: PlaceReplay(entry.state, entry.detail) for release, entry in row.items()}
            for key, row in rows.items()
        }
        for fault, rows in schema.faults.items()
    }
    return FaultMatrix(dict(schema.builds), replays, dict(schema.scripts))


def _part_text(name: str, lines: Sequence[str]) -> str:
    body = ",\n".join(lines)
    return f"  {_text(name)}: {{\n{body}\n  }}" if lines else f"  {_text(name)}: {{}}"


def _places_text(rows: Mapping[str, Mapping[str, PlaceReplay]]) -> str:
    return ",\n".join(f"      {_text(key)}: {{\n{_row_text(rows[key])}\n      }}" for key in sorted(rows))


def _row_text(row: Mapping[str, PlaceReplay]) -> str:
    return ",\n".join(
        f"        {_text(release)}: {_line(PlaceReplaySchema(state=row[release].state, detail=row[release].detail))}"
        for release in sorted(row, key=Version)
    )


def _line(schema: StrictSchema) -> str:
    return json.dumps(schema.model_dump(mode="json", exclude_defaults=True), ensure_ascii=False)


def _text(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
