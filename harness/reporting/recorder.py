"""Gathering the record of a run while its items run, in whatever order they come."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from harness.reporting.argument_kinds import merge_argument_kinds
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.record import (
    BaselineRecord,
    BuildRecord,
    ItemRecord,
    LevelRecord,
    Record,
    RunRecord,
    ShardRecord,
)
from harness.reporting.release_changes import release_record


@dataclass(frozen=True)
class RecordHead:
    """What is known before the first item runs.

    `date`, `machine`, `inputs`, `shard`, `hosts` and `against` are as in Record; `python` is the interpreter under
    test. `verified` are the releases of PyTorch that golden/ of every suite was verified with, None where nothing is
    kept; `file` is the record's own, as commands name it.
    """

    build: BuildRecord
    run: RunRecord
    levels: Mapping[str, LevelRecord]
    verified: Sequence[str] | None = None
    file: str = ""
    date: str = ""
    machine: str = ""
    inputs: Mapping[str, str] = field(default_factory=dict)
    shard: ShardRecord | None = None
    python: str = ""
    against: BaselineRecord | None = None
    hosts: Mapping[str, BuildRecord] = field(default_factory=dict)


@dataclass
class Recorder:
    """The lines that head pytest's report, what heads the record, and the items so far by node id."""

    header: Sequence[str] = ()
    head: RecordHead | None = None
    items: dict[str, ItemRecord] = field(default_factory=dict)
    expected: frozenset[str] | None = None
    """The ids of the items that were chosen; None until they are collected."""

    def open(self, header: Sequence[str], head: RecordHead) -> None:
        """Note what is known before the first item runs."""
        self.header, self.head = header, head

    def add(self, item: str, record: ItemRecord) -> None:
        """Note what one item came to, by its node id."""
        self.items[item] = record

    @property
    def is_complete(self) -> bool:
        """Whether every item that was chosen is there, and was not cut short."""
        are_here = self.expected is not None and self.expected <= self.items.keys()
        return are_here and all(item.complete for item in self.items.values())

    def record(self) -> Record:
        """The record of the items so far, in the order of their ids."""
        assert self.head is not None  # noqa: S101 - no item runs before it is known
        items = {item: self.items[item] for item in sorted(self.items)}
        operators = [item for item in items.values() if isinstance(item, OperatorItemRecord)]
        release = release_record(self.head.build.torch, self.head.verified, operators, self.head.file)
        return Record(
            date=self.head.date,
            machine=self.head.machine,
            inputs=self.head.inputs,
            shard=self.head.shard,
            complete=self.is_complete,
            build=self.head.build,
            run=self.head.run,
            levels=self.head.levels,
            against=self.head.against,
            hosts=self.head.hosts,
            release=release,
            arguments=merge_argument_kinds(item.arguments for item in operators),
            inner_arguments=merge_argument_kinds(item.inner_arguments for item in operators),
            items={name: _without_arguments(item) for name, item in items.items()},
        )


def _without_arguments(item: ItemRecord) -> ItemRecord:
    """The item without what the head of the record has of all items: most of them call the same operators."""
    if not isinstance(item, OperatorItemRecord):
        return item
    return item.model_copy(update={"arguments": {}, "inner_arguments": {}})
