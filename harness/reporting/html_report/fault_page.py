"""The faults of a report: what fails, the most serious first, each with all that its record says of it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.core.finding import Oracle
from harness.reporting.comparison import Breakage, BreakageKind, Lasting, finding_breakage, item_breakages
from harness.reporting.finding_record import FindingRecord
from harness.reporting.golden_item import GoldenItemRecord
from harness.reporting.model_item import ModelFailureRecord, ModelItemRecord
from harness.reporting.operator_item import FailureRecord, OperatorItemRecord
from harness.reporting.record import ItemRecord, Record
from harness.reporting.replay import item_command, replay_line


class Seriousness(enum.IntEnum):
    """How bad a fault is; the least is the worst. The report has a colour for each."""

    MEMORY = 0
    """The process ends, hangs, or reads or writes where it may not."""
    NUMBERS = 1
    """What comes back is wrong, or nothing comes back."""
    FORMAT = 2
    """Right numbers in another format, shape or dtype."""
    OTHER = 3
    """No finding: golden/ differs, a known issue is stale, nothing was checked."""


SERIOUSNESS: Final[Mapping[Oracle, Seriousness]] = {
    "crash": Seriousness.MEMORY,
    "hang": Seriousness.MEMORY,
    "written": Seriousness.MEMORY,
    "range": Seriousness.MEMORY,
    "values": Seriousness.NUMBERS,
    "repeat": Seriousness.NUMBERS,
    "error": Seriousness.NUMBERS,
    "shape": Seriousness.FORMAT,
    "dtype": Seriousness.FORMAT,
    "strides": Seriousness.FORMAT,
}


@dataclass(frozen=True)
class ReplayCommand:
    """A command line that shows a fault again; `about` says what it runs."""

    about: str
    line: str


@dataclass(frozen=True)
class FaultPage:
    """One thing that fails. `anchor` is the id of its element in the document; `label` a word or two for its kind.

    `failure` is what the record has of an operator's finding, `model_failure` of a model's; both None for what is no
    finding. `since` says in which run of the history it began; None without a history. `more` are the sentences of
    what else is of the same kind in the same item.
    """

    anchor: str
    label: str
    seriousness: Seriousness
    breakage: Breakage
    subject: str
    variant: str
    commands: Sequence[ReplayCommand]
    failure: FailureRecord | None = None
    model_failure: ModelFailureRecord | None = None
    since: Lasting | None = None
    more: Sequence[str] = ()

    @property
    def script(self) -> str:
        """A script that shows the fault with PyTorch alone; empty where the record has none."""
        return self.failure.script if self.failure else ""


def fault_pages(record: Record, lasting: Iterable[Lasting] = ()) -> list[FaultPage]:
    """A page for each thing that fails, the most serious first; `lasting` is what the history says of them."""
    since = {story.breakage.key: story for story in lasting}
    pages = [page for name, item in record.items.items() for page in _item_pages(name, item, record.run.seed)]
    pages.sort(key=lambda page: page.seriousness)  # else in the order of the record
    return [
        replace(page, anchor=f"fault-{number}", since=since.get(page.breakage.key))
        for number, page in enumerate(pages, 1)
    ]


def _item_pages(name: str, item: ItemRecord, seed: int) -> Iterator[FaultPage]:
    again = ReplayCommand("the whole item", item_command(name, seed))
    variant = _variant(item)
    if isinstance(item, OperatorItemRecord):
        for failure in item.failures:
            replay = ReplayCommand("the minimal example", replay_line(failure.example))
            yield _finding_page(name, item.name, variant, failure.finding, (replay, again), failure=failure)
    elif isinstance(item, ModelItemRecord):
        for of_model in item.failures:
            yield _finding_page(name, item.name, variant, of_model.findings[0], (again,), model_failure=of_model)
    others: dict[BreakageKind, list[Breakage]] = {}
    for breakage in item_breakages(name, item):
        others.setdefault(breakage.kind, []).append(breakage)
    for kind, (first, *more) in others.items():
        if kind is not BreakageKind.FINDING:
            words = [breakage.message for breakage in more]
            yield FaultPage("", kind, Seriousness.OTHER, first, item.name, variant, (again,), more=words)


def _variant(item: ItemRecord) -> str:
    """What tells the items of one case, of one model or of golden/ apart: dtype, way to run it, suite."""
    match item:
        case OperatorItemRecord():
            return item.dtype
        case ModelItemRecord():
            return item.item
        case GoldenItemRecord():
            return item.suite


def _finding_page(  # noqa: PLR0913, PLR0917 - what a page is made of
    item: str,
    subject: str,
    variant: str,
    finding: FindingRecord,
    commands: Sequence[ReplayCommand],
    failure: FailureRecord | None = None,
    model_failure: ModelFailureRecord | None = None,
) -> FaultPage:
    seriousness = SERIOUSNESS[finding.oracle]
    breakage = finding_breakage(item, finding)
    label = finding.oracle if finding.oracle == finding.kind else f"{finding.oracle}, {finding.kind}"
    return FaultPage("", label, seriousness, breakage, subject, variant, commands, failure, model_failure)
