"""The page: everything put together, with styles and script inside and nothing from outside."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from harness.models.answer import ModelAnswer
from harness.models.html_page.rows import module_rows
from harness.models.html_page.times import module_seconds, timing_section
from harness.models.html_page.tree import ModuleMarks, TreeBuilder
from harness.models.report import PLURALS
from harness.models.templating import HTML
from harness.models.verdict import Answer
from harness.models.way_answer import WayAnswer
from harness.reporting import FaultyModuleRecord, FindingRecord, inline_source

_STYLES: Final = ("report/style.css", "page/page.css")
_SCRIPTS: Final = ("report/copy.js", "page/tree.js")
_DOCUMENT: Final = "page/model.html.jinja"

LABELS: Final = {
    Answer.YES: "YES",
    Answer.LOSES_FORMAT: "YES, BUT",
    Answer.NO_EFFECT: "NO EFFECT",
    Answer.WRONG: "NO",
    Answer.REFUSED: "NOT JUDGED",
    Answer.NOT_JUDGED: "NOT JUDGED",
}
"""The answer in a word or two."""

TONES: Final = {Answer.YES: "good", Answer.LOSES_FORMAT: "warn", Answer.WRONG: "bad"}
"""The colours of the answers; any other is grey."""


@dataclass(frozen=True)
class PageFailure:
    """What is wrong in one way to run the model: findings about values, none about the format alone.

    `anchor` is the id of its element.
    """

    anchor: str
    way: str
    findings: Sequence[FindingRecord]
    faulty_modules: Sequence[FaultyModuleRecord]
    not_localised: str


def model_html(answer: ModelAnswer) -> str:
    """The page of an answer.

    A policy in it lets no script run but its own, known by its digest, and lets nothing be loaded: should a name of the
    model ever become an element, it would be inert.
    """
    failures = page_failures(answer.ways)
    known = [module for way in answer.ways for module in way.explained]
    modules = next((way.modules for way in answer.ways if way.modules), ())
    timings = [timing for way in answer.ways for timing in way.timings]
    tree = TreeBuilder(modules, module_marks(answer, failures, known), module_seconds(timings))
    rows = module_rows(tree.root())
    return HTML.get_template(_DOCUMENT).render(
        answer=answer,
        label=LABELS[answer.answer],
        tone=TONES.get(answer.answer, "unknown"),
        first=answer.ways[0] if answer.ways else None,
        failures=failures,
        known=known,
        modules=modules,
        rows=rows,
        times=[*map(timing_section, timings)],
        anchors={path: row.anchor for row in rows for path in row.node.paths},
        plurals=PLURALS,
        style=inline_source(HTML, *_STYLES),
        script=inline_source(HTML, *_SCRIPTS),
    )


def page_failures(ways: Sequence[WayAnswer]) -> list[PageFailure]:
    """What is wrong with values; where a format is lost is told as a place to change."""
    failures: list[PageFailure] = []
    for way in ways:
        for failure in way.failures:
            findings = [finding for finding in failure.findings if finding.oracle != "strides"]
            if findings:
                anchor = f"fault-{len(failures) + 1}"
                modules = failure.faulty_modules
                failures.append(PageFailure(anchor, way.way, findings, modules, failure.not_localised))
    return failures


def module_marks(
    answer: ModelAnswer, failures: Sequence[PageFailure], known: Sequence[FaultyModuleRecord]
) -> Mapping[str, ModuleMarks]:
    """What the page says of modules, by their paths; places and failures go by their numbers."""
    marks: dict[str, ModuleMarks] = {}
    for number, place in enumerate(answer.places, 1):
        for path in dict.fromkeys(place.modules):
            mark = marks.get(path, ModuleMarks())
            marks[path] = replace(mark, places=(*mark.places, number))
    for number, failure in enumerate(failures, 1):
        for path in dict.fromkeys(module.path for module in failure.faulty_modules):
            mark = marks.get(path, ModuleMarks())
            marks[path] = replace(mark, faults=(*mark.faults, number))
    for module in known:
        marks[module.path] = replace(marks.get(module.path, ModuleMarks()), is_known=True)
    return marks
