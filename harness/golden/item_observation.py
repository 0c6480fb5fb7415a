"""What a run observed of one item for golden/, and its plain data on the way from a worker of xdist."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypedDict

from harness.core import Example
from harness.golden.contract.layout_rule import LayoutRule
from harness.golden.contract.line import Facts
from harness.golden.snapshots.snapshot import Digest, Snapshot


class SnapshotJson(TypedDict):
    """A snapshot: its example as JSON text, and the digest of each tensor as golden/snapshots has it."""

    example: str
    results: dict[str, str]


class ItemObservationJson(TypedDict):
    """The plain data. Each of `layouts` is tensor, shape, level and the text of the layout rule."""

    torch: str
    layouts: list[Sequence[str]]
    snapshots: list[SnapshotJson]


@dataclass(frozen=True)
class ItemObservation:
    """The facts and snapshots of one case in one dtype; `torch` is the release of PyTorch (``2.15``) that gave them."""

    torch: str
    facts: Facts
    snapshots: tuple[Snapshot, ...]

    def as_json(self) -> ItemObservationJson:
        """Plain data, which `read` takes."""
        return {
            "torch": self.torch,
            "layouts": [(*element, rule.text) for element, rule in self.facts.items()],
            "snapshots": [
                {
                    "example": snapshot.example.to_json(),
                    "results": {name: digest.text for name, digest in snapshot.results.items()},
                }
                for snapshot in self.snapshots
            ],
        }

    @classmethod
    def read(cls, data: ItemObservationJson) -> ItemObservation:
        """From the plain data that an item sent."""
        facts = {(tensor, shape, level): LayoutRule.parse(text) for tensor, shape, level, text in data["layouts"]}
        return cls(data["torch"], facts, tuple(_read_snapshot(snapshot) for snapshot in data["snapshots"]))


def _read_snapshot(data: SnapshotJson) -> Snapshot:
    digests = {name: Digest.parse(text) for name, text in data["results"].items()}
    results = {name: digest for name, digest in digests.items() if digest is not None}
    return Snapshot(Example.from_json(data["example"]), results)
