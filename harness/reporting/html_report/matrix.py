"""The matrix of a report: case x dtype x level, and the models beside it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import CellState, ItemStatus
from harness.portable.dtypes import DTYPES
from harness.reporting.html_report.fault_page import FaultPage
from harness.reporting.model_item import ModelItemRecord
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.record import Record, example_count
from harness.reporting.summary import MARKS, worst_state

CODES: Final = {
    CellState.PASSED: "p",
    CellState.FAILED: "f",
    CellState.KNOWN_ISSUE: "k",
    CellState.UNTRUSTED: "u",
    CellState.NOT_RUN: "n",
}
"""A letter for each state: the class of its mark, and what the filter looks for."""

Item = OperatorItemRecord | ModelItemRecord


@dataclass(frozen=True)
class LevelMark:
    """What one level came to: `code` is one of `CODES`, `mark` the letter of the terminal's summary."""

    level: int
    code: str
    mark: str


@dataclass(frozen=True)
class MatrixCell:
    """One item. `words` says it for who does not see the marks; `fault` is the anchor of its worst fault, or empty.

    An item may fail although none of its levels does, as where golden/ differs: then `is_failed` alone says it.
    """

    marks: Sequence[LevelMark]
    words: str
    is_failed: bool
    fault: str

    @property
    def codes(self) -> str:
        """The codes of its levels in their order."""
        return "".join(mark.code for mark in self.marks)


@dataclass(frozen=True)
class MatrixRow:
    """A case over dtypes, or a model over the ways to run it; the worst ratio is None where all was exact.

    `pairs` is per cent of the pairs of corner values.
    """

    name: str
    suite: str
    cells: Mapping[str, MatrixCell]
    examples: int
    ratio: float | None
    pairs: int | None
    seconds: float


@dataclass(frozen=True)
class Matrix:
    """Rows by columns: dtypes for operators, ways to run it for models. `levels` are those that ran."""

    columns: Sequence[str]
    levels: Sequence[str]
    rows: Sequence[MatrixRow]


def operator_matrix(record: Record, pages: Iterable[FaultPage]) -> Matrix:
    """The matrix of the operators of a record."""
    operators = record.operators
    dtypes = {item.dtype for item in operators.values()}
    columns = [*(dtype for dtype in DTYPES if dtype in dtypes), *sorted(dtypes - set(DTYPES))]
    anchors = _anchors(pages)
    rows: dict[str, dict[str, tuple[str, OperatorItemRecord]]] = {}
    for name, item in operators.items():
        rows.setdefault(item.case, {})[item.dtype] = (name, item)
    return Matrix(columns, record.cells, [_operator_row(row, record.cells, anchors) for row in rows.values()])


def model_matrix(record: Record, pages: Iterable[FaultPage]) -> Matrix:
    """The matrix of the models of a record."""
    anchors = _anchors(pages)
    rows: dict[str, dict[str, tuple[str, ModelItemRecord]]] = {}
    for name, item in record.models.items():
        rows.setdefault(item.model, {})[item.item] = (name, item)
    columns = dict.fromkeys(item.item for item in record.models.values())
    return Matrix([*columns], record.cells, [_model_row(row, record.cells, anchors) for row in rows.values()])


def _anchors(pages: Iterable[FaultPage]) -> dict[str, str]:
    """Node id: the anchor of the item's place in its first fault."""
    anchors: dict[str, str] = {}
    for place in (place for page in pages for place in page.places):
        anchors.setdefault(place.breakage.item, place.anchor)
    return anchors


def _operator_row(
    row: Mapping[str, tuple[str, OperatorItemRecord]], levels: Sequence[str], anchors: Mapping[str, str]
) -> MatrixRow:
    items = [item for _, item in row.values()]
    pairs, of = sum(item.coverage.pairs for item in items), sum(item.coverage.of for item in items)
    return MatrixRow(
        name=items[0].name,
        suite=items[0].suite,
        cells={dtype: _cell(item, levels, anchors.get(name, "")) for dtype, (name, item) in row.items()},
        examples=sum(map(example_count, items)),
        ratio=max((ratio for item in items for ratio in item.ratios.values()), default=None),
        pairs=100 * pairs // of if of else None,
        seconds=sum(item.seconds for item in items),
    )


def _model_row(
    row: Mapping[str, tuple[str, ModelItemRecord]], levels: Sequence[str], anchors: Mapping[str, str]
) -> MatrixRow:
    items = [item for _, item in row.values()]
    return MatrixRow(
        name=items[0].name,
        suite=items[0].model.partition("::")[0],
        cells={way: _cell(item, levels, anchors.get(name, "")) for way, (name, item) in row.items()},
        examples=sum(map(example_count, items)),
        ratio=max((ratio for item in items for ratio in item.ratios.values()), default=None),
        pairs=None,
        seconds=sum(item.seconds for item in items),
    )


def _cell(item: Item, levels: Sequence[str], anchor: str) -> MatrixCell:
    states = [worst_state(item.cells.get(level, {})) for level in levels]
    marks = [LevelMark(number, CODES[state], MARKS[state]) for number, state in enumerate(states)]
    return MatrixCell(marks, _words(item.status, levels, states), item.status is ItemStatus.FAILED, anchor)


def _words(status: ItemStatus, levels: Sequence[str], states: Sequence[CellState]) -> str:
    """``passed``, or the item's status and what is otherwise at which level."""
    others = [f"{state} at {level}" for level, state in zip(levels, states, strict=True) if str(state) != str(status)]
    return "; ".join([str(status), *others])
