"""What is under way: an example with a request in each cell and in the reference, and what becomes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import cast

from harness.core import Case, Example, Observation, Reference
from harness.core.observation import OBSERVED_LAYOUTS, ObservedLayout
from harness.execution import replies
from harness.execution.result import Result
from harness.execution.workers.supervisor import HostLost, PendingRequest, WorkerLost
from harness.portable.operator_protocol import MetadataReply, ObserveReply, ReferReply


@dataclass(frozen=True)
class PendingExample:
    """One example under way: its request in each of the cells, by name, and in the reference.

    `is_independent`: what the reference runs is another callable than the one that is judged.
    """

    case: Case
    example: Example
    reference: PendingRequest
    cells: Mapping[str, PendingRequest]
    is_independent: bool = True

    def collect(self) -> Result:
        """Wait for everything; a second call waits for nothing."""
        pairs = [collect_observations(cell, pending) for cell, pending in self.cells.items()]
        reference = self._collect_reference()
        return Result(self.example, reference, tuple(observation for pair in pairs for observation in pair))

    def _collect_reference(self) -> Reference:
        try:
            reply = cast("ReferReply", self.reference.collect())
            return replies.reference(self.case, self.example, reply, is_independent=self.is_independent)
        except WorkerLost as lost:
            return Reference(lost.how, message=lost.message)


def collect_observations(cell: str, pending: PendingRequest) -> tuple[Observation, ...]:
    """Wait for both observations of an example in a cell: ``drawn``, ``contiguous``. A loss stands for both.

    There is none where the cell's machine is lost, which says nothing of the example.
    """
    try:
        return replies.observations(cell, cast("ObserveReply", pending.collect()))
    except HostLost:
        return ()
    except WorkerLost as lost:
        return tuple(_lost_observation(cell, layout, lost) for layout in OBSERVED_LAYOUTS)


def collect_metadata(cell: str, pending: PendingRequest) -> list[Observation]:
    """Wait for the metadata of several examples in a cell. A loss is one observation, however many there were.

    There is none where the cell's machine is lost.
    """
    try:
        return replies.metadata(cell, cast("MetadataReply", pending.collect()))
    except HostLost:
        return []
    except WorkerLost as lost:
        return [_lost_observation(cell, "drawn", lost)]


def _lost_observation(cell: str, layout: ObservedLayout, lost: WorkerLost) -> Observation:
    return Observation(cell, layout, lost.how, signal=lost.signal, message=lost.message)
