"""Files that declare models: ``models:`` in place of ``cases:``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.core import Size
from harness.models.model import InputSpec, Model
from harness.models.schema import InputSchema, ModelDefaultsSchema, ModelSchema, ModelSuiteSchema
from harness.suites import (
    PLACEHOLDER,
    ArgumentReader,
    DeclarationError,
    Document,
    Examination,
    LayeredEntry,
    Location,
    Report,
    Scope,
    SizeEntry,
    WordsSchema,
    build_shape,
    build_size,
    is_dotted,
    is_name,
    repair_entries,
    validate_part,
)

COPIED: Final = (
    "steps", "runners", "precisions", "conversions", "frozen", "watch", "requires", "seeded", "draws", "profile",
)  # fmt: skip
"""The keys of a model that are its fields as they are."""


@dataclass(frozen=True)
class ModelSuite:
    """What one file declares. `models` are in the order of the file."""

    path: Path
    name: str
    about: str
    models: tuple[Model, ...]


def build_models(document: Document) -> ModelSuite:
    """The models of a document, whose ids begin with its shown name.

    Raises DeclarationError with every mistake in it.
    """
    examination = examine_models(document)
    examination.raise_if_any()
    return ModelSuite(document.path, document.data["suite"], document.data.get("about", ""), examination.sound)


def examine_models(document: Document) -> Examination[Model]:
    """The models of a document that have no mistake, and all mistakes of the others and of the document itself."""
    report = Report(document)
    try:
        sound = tuple(_sound_models(document, report))
    except DeclarationError as error:
        return Examination((), error.mistakes, is_complete=error.is_complete)
    return Examination(sound, tuple(report.mistakes))


def _sound_models(document: Document, report: Report) -> Iterator[Model]:
    """The models without a mistake; all mistakes go to the report, which raises DeclarationError for too many."""
    validate_part(report, ModelSuiteSchema, document.data)
    report.next_look()
    lines: dict[str, int] = {}
    suite = str(document.data.get("suite", "")) if isinstance(document.data, dict) else ""
    for key, repaired, defaults in repair_entries(document, "models", ModelSchema, ModelDefaultsSchema):
        entry = _Entry(key, repaired.schema, defaults.schema, report, wrong=repaired.wrong | defaults.wrong)
        is_sound = repaired.is_whole and defaults.is_whole and not report.has_mistake_in(entry.location, ("defaults",))
        attempts = report.attempts
        models = list(_models(entry, lines, suite))
        if is_sound and report.attempts == attempts:
            yield from models


@dataclass(frozen=True)
class _Entry(LayeredEntry):
    """A model over the file's defaults, and where its mistakes go."""

    section = "models"
    schema: ModelSchema
    defaults: ModelDefaultsSchema
    report: Report


def _models(entry: _Entry, lines: dict[str, int], suite: str) -> Iterator[Model]:
    """The models of one entry; one whose name is taken, with the line that is in `lines`, is a mistake."""
    report, fields = entry.report, _shared_fields(entry)
    for name, at, is_key in _names(entry):
        line, column = report.positions.key(at) if is_key else report.positions.at(at)
        if name in lines:
            report.add(at, f"a model is already called {name!r}, on line {lines[name]}", key=is_key)
        lines.setdefault(name, line)
        factory = entry.schema.factory.replace(PLACEHOLDER, name)
        yield Model(f"{report.document.name}::{name}", name, suite, line, factory, column=column, **fields)


def _names(entry: _Entry) -> Iterator[tuple[str, Location, bool]]:
    """Name and place of each model of an entry, and whether that place is a key."""
    names, at = entry.schema.names, entry.location
    if entry.is_wrong("names"):
        return
    if names is None:
        if not is_name(entry.key):
            entry.report.add(at, f"{entry.key!r} is not a name for a model; use letters, digits, _, . and -", key=True)
        if not is_dotted(entry.schema.factory) and not entry.is_wrong("factory"):
            message = f"{entry.schema.factory!r} is not a dotted name, such as torchvision.models.resnet18"
            entry.report.add((*at, "factory"), message)
        yield entry.key, at, True
        return
    if PLACEHOLDER not in entry.schema.factory and not entry.is_wrong("factory"):
        message = "a family with names: needs '{name}' in its factory, such as torchvision.models.{name}"
        entry.report.add((*at, "factory"), message)
    for index, name in enumerate(names):
        yield name, (*at, "names", index), False


def _shared_fields(entry: _Entry) -> dict[str, Any]:
    """The fields that the models of an entry have in common."""
    scope = Scope(entry.report, entry.key, tuple(entry.get("sizes")))
    reader = _FactoryReader(scope)
    sizes = [_size(name, schema, scope, entry) for name, schema in entry.get("sizes").items()]
    arguments = {
        name: reader.read(argument, entry.at("arguments", name)) for name, argument in entry.get("arguments").items()
    }
    _check_runners(entry)
    return {
        **{field: entry.get(field) for field in COPIED},
        "sizes": tuple(size for size in sizes if size is not None),
        "inputs": tuple(_inputs(entry, scope)),
        "arguments": arguments,
    }


def _check_runners(entry: _Entry) -> None:
    """A program that was traced or exported is one of evaluation: its training mode is not the module's."""
    fixed_mode = {"script", "trace", "export"} & set(entry.get("runners"))
    if fixed_mode and "train" in entry.get("steps") and not entry.is_wrong("steps"):
        message = f"{', '.join(sorted(fixed_mode))} run in evaluation only; write steps: [eval], or a model of its own"
        entry.report.add(entry.at("runners"), message)


def _size(name: str, schema: SizeEntry, scope: Scope, entry: _Entry) -> Size | None:
    if entry.is_wrong("sizes", name):
        scope.draw(name, None)
        return None
    at = entry.at("sizes", name)
    size = build_size(name, schema, scope, at)
    if size is not None and (size.kind not in ("choice", "range") or size.length):
        scope.report.add(at, f"{name!r} of a model is a list of choices or a range such as 1..5")
        return None
    return size


def _inputs(entry: _Entry, scope: Scope) -> Iterator[InputSpec]:
    inputs: Mapping[str, InputSchema] = entry.get("inputs")
    if not inputs:
        entry.report.add(entry.location, f"{entry.key!r} has no inputs; it needs at least one", key=True)
    for name, schema in inputs.items():
        shape = build_shape(schema.shape, scope, entry.at("inputs", name, "shape"))
        extents = tuple(extent for extent in shape if extent is not None)
        yield InputSpec(name, extents, schema.layout == "channels_last", schema.dtype, schema.most)


class _FactoryReader(ArgumentReader):
    """Reads the arguments of a factory: no tensor is among them, and nothing of torch's."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope, ())

    def words(self, written: WordsSchema, at: Location) -> str | None:
        """The text; a name of torch's, which never reaches a factory, is a mistake."""
        if written.torch is not None:
            message = "{torch: ...} is no argument of a factory; write one that looks {text: ...} up in torch"
            self.scope.report.add((*at, "torch"), message, key=True)
        elif written.text is None and not self.scope.report.has_wrong_key(at):
            self.scope.report.add(at, "this says nothing; give {text: ...}, which is passed as it is")
        return written.text
