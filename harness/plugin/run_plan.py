"""Which items a run has, in which order, and which of them an earlier run has already done.

Every process of xdist must come to the same, so the one that controls them makes the plan.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from harness.core import ItemStatus
from harness.reporting import ItemRecord, JournalEntry, Record
from harness.settings import Shard


@dataclass(frozen=True)
class EndedItem:
    """How an item ended in the run that is resumed. `outcome` is pytest's word, `reason` what is printed of it."""

    outcome: str
    reason: str
    properties: Sequence[tuple[str, str | int | float]]

    @classmethod
    def of(cls, entry: JournalEntry) -> Self:
        """What a report needs of a line of the journal."""
        return cls(entry.outcome, entry.reason, entry.properties)


@dataclass(frozen=True)
class RunPlan:
    """What is the same in all processes of a run.

    `ended` has the items that are not run again, `seconds` what items took last time, by which shards are balanced.
    `starved` are the items that did not begin last time, for want of time: the first of them is where a run under a
    time budget begins. Where there is none, `turn` says how many items later than declared it begins. `lengths` are
    the seconds of the last run where several processes share this one.
    """

    ended: Mapping[str, EndedItem] = field(default_factory=dict)
    seconds: Mapping[str, float] = field(default_factory=dict)
    starved: Sequence[str] = ()
    turn: int = 0
    lengths: Mapping[str, float] = field(default_factory=dict)

    def as_plain(self) -> dict[str, Any]:
        """The plan as xdist sends it to its processes."""
        return json.loads(json.dumps(asdict(self)))  # type: ignore[no-any-return] # a mapping becomes a dict

    @classmethod
    def read(cls, plain: Mapping[str, Any]) -> Self:
        """The plan that `as_plain` gave."""
        return cls(**{**plain, "ended": {name: EndedItem(**entry) for name, entry in plain.get("ended", {}).items()}})

    def arrange(self, ids: Sequence[str]) -> list[str]:
        """The items of a run under a time budget, in declared order, as it runs them: each gets its turn to be first.

        Last time's order was turned too, so what was starved goes on from the end to the beginning.
        """
        starved = [name in set(self.starved) for name in ids]
        firsts = [number for number in range(len(ids)) if starved[number] and not starved[number - 1]]
        number = firsts[0] if firsts else self.turn % max(len(ids), 1)
        return [*ids[number:], *ids[:number]]

    def longest_first(self, ids: Sequence[str]) -> list[str]:
        """The items of a run that several processes share: whoever is free takes the next, and the last are short.

        An item that the last run did not have is taken to be as long as the mean.
        """
        lengths = item_lengths(ids, self.lengths)
        return sorted(ids, key=lambda name: -lengths[name])

    @property
    def basis(self) -> str:
        """The digest of what shards are balanced by; empty where they are so by number."""
        text = json.dumps(dict(sorted(self.seconds.items())))
        return hashlib.sha256(text.encode()).hexdigest()[:16] if self.seconds else ""


def starved_items(items: Mapping[str, ItemRecord]) -> list[str]:
    """The items that did not begin, for want of time."""
    unfinished = {name: item for name, item in items.items() if not (item.complete or item.lost_levels)}
    return [name for name, item in unfinished.items() if item.status is ItemStatus.NOT_RUN]


def seconds_of(record: Record | None) -> Mapping[str, float]:
    """What the items of a whole run took; nothing of a part of one, which another machine has not got."""
    if record is None or record.shard is not None:
        return {}
    return {name: item.seconds for name, item in record.items.items()}


def shard_members(ids: Iterable[str], seconds: Mapping[str, float], shard: Shard) -> set[str]:
    """The items of one part of a run: the longest first, each goes to the part with the least to do so far.

    An item that the last run did not have is taken to be as long as the mean of those that it had; where it had none,
    the parts are of equal numbers. The same for the same items and seconds, in whatever order they come.
    """
    names = sorted(ids)
    lengths = item_lengths(names, seconds)
    loads, members = [(0.0, 0, index) for index in range(shard.count)], set()
    for name in sorted(names, key=lambda name: -lengths[name]):
        load, count, index = min(loads)
        loads[loads.index((load, count, index))] = (load + lengths[name], count + 1, index)
        members |= {name} if index == shard.index - 1 else set()
    return members


def item_lengths(ids: Iterable[str], seconds: Mapping[str, float]) -> dict[str, float]:
    """How long each of these items takes: as last time, the mean where it was not there, all alike where none was."""
    names = list(ids)
    durations = [seconds[name] for name in names if name in seconds]
    if sum(durations) <= 0:
        return dict.fromkeys(names, 1.0)
    mean = sum(durations) / len(durations)
    return {name: seconds.get(name, mean) for name in names}
