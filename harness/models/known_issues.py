"""Reading `golden/models.yaml`: what is known of models and accepted for now."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from harness.golden import AcceptanceSchema, Notes
from harness.models.known_issue import ModelKnownIssue
from harness.suites import Items, StrictSchema, read_validated


class ModelKnownIssueSchema(AcceptanceSchema):
    """One accepted finding about models."""

    models: Items[str] = Field(min_length=1, description="Ids of models, or patterns: suites/models/*.yaml::shuffle*")
    items: Items[str] = Field(("*",), min_length=1, description="Patterns of step-runner-precision: eval-*")
    tensors: Items[str] = Field(min_length=1, description="Patterns: module:stage2.*, grad:*.bias, output*")
    oracle: Literal["values", "strides", "shape", "error", "crash", "hang"]
    cells: Items[str] = Field(("*",), min_length=1, description="ISA levels, or patterns")
    when: str = Field("True", description="A condition over the model's sizes and threads")


class ModelKnownIssuesSchema(StrictSchema):
    """The whole file."""

    issues: dict[str, ModelKnownIssueSchema] = Field(default_factory=dict)


def load_model_known_issues(path: Path) -> tuple[ModelKnownIssue, ...]:
    """Read the file. Raises DeclarationError with all mistakes: YAML, types, conditions, versions."""
    schema, positions = read_validated(path, ModelKnownIssuesSchema, "list of known issues of models")
    notes = Notes(path, positions)
    entries: list[ModelKnownIssue] = []
    for name, entry in schema.issues.items():
        torch = notes.releases(name, entry)
        if when := notes.condition(name, entry.when):
            fields = {field: value for field, value in entry if field not in ("when", "since", "fixed")}
            entries.append(ModelKnownIssue(id=name, when=when, torch=torch, line=notes.line(name), **fields))
    notes.raise_if_any()
    return tuple(entries)
