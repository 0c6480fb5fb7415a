"""One place of a fault in the report: an item, what is wrong in it, and the commands that show it again."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.reporting.comparison import Breakage, BreakageKind, Lasting, finding_breakage, item_breakages
from harness.reporting.fault_groups import FaultPlace
from harness.reporting.golden_item import GoldenItemRecord
from harness.reporting.model_item import ModelFailureRecord, ModelItemRecord
from harness.reporting.operator_item import FailureRecord, OperatorItemRecord
from harness.reporting.record import ItemRecord
from harness.reporting.replay import item_command, replay_line
from harness.trial import BuildChange


@dataclass(frozen=True)
class ReplayCommand:
    """A command line that shows a fault again; `about` says what it runs."""

    about: str
    line: str


@dataclass(frozen=True)
class PagePlace:
    """One place of a fault. `variant` tells the items of a case, a model or golden/ apart, `tensor` is what is wrong.

    `failure` is what the record has of an operator's finding, `model_failure` of a model's; both None for what is no
    finding. `since` says in which run of the history it began; None without a history. `change` says which of two
    builds shows it; None where one alone was run. `more` are the sentences of what else is of the same kind in the
    item. `anchor` is the id of its element in the document.
    """

    breakage: Breakage
    subject: str
    variant: str
    tensor: str = ""
    commands: Sequence[ReplayCommand] = ()
    failure: FailureRecord | None = None
    model_failure: ModelFailureRecord | None = None
    change: BuildChange | None = None
    more: Sequence[str] = ()
    since: Lasting | None = None
    anchor: str = ""

    @property
    def script(self) -> str:
        """A script that shows the fault with PyTorch alone; empty where the record has none."""
        return self.failure.script if self.failure else ""

    @property
    def words(self) -> str:
        """As the terminal names it: ``relu[float32] output[0]``."""
        return f"{self.subject}[{self.variant}] {self.tensor}".rstrip()


def operator_place(place: FaultPlace, seed: int) -> PagePlace:
    """A failure of an operator."""
    failure, item = place.failure, place.item
    replay = ReplayCommand("the minimal example", replay_line(failure.example))
    return PagePlace(
        breakage=finding_breakage(place.node_id, failure.finding, failure.pattern_kinds),
        subject=item.name,
        variant=item.dtype,
        tensor=failure.finding.tensor,
        commands=(replay, _whole_item(place.node_id, seed)),
        failure=failure,
        change=_change(item, failure),
    )


def model_place(node_id: str, item: ModelItemRecord, failure: ModelFailureRecord, seed: int) -> PagePlace:
    """A failure of a model, by its worst finding."""
    worst = failure.findings[0]
    return PagePlace(
        breakage=finding_breakage(node_id, worst),
        subject=item.name,
        variant=item.item,
        tensor=worst.tensor,
        commands=(_whole_item(node_id, seed),),
        model_failure=failure,
    )


def other_places(node_id: str, item: ItemRecord, seed: int) -> Iterator[PagePlace]:
    """What an item fails for beside findings, one place for each kind of it."""
    by_kind: dict[BreakageKind, list[Breakage]] = {}
    for breakage in item_breakages(node_id, item):
        if breakage.kind is not BreakageKind.FINDING:
            by_kind.setdefault(breakage.kind, []).append(breakage)
    for first, *more in by_kind.values():
        yield PagePlace(
            breakage=first,
            subject=item.name,
            variant=_variant(item),
            commands=(_whole_item(node_id, seed),),
            more=[breakage.message for breakage in more],
        )


def _whole_item(node_id: str, seed: int) -> ReplayCommand:
    return ReplayCommand("the whole item", item_command(node_id, seed))


def _variant(item: ItemRecord) -> str:
    """What tells the items of one case, of one model or of golden/ apart: dtype, way to run it, suite."""
    match item:
        case OperatorItemRecord():
            return item.dtype
        case ModelItemRecord():
            return item.item
        case GoldenItemRecord():
            return item.suite


def _change(item: OperatorItemRecord, failure: FailureRecord) -> BuildChange | None:
    """Which of two builds shows a failure of the item."""
    key = (failure.finding.oracle, failure.finding.tensor)
    findings = item.against.findings if item.against else ()
    return next((each.change for each in findings if each.fails and key == (each.oracle, each.tensor)), None)
