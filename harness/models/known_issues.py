"""Reading `golden/models.yaml`: what is known of models and accepted for now."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.golden import AcceptedSchema, Notes
from harness.models.known_issue import ModelDeviation
from harness.suites import Items, Strict, read_validated


class ModelDeviationSchema(AcceptedSchema):
    """One accepted finding about models."""

    models: Items[str] = Field(min_length=1, description="Ids of models, or patterns: suites/models/*.yaml::shuffle*")
    items: Items[str] = Field(("*",), min_length=1, description="Patterns of step-runner-precision: eval-*")
    tensors: Items[str] = Field(min_length=1, description="Patterns: module:stage2.*, grad:*.bias, output*")
    oracle: Literal["values", "strides", "shape", "error", "crash", "hang"]
    cells: Items[str] = Field(("*",), min_length=1, description="ISA levels, or patterns")
    when: str = Field("True", description="A condition over the model's sizes and threads")


class ModelDeviationsFile(Strict):
    """The whole file."""

    deviations: dict[str, ModelDeviationSchema] = Field(default_factory=dict)


def load_model_deviations(path: Path) -> tuple[ModelDeviation, ...]:
    """Read the file. Raises DeclarationError with all mistakes: YAML, types, conditions, versions."""
    schema, positions = read_validated(path, ModelDeviationsFile, "list of deviations of models")
    notes = Notes(path, positions)
    entries: list[ModelDeviation] = []
    for name, entry in schema.deviations.items():
        notes.releases(name, entry.torch)
        if when := notes.condition(name, entry.when):
            fields = {field: value for field, value in entry if field != "when"}
            entries.append(ModelDeviation(id=name, when=when, line=notes.line(name), **fields))
    notes.raise_if_any()
    return tuple(entries)
