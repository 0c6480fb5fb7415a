"""Files that declare models: ``models:`` in place of ``cases:``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from harness.core import Size
from harness.models.model import InputSpec, Model
from harness.suites import (
    PLACEHOLDER,
    Argument,
    ArgumentReader,
    Arithmetic,
    Document,
    Items,
    LayeredEntry,
    Location,
    Report,
    Scope,
    SizeEntry,
    StrictSchema,
    WordsSchema,
    build_shape,
    build_size,
    is_dotted,
    is_name,
    validate_part,
)

SCHEMA_FILE: Final = Path(__file__).with_name("models.schema.json")
"""What editors read of a file of models; `python -m harness.models` writes it."""

StepName = Literal["eval", "train"]
RunnerName = Literal["eager", "fx", "script", "trace", "export", "compile"]
PrecisionName = Literal["float32", "bfloat16"]
ConversionName = Literal["both", "model", "input"]


class InputSchema(StrictSchema):
    """One tensor that the model is called with."""

    shape: Items[Arithmetic] = Field(description="One expression for each dimension: [N, 3, H, W]")
    layout: Literal["contiguous", "channels_last"] = Field(
        "channels_last", description="contiguous: never converted; such an input is no image"
    )
    dtype: Literal["float32", "int64"] = Field("float32", description="int64 holds whole numbers from 0")
    most: int = Field(3, ge=1, description="int64: the largest number")


class ModelDefaults(StrictSchema):
    """What the models of a file share. A model overrides it key by key."""

    sizes: dict[str, SizeEntry] = Field(default_factory=dict, description="Choices and ranges, in the order of drawing")
    inputs: dict[str, InputSchema] = Field(default_factory=dict, description="Tensors the model gets, in this order")
    arguments: dict[str, Argument] = Field(default_factory=dict, description="Keyword arguments of the factory")
    steps: Items[StepName] = Field(("eval", "train"), min_length=1, description="Evaluation, a step of training")
    runners: Items[RunnerName] = Field(("eager",), min_length=1, description="The ways to run it")
    precisions: Items[PrecisionName] = Field(("float32",), min_length=1, description="bfloat16 is by autocast")
    conversions: Items[ConversionName] = Field(
        ("both", "model", "input"), min_length=1, description="What is put in channels-last"
    )
    frozen: Items[str] = Field((), description="Classes of modules that stay in evaluation mode: [Dropout]")
    watch: Items[str] = Field((), description="Paths of modules whose outputs are judged as well")
    requires: Items[str] = Field((), description="Packages without which the models are skipped")
    seeded: bool = Field(default=False, description="It draws random numbers, and is the same from the same seed")
    profile: Literal["quick", "gate", "nightly"] = Field(
        "gate", description="quick: in every run; gate: not where --eq-examples makes it short; nightly: only there"
    )
    draws: int = Field(1, ge=1, description="Examples of each item in the gate")


class ModelSchema(ModelDefaults):
    """One model, or with `names` one family of models that differ in a name."""

    factory: str = Field(description="Dotted name of what makes the module: torchvision.models.resnet18")
    names: Items[str] | None = Field(None, min_length=1, description="One model for each; replaces {name} in `factory`")


class ModelsFile(StrictSchema):
    """A file of models."""

    suite: str = Field(min_length=1, description="The name of the suite")
    about: str = Field("", description="What these models have in common")
    defaults: ModelDefaults = Field(default_factory=ModelDefaults, description="Keys that the models share")
    models: Annotated[dict[str, ModelSchema], Field(min_length=1)] = Field(description="Models by name")


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
    report = Report(document)
    checked = validate_part(report, ModelsFile, document.data)
    report.next_look()
    models = list(_models(checked, report)) if checked is not None else []
    report.raise_if_any()
    assert checked is not None  # noqa: S101 - the report was empty, so the data fitted
    return ModelSuite(document.path, checked.suite, checked.about, tuple(models))


@dataclass(frozen=True)
class _Entry(LayeredEntry):
    """A model over the file's defaults, and where its mistakes go."""

    section = "models"
    schema: ModelSchema
    defaults: ModelDefaults
    report: Report


def _models(checked: ModelsFile, report: Report) -> Iterator[Model]:
    lines: dict[str, int] = {}
    for key, schema in checked.models.items():
        entry = _Entry(key, schema, checked.defaults, report)
        common = _common(entry)
        for name, at, is_key in _names(entry):
            line = (report.positions.key(at) if is_key else report.positions.at(at))[0]
            if name in lines:
                report.add(at, f"a model is already called {name!r}, on line {lines[name]}", key=is_key)
            lines.setdefault(name, line)
            factory = schema.factory.replace(PLACEHOLDER, name)
            yield Model(f"{report.document.name}::{name}", name, checked.suite, line, factory, **common)


def _names(entry: _Entry) -> Iterator[tuple[str, Location, bool]]:
    """Name and place of each model of an entry, and whether that place is a key."""
    names, at = entry.schema.names, entry.location
    if names is None:
        if not is_name(entry.key):
            entry.report.add(at, f"{entry.key!r} is not a name for a model; use letters, digits, _, . and -", key=True)
        if not is_dotted(entry.schema.factory):
            message = f"{entry.schema.factory!r} is not a dotted name, such as torchvision.models.resnet18"
            entry.report.add((*at, "factory"), message)
        yield entry.key, at, True
        return
    if PLACEHOLDER not in entry.schema.factory:
        message = "a family with names: needs '{name}' in its factory, such as torchvision.models.{name}"
        entry.report.add((*at, "factory"), message)
    for index, name in enumerate(names):
        yield name, (*at, "names", index), False


def _common(entry: _Entry) -> dict[str, Any]:
    scope = Scope(entry.report, entry.key, tuple(entry.get("sizes")))
    reader = _FactoryReader(scope)
    sizes = [_size(name, written, scope, entry.at("sizes", name)) for name, written in entry.get("sizes").items()]
    same = (
        "steps",
        "runners",
        "precisions",
        "conversions",
        "frozen",
        "watch",
        "requires",
        "seeded",
        "draws",
        "profile",
    )
    found = {field: entry.get(field) for field in same}
    _check_runners(entry)
    return {
        **found,
        "sizes": tuple(size for size in sizes if size is not None),
        "inputs": tuple(_inputs(entry, scope)),
        "arguments": {
            name: reader.read(written, entry.at("arguments", name)) for name, written in entry.get("arguments").items()
        },
    }


def _check_runners(entry: _Entry) -> None:
    """A program that was traced or exported is one of evaluation: its training mode is not the module's."""
    evaluated = {"script", "trace", "export"} & set(entry.get("runners"))
    if evaluated and "train" in entry.get("steps"):
        message = f"{', '.join(sorted(evaluated))} run in evaluation only; write steps: [eval], or a model of its own"
        entry.report.add(entry.at("runners"), message)


def _size(name: str, written: Any, scope: Scope, at: Location) -> Size | None:
    size = build_size(name, written, scope, at)
    if size is not None and (size.kind not in ("choice", "range") or size.length):
        scope.report.add(at, f"{name!r} of a model is a list of choices or a range such as 1..5")
        return None
    return size


def _inputs(entry: _Entry, scope: Scope) -> Iterator[InputSpec]:
    written: Mapping[str, InputSchema] = entry.get("inputs")
    if not written:
        entry.report.add(entry.location, f"{entry.key!r} has no inputs; it needs at least one", key=True)
    for name, schema in written.items():
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
