"""ISA levels: `suites/isa.yaml`."""

from __future__ import annotations

import graphlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from pydantic import Field

from harness.core import Level
from harness.suites.document import read_document
from harness.suites.mistakes import suggestion
from harness.suites.validation import Items, Report, StrictSchema, validate_part

_NAME: Final = re.compile(r"[a-z][a-z0-9_]*")


class LevelSchema(StrictSchema):
    """One level."""

    about: str = Field(description="What it stands for")
    onednn: str | None = Field(description="ONEDNN_MAX_CPU_ISA; null where oneDNN has no such cap")
    aten: str = Field(description="ATEN_CPU_CAPABILITY")
    requires: Items[str] = Field(description="Every flag in /proc/cpuinfo that the CPU must have")
    above: Items[str] = Field((), description="The levels directly below this one")
    implementations: Items[str] = Field((), description="ISA names in oneDNN implementation names, new at this level")
    default: bool = Field(default=True, description="Run without being asked for by name")


class LevelsSchema(StrictSchema):
    """The whole file."""

    levels: dict[str, dict[str, LevelSchema]] = Field(min_length=1, description="Levels by architecture, then by name")


def load_levels(path: Path | str) -> tuple[Level, ...]:
    """Read the levels of all architectures, in the order of the file. Raises DeclarationError with every mistake."""
    document = read_document(path, "file of ISA levels")
    report = Report(document)
    checked = validate_part(report, LevelsSchema, document.data)
    report.next_look()
    if checked is not None:
        _check_names(checked, report)
        for architecture, levels in checked.levels.items():
            _check_order(architecture, levels, report)
    report.raise_if_any()
    assert checked is not None  # noqa: S101 - the report was empty, so the data fitted
    return tuple(
        _level(name, architecture, schema)
        for architecture, levels in checked.levels.items()
        for name, schema in levels.items()
    )


def _level(name: str, architecture: str, schema: LevelSchema) -> Level:
    return Level(
        name=name,
        architecture=architecture,
        onednn=schema.onednn,
        aten=schema.aten,
        requires=schema.requires,
        above=schema.above,
        implementations=schema.implementations,
        default=schema.default,
    )


def _check_names(checked: LevelsSchema, report: Report) -> None:
    owners: dict[str, str] = {}
    for architecture, levels in checked.levels.items():
        for name in levels:
            at = ("levels", architecture, name)
            if not _NAME.fullmatch(name):
                report.add(at, f"{name!r} is not a name for a level; use a-z, 0-9 and _", key=True)
            elif name in owners:
                report.add(at, f"{name!r} is also a level of {owners[name]}; a level is asked for by name", key=True)
            owners.setdefault(name, architecture)


def _check_order(architecture: str, levels: Mapping[str, LevelSchema], report: Report) -> None:
    for name, schema in levels.items():
        for index, below in enumerate(schema.above):
            if below not in levels:
                tail = suggestion(below, list(levels), otherwise="its levels are")
                message = f"{below!r} is not a level of {architecture}{tail}"
                report.add(("levels", architecture, name, "above", index), message)
    try:
        graphlib.TopologicalSorter({name: schema.above for name, schema in levels.items()}).prepare()
    except graphlib.CycleError as error:
        circle: list[str] = error.args[1]
        message = f"{circle[0]!r} is above itself: {' above '.join(circle[::-1])}"
        report.add(("levels", architecture, circle[0], "above"), message, key=True)
