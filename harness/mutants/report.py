"""What a run of mutants came to, as one document and as a table."""

from __future__ import annotations

import enum
import math
import statistics
from collections.abc import Iterator, Sequence
from typing import Any, Final

from pydantic import BaseModel, ConfigDict

from harness.core import Example
from harness.generation import shapes
from harness.mutants.mutant_trial import Catch, MutantOutcome
from harness.mutants.peers import Peer


class MutantState(enum.StrEnum):
    """What became of a mutant. The text is what is printed."""

    CAUGHT = "caught"
    MISSED = "missed"
    NOT_RUN = "not run"


class CatchRecord(BaseModel):
    """How it was caught. `elements` are those of the first tensor of the minimal example."""

    model_config = ConfigDict(frozen=True)
    item: str
    oracle: str
    tensor: str
    kind: str
    message: str
    example: dict[str, Any]
    elements: int


class PeerRecord(BaseModel):
    """What another way to test came to: in how many examples, and what it noticed."""

    model_config = ConfigDict(frozen=True)
    is_caught: bool
    examples: int
    message: str


class MutantRow(BaseModel):
    """One mutant. `examples` and `seconds` are those until the first finding, or all of them; `peers` by column.

    `lack` is why it was not run.
    """

    model_config = ConfigDict(frozen=True)
    name: str
    family: str
    fault_class: str
    operator: str
    state: MutantState
    examples: int
    seconds: float
    catch: CatchRecord | None
    peers: dict[str, PeerRecord] = {}
    lack: str = ""


class MutantReport(BaseModel):
    """A run: the build, its levels, the seed, the most examples of an item (None: a gate's), and every mutant."""

    model_config = ConfigDict(frozen=True)
    torch: str
    onednn: str
    cpu: str
    levels: list[str]
    seed: int
    most_examples: int | None
    seconds: float
    rows: list[MutantRow]

    @property
    def missed_rows(self) -> list[MutantRow]:
        """The mutants that nothing was found of."""
        return [row for row in self.rows if row.state is MutantState.MISSED]


def mutant_row(outcome: MutantOutcome) -> MutantRow:
    """The row of a mutant."""
    mutant, catch = outcome.mutant, outcome.catch
    return MutantRow(
        name=mutant.name,
        family=mutant.family,
        fault_class=mutant.fault_class.value,
        operator=mutant.operator,
        state=_state(outcome),
        examples=outcome.examples,
        seconds=round(outcome.seconds, 3),
        catch=None if catch is None else _catch_record(catch),
        peers={
            peer.value: PeerRecord(is_caught=result.is_caught, examples=result.examples, message=result.message)
            for peer, result in outcome.peers.items()
        },
        lack=outcome.lack,
    )


def _state(outcome: MutantOutcome) -> MutantState:
    if outcome.lack:
        return MutantState.NOT_RUN
    return MutantState.MISSED if outcome.catch is None else MutantState.CAUGHT


def _catch_record(catch: Catch) -> CatchRecord:
    finding, minimal = catch.finding, catch.minimal
    return CatchRecord(
        item=catch.item.name,
        oracle=finding.oracle,
        tensor=finding.tensor,
        kind=finding.kind,
        message=finding.message,
        example=_example_fields(minimal),
        elements=math.prod(next(iter(shapes(catch.item.case, minimal).values()), ())),
    )


def _example_fields(example: Example) -> dict[str, Any]:
    """The example as its JSON has it."""
    return dict(vars(example))


def report_text(report: MutantReport) -> str:
    """A line for each mutant, family by family, and what they come to."""
    head = f"PyTorch {report.torch}, oneDNN {report.onednn}, {report.cpu}; seed {report.seed}"
    lines = [head, f"levels: {', '.join(report.levels)}", "", _line(HEADS)]
    lines += [row_text(row) for row in report.rows]
    return "\n".join([*lines, "", *_totals(report.rows), f"{report.seconds:.0f} s"])


def row_text(row: MutantRow) -> str:
    """What became of a mutant, after how many examples and seconds, how small it got, and who else notices it."""
    by = row.lack if row.catch is None else f"{row.catch.oracle} of {row.catch.tensor or 'the call'}, {row.catch.item}"
    elements = "" if row.catch is None else str(row.catch.elements)
    others = [_peer_word(row, peer) for peer in Peer]
    return _line((row.name, row.fault_class, row.state, str(row.examples), f"{row.seconds:.1f}", elements, *others, by))


def _peer_word(row: MutantRow, peer: Peer) -> str:
    return "" if peer.value not in row.peers else "caught" if row.peers[peer.value].is_caught else "missed"


HEADS: Final = ("mutant", "class", "", "examples", "seconds", "elements", *(peer.value for peer in Peer), "by")
WIDTHS: Final = ("42", "14", "7", ">8", ">7", ">8", ">12", ">10", "")
"""Of each column: right-aligned where a number stands."""


def _line(cells: Sequence[str]) -> str:
    return "  ".join(format(cell, width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


def _totals(rows: Sequence[MutantRow]) -> Iterator[str]:
    """How many were caught, how long it took to catch them, and how many the peers caught."""
    caught = [row for row in rows if row.state is MutantState.CAUGHT]
    idle = [row.name for row in rows if row.state is MutantState.NOT_RUN]
    yield f"{len(caught)} of {len(rows) - len(idle)} caught"
    if caught:
        examples = [row.examples for row in caught]
        seconds = [row.seconds for row in caught]
        elements = [row.catch.elements for row in caught if row.catch is not None]
        yield (
            f"to the first finding: {statistics.median(examples):g} examples and {statistics.median(seconds):.1f} s in "
            f"the median, {max(examples)} and {max(seconds):.1f} s at most; "
            f"{statistics.median(elements):g} elements in the smallest example"
        )
    for peer in Peer:
        results = [row.peers[peer.value].is_caught for row in rows if peer.value in row.peers]
        if results:
            yield f"{peer.value}: {sum(results)} of {len(results)} caught"
    if missed := [row.name for row in rows if row.state is MutantState.MISSED]:
        yield f"missed: {', '.join(missed)}"
    if idle:
        yield f"not run: {', '.join(idle)}"
