"""How well runs meet by themselves what is known: the power of the gate, read from records of `--eq-rediscover`."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from harness.core import KnownFault, KnownIssue, sort_by_severity
from harness.core.finding import Oracle
from harness.reporting.operator_item import FirstMeetingRecord
from harness.reporting.record import Record
from harness.reporting.templating import TEMPLATES
from harness.trial import covers_version

SHARE_OF_RUNS: Final = 0.8
"""What is met in so many of the runs is met reliably: four of five."""


@dataclass(frozen=True)
class Meetings:
    """The first meeting in each run with one thing, a fault or one of its places; None where a run did not meet it."""

    name: str
    first: tuple[FirstMeetingRecord | None, ...]

    @property
    def present(self) -> list[FirstMeetingRecord]:
        """The meetings of the runs that had one."""
        return [meeting for meeting in self.first if meeting is not None]

    @property
    def is_reliable(self) -> bool:
        """Whether so many of the runs met it that a fault like it is not missed."""
        return len(self.present) >= math.ceil(SHARE_OF_RUNS * len(self.first))

    @property
    def examples(self) -> float | None:
        """The median number of the example that met it; None where no run did."""
        return statistics.median(meeting.example for meeting in self.present) if self.present else None

    @property
    def seconds(self) -> float | None:
        """The median of the seconds until it was met; None where no run did."""
        return statistics.median(meeting.seconds for meeting in self.present) if self.present else None

    @property
    def oracles(self) -> tuple[Oracle, ...]:
        """What found it, by name."""
        return tuple(sorted({meeting.oracle for meeting in self.present}))


@dataclass(frozen=True)
class FaultMeetings(Meetings):
    """A fault in each run: the earliest meeting with any of its places."""

    fault: KnownFault
    places: tuple[Meetings, ...]


@dataclass(frozen=True)
class Percentiles:
    """The median and the 90th percentile of numbers of which there is at least one."""

    median: float
    high: float


@dataclass(frozen=True)
class RediscoveryReport:
    """What runs of the same build on the same machine met of the faults that they can show."""

    records: tuple[Record, ...]
    faults: tuple[FaultMeetings, ...]

    @cached_property
    def reliable(self) -> tuple[FaultMeetings, ...]:
        """The faults that nearly every run met."""
        return tuple(fault for fault in self.faults if fault.is_reliable)

    @cached_property
    def places(self) -> tuple[Meetings, ...]:
        """The places of all faults."""
        return tuple(place for fault in self.faults for place in fault.places)

    @property
    def reliable_places(self) -> int:
        """How many places nearly every run met."""
        return sum(place.is_reliable for place in self.places)

    @property
    def least_runs(self) -> int:
        """In so many of the runs something must be met to count as met reliably."""
        return math.ceil(SHARE_OF_RUNS * len(self.records))

    @property
    def examples(self) -> Percentiles | None:
        """Of the number of the example that met a fault, over all faults and runs; None where nothing was met."""
        return _percentiles(meeting.example for fault in self.faults for meeting in fault.present)

    @property
    def seconds(self) -> Percentiles | None:
        """Of the seconds of an item until a fault was met; None where nothing was met."""
        return _percentiles(meeting.seconds for fault in self.faults for meeting in fault.present)

    def text(self) -> str:
        """For a terminal."""
        return TEMPLATES.get_template("rediscovery.txt").render(report=self)


def rediscovery_report(records: Sequence[Record], faults: Iterable[KnownFault]) -> RediscoveryReport:
    """What the records, of which there is at least one, have of these faults, the worst first.

    Left out is what they cannot show: places of other releases, of levels that did not run, of items that they lack.
    """
    in_records = [_meetings_by_place(record) for record in records]
    shown = ((fault, _places_here(fault, records[0])) for fault in sort_by_severity(faults))
    return RediscoveryReport(
        tuple(records), tuple(_fault_meetings(fault, places, in_records) for fault, places in shown if places)
    )


def _meetings_by_place(record: Record) -> dict[str, FirstMeetingRecord]:
    """The name of a place → its earliest meeting in any item."""
    meetings: dict[str, FirstMeetingRecord] = {}
    for item in record.operators.values():
        for place, meeting in item.meetings.items():
            meetings[place] = min(meeting, meetings.get(place, meeting), key=_earliness)
    return meetings


def _earliness(meeting: FirstMeetingRecord) -> tuple[int, float]:
    return meeting.example, meeting.seconds


def _places_here(fault: KnownFault, record: Record) -> list[KnownIssue]:
    """The places of the fault that a run like that of the record can show."""
    levels = {name for name, level in record.levels.items() if level.state == "run"}
    items = [(item.case, item.dtype) for item in record.operators.values()]
    return [
        place
        for place in fault.places
        if covers_version(place.torch, record.build.torch)
        and any(place.covers(level) for level in levels)
        and any(place.is_of(case, dtype) for case, dtype in items)
    ]


def _fault_meetings(
    fault: KnownFault, places: Iterable[KnownIssue], records: Sequence[Mapping[str, FirstMeetingRecord]]
) -> FaultMeetings:
    in_places = tuple(Meetings(place.name, tuple(record.get(place.name) for record in records)) for place in places)
    earliest = tuple(
        min(_present(run), key=_earliness, default=None)
        for run in zip(*(each.first for each in in_places), strict=True)
    )
    return FaultMeetings(fault.id, earliest, fault, in_places)


def _present(meetings: Iterable[FirstMeetingRecord | None]) -> Iterator[FirstMeetingRecord]:
    return (meeting for meeting in meetings if meeting is not None)


def _percentiles(numbers: Iterable[float]) -> Percentiles | None:
    """By linear interpolation between the ordered numbers; None where there are none."""
    values = list(numbers)
    if not values:
        return None
    tenths = statistics.quantiles(values, n=10, method="inclusive") if len(values) > 1 else values * 9
    return Percentiles(statistics.median(values), tenths[-1])
