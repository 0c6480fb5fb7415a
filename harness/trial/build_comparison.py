"""What two builds of PyTorch came to over the same examples: new in the one under test, gone, in both, and drift."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from harness.core import Example, PlaceReplay, PlaceState
from harness.core.finding import Oracle


class BuildChange(enum.StrEnum):
    """Which of the two builds shows something. The text is what the record and the summary have."""

    NEW = "new"
    """The build under test shows it, and the baseline does not."""
    GONE = "gone"
    """The baseline shows it, and the build under test does not."""
    IN_BOTH = "in both"


@dataclass(frozen=True)
class ChangedFinding:
    """What is broken in the same way over the examples of an item: which property of which tensor, and in which build.

    `cells` are all in which it shows so, `issues` the known issues of either build that accept it, `examples` how many
    show it, of which `example` is the first, with the sentence of its oracle. `fails`: it makes the item fail.
    """

    change: BuildChange
    oracle: Oracle
    tensor: str
    cells: tuple[str, ...]
    issues: tuple[str, ...]
    examples: int
    message: str
    example: Example
    fails: bool = False

    @property
    def key(self) -> tuple[BuildChange, Oracle, str, tuple[str, ...], bool]:
        """Those of the same key are one."""
        return self.change, self.oracle, self.tensor, self.issues, self.fails


@dataclass(frozen=True)
class ReplayedPlace:
    """What the reproducer of one place of a known fault does in the build under test and in the baseline."""

    under_test: PlaceReplay
    baseline: PlaceReplay

    @property
    def change(self) -> BuildChange | None:
        """Which build has the fault there; None where neither has it, or one of them could not be asked."""
        match self.under_test.state, self.baseline.state:
            case PlaceState.FAILS, PlaceState.FAILS:
                return BuildChange.IN_BOTH
            case PlaceState.FAILS, PlaceState.DOES_NOT_FAIL:
                return BuildChange.NEW
            case PlaceState.DOES_NOT_FAIL, PlaceState.FAILS:
                return BuildChange.GONE
            case _:
                return None


@dataclass(frozen=True)
class TensorDrift:
    """The worst drift of one tensor (error of one build against the other over the allowance, no unit), and where."""

    ratio: float
    cell: str
    example: Example


@dataclass(frozen=True)
class ReferenceDifference:
    """Of one tensor, that the two builds compute another answer in float64: a sentence, and where it shows first."""

    message: str
    example: Example


@dataclass
class BuildComparison:
    """The comparison of one item. `baseline` names the build that the one under test is compared with.

    `lack` is what the baseline lacks of what the item runs, empty where it lacks nothing. `examples` counts those that
    ran in both builds. `places` are the places of known faults with a reproducer of this item, by name. `drift` has the
    tensors that are not the same to the bit and right in both builds: up to 2. A tensor that is wrong in either has a
    finding instead, and one of which the two float64 references differ is in `references`.
    """

    baseline: str
    lack: str = ""
    examples: int = 0
    findings: list[ChangedFinding] = field(default_factory=list)
    places: dict[str, ReplayedPlace] = field(default_factory=dict)
    drift: dict[str, TensorDrift] = field(default_factory=dict)
    references: dict[str, ReferenceDifference] = field(default_factory=dict)

    def note_findings(self, findings: Iterable[ChangedFinding]) -> None:
        """Add what one example shows to what those before it showed."""
        for finding in findings:
            index = next((at for at, earlier in enumerate(self.findings) if earlier.key == finding.key), None)
            if index is None:
                self.findings.append(finding)
            else:
                self.findings[index] = _joined_finding(self.findings[index], finding)

    def note_drift(self, tensor: str, drift: TensorDrift) -> None:
        """Keep the worse of this drift and that of the examples before."""
        if drift.ratio > (self.drift[tensor].ratio if tensor in self.drift else 0.0):
            self.drift[tensor] = drift

    def drop_findings(self) -> None:
        """Forget what was told apart: one of the builds has not got what the item runs."""
        self.findings, self.places, self.drift, self.references = [], {}, {}, {}

    def shows(self, change: BuildChange) -> bool:
        """Whether some finding is of that change."""
        return any(finding.change is change for finding in self.findings)


def _joined_finding(first: ChangedFinding, second: ChangedFinding) -> ChangedFinding:
    """The first, with the cells and the examples of both."""
    cells = tuple(dict.fromkeys([*first.cells, *second.cells]))
    return replace(first, cells=cells, examples=first.examples + second.examples)
