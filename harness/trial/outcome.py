"""What one trial (a case in one dtype) came to: what the record of a run is made of."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from harness.core import (
    CellState,
    DoubleBackwardState,
    Example,
    FactDifference,
    Finding,
    ItemStatus,
    MismatchedElement,
    Observation,
    Pattern,
    ReproducerCheck,
    ReproducerState,
)
from harness.oracles import OWN_REFERENCE
from harness.portable.argument_kinds import GatheredKinds, merge_kinds
from harness.trial.build_comparison import BuildChange, BuildComparison
from harness.trial.diagnosis import Diagnosis
from harness.trial.guide import Novelty
from harness.trial.rediscovery import FirstMeeting
from harness.trial.review import Review
from harness.trial.tally import Tally


@dataclass(frozen=True)
class CellRow:
    """One line of a failure's table: what a cell said of the minimal example.

    `kernels` are oneDNN's implementations that ran, `operators` those that ran and are not PyTorch's own, by their
    names in torch.library.
    """

    cell: str
    verdict: CellState
    ratio: float
    kernels: tuple[str, ...]
    operators: tuple[str, ...] = ()


@dataclass(frozen=True)
class FailureScript:
    """A script of plain PyTorch that has shown a failure: its text, and the file that it was written to.

    Both are empty where there is none; then `reason` says why, or is empty too where none was looked for.
    """

    text: str = ""
    file: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Failure:
    """One fault: the finding, the smallest example that shows it, the one that showed it first, and the table of cells.

    `why` is the declared example's, `confirmed` says how the fault behaved in a fresh worker. `pattern` says where the
    elements that differ lie, `elements` are the first of them; both are empty where no elements were compared.
    `operators` are those that the minimal example runs; none where it cannot be traced. `earlier` is the call without
    which the process does not show it, and `is_fickle` says that not every call shows it.
    """

    finding: Finding
    example: Example
    original: Example
    rows: tuple[CellRow, ...]
    confirmed: str
    why: str = ""
    pattern: Pattern = field(default_factory=Pattern)
    elements: tuple[MismatchedElement, ...] = ()
    diagnosis: Diagnosis = field(default_factory=Diagnosis)
    operators: tuple[str, ...] = ()
    earlier: Example | None = None
    is_fickle: bool = False
    script: FailureScript = field(default_factory=FailureScript)


@dataclass
class Outcome(Tally):
    """What the trial of a case in a dtype came to.

    `examples` counts those that ran, by phase; `skipped` maps a cell to how many of them another one answered for,
    `in_parts` to how many ran there without the part that a known crash or hang is about.
    `complete` is False where the time budget, or too many crashes, left some out. `double` is what the double backward
    came to, and `faults` is what is wrong with it. `lack` is what this release of PyTorch lacks of what the item runs:
    it is not available. `against` is the comparison with another build, if there is one: then only what is new fails.
    `meetings` maps a place of a known fault to the first example that met it, where rediscovery is measured. `novelty`
    is what the examples reached, and how much of it was new to the end.
    """

    case: str
    dtype: str
    examples: Counter[str] = field(default_factory=Counter)
    skipped: Counter[str] = field(default_factory=Counter)
    in_parts: Counter[str] = field(default_factory=Counter)
    failures: list[Failure] = field(default_factory=list)
    reproducers: dict[str, ReproducerCheck] = field(default_factory=dict)
    operators: set[str] = field(default_factory=set)
    arguments: GatheredKinds = field(default_factory=dict)
    inner_arguments: GatheredKinds = field(default_factory=dict)
    coverage: dict[str, int] = field(default_factory=dict)
    double: DoubleBackwardState | None = None
    faults: list[FactDifference] = field(default_factory=list)
    golden: Review = field(default_factory=Review)
    complete: bool = True
    lack: str = ""
    against: BuildComparison | None = None
    meetings: dict[str, FirstMeeting] = field(default_factory=dict)
    novelty: Novelty = field(default_factory=Novelty)

    def note_operators(self, observation: Observation) -> None:
        """Note the operators that a trace showed, and of what kinds their arguments were."""
        self.operators.update(observation.operators)
        merge_kinds(self.arguments, observation.arguments)
        merge_kinds(self.inner_arguments, observation.inner_arguments)

    def set_not_available(self, lack: str) -> None:
        """Note that this release has not got what the item runs, so that its known issues cannot be shown by it."""
        self.lack = lack
        unchecked = ReproducerCheck(ReproducerState.NOT_CHECKED, f"not available: {lack}")
        self.reproducers = dict.fromkeys(self.reproducers, unchecked)

    @property
    def stale(self) -> list[str]:
        """The known issues whose reproducer no longer fails; what is gone is no mistake where builds are compared."""
        if self.against is not None:
            return []
        return [name for name, check in self.reproducers.items() if check.state is ReproducerState.STALE]

    @property
    def is_own_reference(self) -> bool:
        """Whether examples were judged by the operator itself, for want of another reference."""
        return OWN_REFERENCE in self.untrusted

    @property
    def double_failures(self) -> list[str]:
        """A sentence for each thing that must not be so of the double backward."""
        return [fault.message for fault in self.faults if fault.judged]

    @property
    def has_failed(self) -> bool:
        """Whether there is a failure, a stale known issue, a difference from golden/ or a fault of double backward."""
        return bool(self.failures or self.stale or self.golden.failures or self.double_failures)

    @property
    def status(self) -> ItemStatus:
        """The worst that can be said of the whole trial; nothing of what the build has not got."""
        if self.lack:
            return ItemStatus.NOT_AVAILABLE
        status = super().status
        is_shared = self.against is not None and self.against.shows(BuildChange.IN_BOTH)
        return ItemStatus.KNOWN_ISSUE if is_shared and status is ItemStatus.PASSED else status

    @property
    def unchecked_status(self) -> ItemStatus:
        """What the time budget cut short before anything could be checked, or had nothing to run, is not run."""
        return ItemStatus.UNTRUSTED if self.complete and self.examples.total() else ItemStatus.NOT_RUN
