"""One record of several: of the parts of a run, or of runs over different suites."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from harness.errors import UserError
from harness.reporting.argument_kinds import merge_argument_kinds
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.record import ItemRecord, Record
from harness.reporting.release_changes import release_record
from harness.reporting.run_differences import baseline_difference, difference_message, run_differences

OF_ITS_OWN: Final = frozenset(
    {"date", "machine", "complete", "shard", "inputs", "release", "arguments", "inner_arguments", "items"}
)
"""What each of the records has for itself; all else must be the same in them."""

ADVICE: Final = "only records of the same build and settings are merged"

SELECTION: Final = "selection"
"""The input that says which items were chosen: parts of one run have the same, other runs may choose others."""


def merge_records(records: Mapping[Path, Record], file: Path) -> Record:
    """The record of all items, by the files of the records; `file` is its own, as commands name it.

    It is complete where each of them is, and every part of the run is there. Raises UserError for records of different
    builds, settings, suites or partitions, and for an item that two of them have and that is not the same.
    """
    (first_path, first), *others = records.items()
    for path, record in others:
        _check_same_run(first_path, first, path, record)
    items = _merge_items(records)
    operators = [item for item in items.values() if isinstance(item, OperatorItemRecord)]
    verified = _releases_in_all([record.release.verified for record in records.values()])
    inputs = [record.inputs for record in records.values()]
    return first.model_copy(
        update={
            "date": min((record.date for record in records.values() if record.date), default=""),
            "machine": ", ".join(dict.fromkeys(record.machine for record in records.values() if record.machine)),
            "complete": not missing_parts(records.values()) and all(record.complete for record in records.values()),
            "shard": None,
            "inputs": {**dict(itertools.chain.from_iterable(each.items() for each in inputs)), **_selection(inputs)},
            "release": release_record(first.build.torch, verified, operators, file.as_posix()),
            "arguments": merge_argument_kinds(record.arguments for record in records.values()),
            "inner_arguments": merge_argument_kinds(record.inner_arguments for record in records.values()),
            "items": items,
        }
    )


def missing_parts(records: Iterable[Record]) -> list[int]:
    """The numbers of the parts of a run of which there is no record, from 1; none where it was not divided."""
    shards = [record.shard for record in records if record.shard is not None]
    present = {shard.index for shard in shards}
    return sorted(set(range(1, max((shard.count for shard in shards), default=0) + 1)) - present)


def _check_same_run(first_path: Path, first: Record, path: Path, record: Record) -> None:
    """Raise UserError where two records cannot be of one run."""
    if words := baseline_difference(record.against, first.against, str(path)):
        raise UserError(f"{first_path} is of a run {words}; {ADVICE}")
    if differences := run_differences(_comparable(record, first), _comparable(first, record)):
        title = f"{path} is of another run than {first_path}:"
        raise UserError(difference_message(title, differences, ADVICE))


def _comparable(record: Record, other: Record) -> dict[str, Any]:
    """What must be the same as in the other: the inputs that both have, and of parts of a run how it was divided."""
    head = record.model_dump(mode="json", exclude=set(OF_ITS_OWN))
    names = set(record.inputs) & set(other.inputs)
    if record.shard is None and other.shard is None:
        names -= {SELECTION}
    shard = {"parts": "none"} if record.shard is None else {"parts": record.shard.count, "basis": record.shard.basis}
    return {**head, "inputs": {name: record.inputs[name] for name in sorted(names)}, "shard": shard}


def _merge_items(records: Mapping[Path, Record]) -> dict[str, ItemRecord]:
    """All items in the order of their ids. Raises UserError where two records have the same, and it differs."""
    homes: dict[str, tuple[Path, ItemRecord]] = {}
    for path, record in records.items():
        for name, item in record.items.items():
            home, other = homes.setdefault(name, (path, item))
            if _timeless(item) != _timeless(other):
                raise UserError(f"{name} is in {home} and in {path}, and not the same; leave one of the two out")
    return {name: homes[name][1] for name in sorted(homes)}


def _timeless(item: ItemRecord) -> ItemRecord:
    """The item without its seconds, which differ from run to run."""
    return item.model_copy(update={"seconds": 0.0})


def _releases_in_all(lists: Sequence[Sequence[str] | None]) -> list[str] | None:
    """The releases that all have; None where one of them keeps none."""
    kept = [each for each in lists if each is not None]
    return (
        [release for release in kept[0] if all(release in each for each in kept)] if len(kept) == len(lists) else None
    )


def _selection(inputs: Sequence[Mapping[str, str]]) -> dict[str, str]:
    """What all records chose together."""
    chosen = dict.fromkeys(each[SELECTION] for each in inputs if SELECTION in each)
    return {SELECTION: "; ".join(chosen)} if chosen else {}
