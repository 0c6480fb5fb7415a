"""The record of a run: one JSON document, of which everything printed is a view.

`record.schema.json` beside this file is its JSON Schema; `python -m harness.reporting` writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Annotated, Final, Literal, TypeAlias

from pydantic import ConfigDict, Discriminator, Field, Tag, TypeAdapter

from harness.reporting.argument_kinds import ArgumentKindsRecord
from harness.reporting.golden_item import GoldenItemRecord
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
    extra: int = Field(0, description="Examples that earlier versions drew beside these where judging costs little")
    by_space: bool = Field(default=False, description="Whether more are drawn of a case with a larger space")
    larger: int = Field(0, description="Examples for each such item that have grown beyond the grain of a thread")
    limit: float = Field(description="CPU seconds that one example may take in one cell")
    attempts: int = Field(description="Candidates that a shrink may try")
    fresh: bool = Field(description="Whether every run has a new seed")
    recalls: bool = Field(description="Whether failures of earlier runs go first")
    saved_only: bool = Field(description="Whether nothing is drawn")
    models: str = Field(description="The largest tier of models that is run")
    follows: bool = Field(default=True, description="Whether more or less is drawn by what examples reach")
    shares: bool = Field(default=False, description="Whether the dtypes of a case share the rows of its covering array")
    profile: str
    seed: int
    rediscovers: bool = Field(
        default=False, description="Whether no reproducer was run and no known crash kept from running"
    )


class ShardRecord(StrictSchema):
    """The part of a run that a record is of."""

    index: int = Field(ge=1)
    count: int = Field(ge=1, description="How many parts there are")
    basis: str = Field(description="Digest of the seconds that the parts were balanced by; empty: by number of items")


class LevelRecord(StrictSchema):
    """What became of an ISA level."""

    state: Literal["run", "alias of", "not available"]
    why: str = Field(description="The proof of the level, the level that it equals, or what the CPU lacks")
    host: str = Field(default="", description="The machine on which it ran, as ssh calls it; empty for that of the run")


class BaselineRecord(StrictSchema):
    """The build that the one under test is compared with, on the same host."""

    build: BuildRecord
    levels: Mapping[str, LevelRecord] = Field(description="The ISA levels in that build, lowest first")
    interpreter: str = Field(description="Its path")

    def __str__(self) -> str:
        """As a sentence names it: ``PyTorch 2.13.0 (/path/to/python)``."""
        return f"PyTorch {self.build.torch} ({self.interpreter})"


def _item_tag(item: object) -> str:
    """Which of the three an item is, of plain data or of a record; what is none is taken for an operator."""
    if isinstance(item, ModelItemRecord) or (isinstance(item, Mapping) and "model" in item):
        return "model"
    is_golden = isinstance(item, GoldenItemRecord) or (isinstance(item, Mapping) and "suite" in item)
    return "golden" if is_golden else "operator"


ItemRecord: TypeAlias = OperatorItemRecord | ModelItemRecord | GoldenItemRecord
"""What one item of pytest came to."""

TaggedItem = Annotated[
    Annotated[OperatorItemRecord, Tag("operator")]
    | Annotated[ModelItemRecord, Tag("model")]
    | Annotated[GoldenItemRecord, Tag("golden")],
    Discriminator(_item_tag),
]
"""The same, for a schema: pydantic reads what the item is before it reads the item."""
_ITEM: Final[TypeAdapter[ItemRecord]] = TypeAdapter(TaggedItem)


class Record(StrictSchema):
    """The whole document. The same run on the same machine gives the same document but for `date` and `seconds`."""

    model_config = ConfigDict(populate_by_name=True)

    version: Literal[3] = Field(default=SCHEMA, alias="schema", description="The version of this schema")
    date: str = Field(default="", description="When the run began: UTC, as ISO 8601 has it; empty in older records")
    machine: str = Field(default="", description="The name of the machine; empty in older records")
    complete: bool = Field(
        default=True,
        description="Whether every item that was chosen came to its end; false where the run was ended before, or its "
        "time budget did not suffice",
    )
    inputs: Mapping[str, str] = Field(
        default_factory=dict,
        description="What the run depended on beside: digests of suites, golden data, preloads and harness, by name",
    )
    shard: ShardRecord | None = Field(default=None, description="The part of a run that this is; null: all of it")
    build: BuildRecord
    run: RunRecord
    levels: Mapping[str, LevelRecord] = Field(description="The ISA levels, lowest first")
    hosts: Mapping[str, BuildRecord] = Field(
        default_factory=dict, description="Machine, as ssh calls it: the build there, of the levels that ran on it"
    )
    against: BaselineRecord | None = Field(
        default=None, description="The build that the one under test is compared with; null where there is none"
    )
    release: ReleaseRecord
    arguments: ArgumentKindsRecord = Field(
        default_factory=dict,
        description="Operator that some call names: argument: its kinds in any item; empty in older records",
    )
    inner_arguments: ArgumentKindsRecord = Field(
        default_factory=dict, description="The same of operators that are called within others, and by autograd"
    )
    items: Mapping[str, TaggedItem] = Field(description="Node id: what the item came to; in the order of the ids")

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


def example_count(item: ItemRecord) -> int:
    """How many examples of an item ran."""
    return item.examples if isinstance(item, ModelItemRecord) else sum(item.examples.values())


def item_text(item: ItemRecord) -> str:
    """The JSON of one item, as it travels from a process of pytest to the one that writes the record."""
    return item.model_dump_json(by_alias=True)


def parse_item(text: str) -> ItemRecord:
    """The item that `item_text` wrote. Raises pydantic's ValidationError for any other text."""
    return _ITEM.validate_json(text)
