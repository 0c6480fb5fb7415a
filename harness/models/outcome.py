"""What the trial of a model in one way to run it came to."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.core import Finding, ItemStatus
from harness.models.faulty_module import FaultyModule
from harness.models.image_call import ImageCall
from harness.models.model import BASELINE, ModelExample, Problem, Skipped, Weights
from harness.models.module_layout import ModuleLayout
from harness.models.timing import ModelTiming
from harness.portable.tensor_name import TensorKind, kind_of
from harness.reporting import LayoutRowRecord
from harness.trial import Tally


@dataclass(frozen=True)
class ModelFailure:
    """One example of a model that is wrong: its findings, the worst of them first, and the modules to blame.

    `not_localised` is a sentence that says why the search for these modules was given up; empty where it was not.
    """

    example: ModelExample
    findings: tuple[Finding, ...]
    faulty_modules: tuple[FaultyModule, ...] = ()
    not_localised: str = ""


@dataclass
class ModelOutcome(Tally):
    """The counts of one trial of a model. `item` is ``eval-eager-float32``, `examples` is how many were judged.

    `explained` are the modules whose operators are known to do what is wrong with them, `known_deaths` the ids of those
    known issues where a converted model ends its process for them, `stale` the ids of known issues that accepted
    nothing. `skipped` says, by cell, why nothing was run there. `layout` has a row for each of the `image_calls` of the
    first example, `modules` are the model's in it, and `reorders` counts oneDNN's in it for each conversion. `timings`
    are those of the first example at each level where it was measured. `problem`: see Problem.
    """

    model: str
    item: str
    examples: int = 0
    failures: list[ModelFailure] = field(default_factory=list)
    explained: list[FaultyModule] = field(default_factory=list)
    known_deaths: set[str] = field(default_factory=set)
    stale: list[str] = field(default_factory=list)
    skipped: dict[str, Skipped] = field(default_factory=dict)
    layout: list[LayoutRowRecord] = field(default_factory=list)
    image_calls: tuple[ImageCall, ...] = ()
    modules: tuple[ModuleLayout, ...] = ()
    reorders: dict[str, int] = field(default_factory=dict)
    timings: list[ModelTiming] = field(default_factory=list)
    problem: Problem | None = None
    weights: Weights = "fill"

    @property
    def name(self) -> str:
        """The model's name in its suite file."""
        return self.model.rpartition("::")[2]

    @property
    def findings(self) -> list[Finding]:
        """All that is wrong and not known, over all examples."""
        return [finding for failure in self.failures for finding in failure.findings]

    @property
    def reasons_not_run(self) -> list[str]:
        """Why something was not run: what is missing, each reason once, and the notes."""
        return [*dict.fromkeys(skipped.reason for skipped in self.skipped.values()), *self.notes]

    @property
    def has_failed(self) -> bool:
        """Whether something is wrong that no known issue accepts, an entry is stale, or nothing can be judged."""
        return bool(self.failures or self.stale) or self.problem is not None

    @property
    def unchecked_status(self) -> ItemStatus:
        """``untrusted`` where examples ran, ``not available`` where something is missing, else ``not run``."""
        if self.untrusted:
            return ItemStatus.UNTRUSTED
        return ItemStatus.NOT_AVAILABLE if self.skipped else ItemStatus.NOT_RUN


def is_of_run(finding: Finding) -> bool:
    """Whether a finding about a model is one of a run, and not of a way to convert it."""
    return kind_of(finding.tensor) is not TensorKind.CONVERSION


def shows_converted(finding: Finding) -> bool:
    """Whether a finding about a model shows where something of it is in channels-last."""
    return set(finding.layouts) != {BASELINE}
