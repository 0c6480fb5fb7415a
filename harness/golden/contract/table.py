"""The table of docs/contract.md: which operators keep channels-last, read from the layout contract."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.core import Case
from harness.golden.contract.layout_rule import FORMATS
from harness.golden.contract.lines import LEVELS, Contract

ANSWERS: Final = ("output and gradients", "output only", "it depends", "not the output")
"""The columns: what is channels-last where every tensor that can be, grad_output too, is channels-last.

``it depends``: the output's format on an option, the dtype or the level. ``output only``: some gradient is not always.
"""


def answer(contract: Contract, case: Case, shapes: Sequence[str]) -> str | None:
    """One of `ANSWERS` for these shapes; None where no output has a format, or golden/ has no line of the case."""
    outputs = _formats(contract, case, shapes, gradients=False)
    if not outputs:
        return None
    if outputs == {FORMATS[1]}:
        return ANSWERS[0] if _formats(contract, case, shapes, gradients=True) <= outputs else ANSWERS[1]
    return ANSWERS[2] if FORMATS[1] in outputs else ANSWERS[3]


def _formats(contract: Contract, case: Case, shapes: Sequence[str], *, gradients: bool) -> set[str]:
    """The formats of the outputs, or gradients, that have one: over these shapes, all dtypes and all levels."""
    everything = {"grad_output", *(spec.name for spec in case.tensors if spec.channels_last)}
    return {
        line.layout_rule.format(everything) or FORMATS[0]
        for line in contract.lines(case.name)
        if line.tensor.startswith("grad:" if gradients else "output") and line.layout_rule.has_format
        for shape in shapes
        if any(line.covers((line.tensor, shape, level), dtype) for dtype in case.dtypes for level in LEVELS)
    }


def answer_table(answers: Mapping[str, Mapping[str, str]]) -> Iterator[str]:
    """Lines of Markdown: a row for each suite, from suite → case → answer. A name stands for its twin `_3d` as well."""
    yield f"| suite | {' | '.join(ANSWERS)} |"
    yield "|---" * (len(ANSWERS) + 1) + "|"
    for suite, found in answers.items():
        cells = [", ".join(_named(found, column)) for column in ANSWERS]
        yield f"| {suite} | {' | '.join(cells)} |"


def _named(found: Mapping[str, str], column: str) -> Iterator[str]:
    for case, said in found.items():
        plain = case.removesuffix("_3d")
        if said == column and (plain == case or found.get(plain) != column):
            yield f"`{case}`"
