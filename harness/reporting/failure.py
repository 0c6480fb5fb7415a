"""What a failed item prints: one sentence, the minimal example, the table of cells, the command that runs it again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.core import MismatchedElement
from harness.reporting.diagnosis_record import VariationRecord
from harness.reporting.own_reference import own_reference_sentence
from harness.reporting.templating import TEMPLATES
from harness.trial import CellRow, Diagnosis, Failure, Outcome, Variation, VariedAspect


@dataclass(frozen=True)
class CellLine:
    """One line of the table of cells as it is printed."""

    cell: str
    verdict: str
    ratio: str
    kernels: str


@dataclass(frozen=True)
class ElementLine:
    """One element that differs as it is printed."""

    index: str
    expected: str
    got: str
    ulps: str


@dataclass(frozen=True)
class FailurePage:
    """One failure as it is printed: its sentence, what makes it go away, the elements that differ, the cells."""

    failure: Failure
    sentence: str
    diagnosis: Sequence[str]
    elements: Sequence[ElementLine]
    rows: Sequence[CellLine]


def failure_text(outcome: Outcome, options: str = "") -> str:
    """The story of a failed trial, rendered from `templates/failure.txt`; `options` are those a replay needs."""
    suite, _, name = outcome.case.partition("::")
    return TEMPLATES.get_template("failure.txt").render(
        outcome=outcome,
        name=name,
        suite=suite,
        failures=[_page(outcome, failure) for failure in outcome.failures],
        stale=[(name, outcome.reproducers[name]) for name in outcome.stale],
        options=options,
        own_reference=own_reference_sentence([name] if outcome.is_own_reference else []),
    )


def cell_table(rows: Iterable[CellRow]) -> list[CellLine]:
    """The table of cells as it is printed: no ratio where there is no number, ATen where nothing else ran."""
    return [
        CellLine(
            row.cell,
            row.verdict,
            f"{row.ratio:.3g}" if row.ratio else "",
            " ".join((*row.operators, *row.kernels)) or "ATen",
        )
        for row in rows
    ]


def element_table(elements: Iterable[MismatchedElement]) -> list[ElementLine]:
    """The first elements as they are printed: no distance where there is none to tell."""
    return [
        ElementLine(str([*each.index]), each.expected, each.got, "" if each.ulps is None else f"{each.ulps:,}")
        for each in elements
    ]


def _page(outcome: Outcome, failure: Failure) -> FailurePage:
    elements = element_table(failure.elements)
    sentence, diagnosis = _sentence(outcome, failure), diagnosis_lines(failure.diagnosis)
    return FailurePage(failure, sentence, diagnosis, elements, cell_table(failure.rows))


def diagnosis_lines(diagnosis: Diagnosis) -> list[str]:
    """What makes a failure go away and what does not, a line each; none where nothing was tried."""
    if not diagnosis:
        return []
    lines = [
        f"goes away with: {variation_list(diagnosis.goes_away) or 'nothing that was tried'}",
        f"stays with: {variation_list(diagnosis.stays) or 'nothing that was tried'}",
    ]
    by_reason: dict[str, list[Variation]] = {}
    for each in diagnosis.undecided:
        by_reason.setdefault(each.reason, []).append(each.variation)
    lines += [f"not known with: {variation_list(several)} ({reason})" for reason, several in by_reason.items()]
    return lines


def variation_list(variations: Sequence[Variation | VariationRecord]) -> str:
    """Variations in words, the levels together."""
    levels = [each.words for each in variations if each.aspect is VariedAspect.LEVEL]
    others = [each.words for each in variations if each.aspect is not VariedAspect.LEVEL]
    together = [f"{'level' if len(levels) == 1 else 'levels'} {', '.join(levels)}"] if levels else []
    return "; ".join([*others, *together])


def _sentence(outcome: Outcome, failure: Failure) -> str:
    """What is wrong, in one sentence: the operator, dtype, kind, and the oracle's message."""
    finding = failure.finding
    name = outcome.case.rpartition("::")[2]
    return f"{name} in {outcome.dtype} ({finding.kind}): {finding.message}"
