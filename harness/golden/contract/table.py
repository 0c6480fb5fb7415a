"""The table of docs/contract.md: which operators keep channels-last, read from the layout contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.core import Case
from harness.golden.contract.contract import Contract
from harness.golden.contract.line import LEVELS
from harness.portable.tensor_name import TensorKind, kind_of

CHANNELS_LAST: Final = "channels_last"
ANSWERS: Final = ("output and gradients", "output only", "it depends", "not the output")
"""The columns: what is channels-last where every tensor that can be, grad_output too, is channels-last.

``it depends``: the output's format on an option, the dtype or the level. ``output only``: some gradient is not always.
"""


def answer(contract: Contract, case: Case, shapes: Sequence[str]) -> str | None:
    """One of `ANSWERS` for these shapes; None where no output has a format, or golden/ has no line of the case."""
    outputs = _formats(contract, case, shapes, TensorKind.OUTPUT)
    if not outputs:
        return None
    if outputs == {CHANNELS_LAST}:
        return ANSWERS[0] if _formats(contract, case, shapes, TensorKind.GRADIENT) <= outputs else ANSWERS[1]
    return ANSWERS[2] if CHANNELS_LAST in outputs else ANSWERS[3]


def _formats(contract: Contract, case: Case, shapes: Sequence[str], kind: TensorKind) -> set[str]:
    """The formats of the tensors of that kind, in the newest release, over these shapes, all dtypes and levels."""
    every = {"grad_output", *(spec.name for spec in case.tensors if spec.last_layout)}
    return {
        line.rule.format_of(every) or "contiguous"
        for line in contract.lines_of(case.name, contract.newest)
        if kind_of(line.tensor) is kind and line.rule.has_format
        for shape in shapes
        if any(line.covers((line.tensor, shape, level), dtype) for dtype in case.dtypes for level in LEVELS)
    }


def answer_table(answers: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Lines of Markdown: a row for each suite, from suite → case → answer.

    A name stands for its three-dimensional form, ``<name>_3d``, as well where both have the same answer.
    """
    yield f"| suite | {' | '.join(ANSWERS)} |"
    yield "|---" * (len(ANSWERS) + 1) + "|"
    for suite, by_case in answers.items():
        cells = [", ".join(_names_in_column(by_case, column)) for column in ANSWERS]
        yield f"| {suite} | {' | '.join(cells)} |"


def _names_in_column(answers: Mapping[str, str], column: str) -> Iterator[str]:
    for case, text in answers.items():
        plain = case.removesuffix("_3d")
        if text == column and (plain == case or answers.get(plain) != column):
            yield f"`{case}`"
