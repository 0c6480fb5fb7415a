"""The record of a run: one JSON document, of which everything printed is a view.

`record.schema.json` beside this file is its JSON Schema; `python -m harness.reporting` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Final, Literal

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

from harness.reporting.model_item import ModelItemRecord
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.release_changes import ReleaseRecord
from harness.suites import StrictSchema

SCHEMA: Final = 3
"""Raised by one whenever a field changes its meaning, its name or goes away."""


class BuildRecord(StrictSchema):
    """The build under test and its host."""

    torch: str
    onednn: str = Field(description="Empty where the build has none")
    cpu: str
    python: str
    numpy: str
    platform: str


class RunRecord(StrictSchema):
    """How much was run: the profile with what the options changed of it, and the seed."""

    name: str
    strength: int = Field(description="Of the covering array: 2 for every pair of corner values, 3 for every triple")
    rows: int = Field(description="At most that many rows of the covering array for each item; 0: all")
    random: int = Field(description="Examples drawn for each item")
    limit: float = Field(description="CPU seconds that one example may take in one cell")
    attempts: int = Field(description="Candidates that a shrink may try")
    fresh: bool = Field(description="Whether every run has a new seed")
    recalls: bool = Field(description="Whether failures of earlier runs go first")
    saved_only: bool = Field(description="Whether nothing is drawn")
    models: str = Field(description="The largest tier of models that is run")
    profile: str
    seed: int


class LevelRecord(StrictSchema):
    """What became of an ISA level."""

    state: Literal["run", "alias of", "not available"]
    why: str = Field(description="The proof of the level, the level that it equals, or what the CPU lacks")


def _item_tag(item: object) -> str:
    """Which of the two an item is, of plain data or of a record; what is neither is taken for an operator."""
    named = "model" in item if isinstance(item, Mapping) else isinstance(item, ModelItemRecord)
    return "model" if named else "operator"


ItemRecord = Annotated[
    Annotated[OperatorItemRecord, Tag("operator")] | Annotated[ModelItemRecord, Tag("model")],
    Discriminator(_item_tag),
]
_ITEM: Final[TypeAdapter[OperatorItemRecord | ModelItemRecord]] = TypeAdapter(ItemRecord)


class Record(StrictSchema):
    """The whole document. The same run gives the same document but for the `seconds`."""

    model_config = ConfigDict(populate_by_name=True)

    version: Literal[3] = Field(default=SCHEMA, alias="schema", description="The version of this schema")
    build: BuildRecord
    run: RunRecord
    levels: Mapping[str, LevelRecord] = Field(description="The ISA levels, lowest first")
    release: ReleaseRecord
    items: Mapping[str, ItemRecord] = Field(description="Node id: what the item came to; in the order of the ids")

    @property
    def operators(self) -> Mapping[str, OperatorItemRecord]:
        """The items of operators, by node id."""
        return {name: item for name, item in self.items.items() if isinstance(item, OperatorItemRecord)}

    @property
    def models(self) -> Mapping[str, ModelItemRecord]:
        """The items of models, by node id."""
        return {name: item for name, item in self.items.items() if isinstance(item, ModelItemRecord)}

    @property
    def cells(self) -> list[str]:
        """The levels that ran, lowest first."""
        return [name for name, level in self.levels.items() if level.state == "run"]

    def text(self) -> str:
        """The JSON of the document."""
        return json.dumps(self.model_dump(mode="json", by_alias=True), indent=1, allow_nan=False) + "\n"


def item_text(item: OperatorItemRecord | ModelItemRecord) -> str:
    """The JSON of one item, as it travels from a process of pytest to the one that writes the record."""
    return item.model_dump_json(by_alias=True)


def parse_item(text: str) -> OperatorItemRecord | ModelItemRecord:
    """The item that `item_text` wrote. Raises pydantic's ValidationError for any other text."""
    return _ITEM.validate_json(text)
