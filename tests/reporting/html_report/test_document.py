"""The report as text: what stands in it, for whom it can be read, and that nothing foreign is markup in it."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.core import CellState, ItemStatus, Severity
from harness.core.finding import FindingKind, Oracle
from harness.reporting import FailureRecord, Record, fault_groups, html_report, operator_item_record
from harness.reporting.comparison import history_of
from harness.reporting.foreign_text import HIDDEN
from harness.reporting.html_report.builds import builds_section
from harness.reporting.html_report.fault_page import fault_pages
from harness.reporting.html_report.headroom import headroom
from harness.reporting.html_report.matrix import model_matrix, operator_matrix
from harness.reporting.html_report.sections import implementation_rows, unchecked_reasons
from harness.trial import BuildChange, BuildComparison, Outcome, TensorDrift
from tests.reporting.comparison.runs import (
    CASE,
    POOL,
    failing_item,
    failing_model,
    failure,
    item,
    recorded_run,
    stale_item,
)
from tests.reporting.html_report.hostile import hostile_record
from tests.reporting.records import record
from tests.reporting.test_against_summary import EXAMPLE, compared_record
from tests.reporting.test_against_summary import finding as changed_finding

VOID = {"meta", "link", "input", "br"}
ELEMENTS = {
    "html", "head", "meta", "title", "link", "style", "script", "body", "header", "nav", "main", "footer", "section",
    "h1", "h2", "h3", "h4", "p", "dl", "div", "dt", "dd", "ul", "li", "a", "span", "strong", "i", "code", "pre",
    "details", "summary", "table", "caption", "thead", "tbody", "tr", "th", "td", "label", "input", "select", "option",
    "button", "output", "figure", "figcaption", "svg", "rect", "text", "line", "polyline", "circle", "desc",
}  # fmt: skip
"""All that the templates write; none of them loads or runs anything but the one script and the one style."""


class Outline(HTMLParser):
    """The elements of a document in their order, with their attributes, and whether they are closed in turn."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Note the element."""
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """It closes what was opened last."""
        assert self.open.pop() == tag

    def attributes(self, name: str) -> Iterator[str]:
        """The values of one attribute."""
        return (value or "" for _, attributes in self.elements if (value := attributes.get(name)) is not None)


def full_record() -> Record:
    """Items of every sort: failed in several ways, passed, known, not available, a model."""
    return record(
        failing_item(failure(), failure(tensor="grad:input")),
        item(dtype="float64", cells={"sse41": {CellState.PASSED: 2}, "avx2": {CellState.KNOWN_ISSUE: 1}}),
        stale_item(dtype="bfloat16"),
        item(dtype="int8", status=ItemStatus.NOT_AVAILABLE, lack="no kernel for int8", examples={}),
        failing_model(),
    )


def broken(oracle: Oracle, kind: FindingKind = "layout") -> FailureRecord:
    """A failure of that property."""
    whole = failure()
    return whole.model_copy(update={"finding": whole.finding.model_copy(update={"oracle": oracle, "kind": kind})})


def many_places() -> Record:
    """One fault in an output and a gradient of three items, and another fault of one of them, which is worse."""
    both = (failure(), failure(tensor="grad:input"))
    return record(
        failing_item(*both, broken("written")),
        failing_item(*both, dtype="float64"),
        failing_item(*both, case="suites/operators/pooling.yaml::avg_pool2d"),
    )


def two_builds() -> Record:
    """A run of two builds in which something is new and fails, and other things are gone, in both or known."""
    whole = compared_record()
    failed = whole.operators[POOL].model_copy(update={"status": ItemStatus.FAILED, "failures": (failure(),)})
    return whole.model_copy(update={"items": {**whole.items, POOL: failed}})


def report(whole: Record) -> Outline:
    """The outline of its report, with a history."""
    return Outline(html_report(whole, "record.json", history_of([recorded_run(item()), recorded_run(failing_item())])))


@pytest.mark.parametrize(
    "whole", [full_record(), many_places(), two_builds(), record(item()), record(), hostile_record()]
)
def test_the_document_is_well_formed_and_has_the_elements_of_its_templates_alone(whole: Record) -> None:
    """Every element is closed in its turn; there is one script, one style, and nothing that the templates lack."""
    outline = report(whole)
    assert outline.open == []
    counts = Counter(tag for tag, _ in outline.elements)
    assert set(counts) <= ELEMENTS
    assert (counts["script"], counts["style"], counts["main"], counts["h1"]) == (1, 1, 1, 1)


def test_no_text_of_a_record_is_an_attribute_that_acts() -> None:
    """No handler, no style, no address but those within the page, and the attack is text in all of them."""
    outline = report(hostile_record())
    names = {name for _, attributes in outline.elements for name in attributes}
    assert [name for name in names if name.startswith("on")] == []
    assert "style" not in names
    assert "src" not in names
    assert [link for link in outline.attributes("href") if not re.fullmatch(r"#[a-z0-9-]+|data:,", link)] == []


def test_a_hostile_record_leaves_no_hidden_character_and_no_endless_line() -> None:
    """Escape sequences are written out, and only what is copied or read in full has ten thousand characters."""
    text = html_report(hostile_record(), "x\x1b.json")
    assert HIDDEN.search(text) is None
    assert r"\x1b[31mred" in text
    assert len(text) < 1_000_000


def test_nothing_is_loaded_from_anywhere() -> None:
    """The policy forbids it, and lets only this script and this style be used, known by their digests."""
    outline = report(full_record())
    policy = next(attributes for tag, attributes in outline.elements if "http-equiv" in attributes)["content"]
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert len(re.findall(r"'sha256-[\w+/]{43}='", policy)) == 2


def test_what_helps_a_screen_reader_is_there() -> None:
    """Landmarks, names for what scrolls, heads for what is a table, and references that lead somewhere."""
    outline = report(full_record())
    ids = Counter(outline.attributes("id"))
    assert max(ids.values()) == 1
    for reference in (
        *outline.attributes("aria-labelledby"),
        *outline.attributes("for"),
        *outline.attributes("data-copy"),
    ):
        assert set(reference.split()) <= set(ids)
    links = [link.removeprefix("#") for link in outline.attributes("href") if link.startswith("#")]
    assert set(links) <= set(ids)
    tags = {tag for tag, _ in outline.elements}
    assert {"header", "nav", "main", "footer", "caption"} <= tags
    regions = [
        attributes
        for _, attributes in outline.elements
        if attributes.get("role") in ("region", "group", "img", "search")
    ]
    assert all("aria-label" in attributes or "aria-labelledby" in attributes for attributes in regions)
    assert all("scope" in attributes for tag, attributes in outline.elements if tag == "th")
    assert ("html", {"lang": "en"}) in outline.elements


def test_a_run_that_was_cut_short_says_so() -> None:
    """At the top, where nobody overlooks it."""
    whole = record(item())
    assert "cut short" not in html_report(whole, "x")
    assert "cut short" in html_report(whole.model_copy(update={"complete": False}), "x").partition("<nav")[0]


def test_faults_stand_in_the_order_of_their_severity() -> None:
    """Crash, values, a model's loss, formats, and then what is no finding; the history says since when."""
    whole = record(stale_item(failures=(broken("strides"), failure(), broken("crash", "crash"))), failing_model())
    lasting = history_of([recorded_run(failing_item())]).lasting
    pages = fault_pages(whole, lasting)
    wrong = Severity.WRONG_VALUES
    assert [page.severity for page in pages] == [Severity.CRASH, wrong, wrong, Severity.LAYOUT, None]
    assert [page.anchor for page in pages] == [f"fault-{number}" for number in range(1, 6)]
    assert [page.label for page in pages] == [
        "crash",
        "wrong-values (layout)",
        "wrong-values (layout)",
        "layout",
        "stale known issue",
    ]
    assert [page.since is not None for page in pages] == [False, False, True, False, False]


def test_a_fault_is_one_page_with_its_places() -> None:
    """The pages are the groups of the terminal, in its order; each place has its own commands and anchor."""
    whole = many_places()
    pages, groups = fault_pages(whole), fault_groups(whole)
    assert [[place.words for place in page.places] for page in pages] == [
        [place.words for place in group.places] for group in groups
    ]
    assert [len(page.places) for page in pages] == [1, 6]
    assert pages[1].kernels == ("pooling:jit",)
    assert pages[1].first.tensor == "output[0]"
    assert [place.anchor for place in pages[1].places] == [f"fault-2-place-{number}" for number in range(1, 7)]
    items = {place.breakage.item: place.commands[1].line for place in pages[1].places}
    assert items == {name: f"pytest '{name}' --eq-seed 0" for name in whole.items}


def test_a_failed_cell_leads_to_its_place_in_the_worst_fault() -> None:
    """Of an item with two faults the one that is worse; of the others the place that is theirs."""
    whole = many_places()
    rows = operator_matrix(whole, fault_pages(whole)).rows
    anchors = {(row.name, dtype): cell.fault for row in rows for dtype, cell in row.cells.items()}
    assert anchors == {
        ("max_pool2d", "float32"): "fault-1",
        ("max_pool2d", "float64"): "fault-2-place-2",
        ("avg_pool2d", "float32"): "fault-2-place-3",
    }


def test_what_is_the_same_in_one_item_is_one_page() -> None:
    """Ten differences from golden/ are a page with ten sentences."""
    golden = item().golden.model_copy(update={"differing": tuple(f"a.yaml:1: {number}" for number in range(10))})
    (page,) = fault_pages(record(item(status=ItemStatus.FAILED, golden=golden)))
    assert (page.first.breakage.message, len(page.first.more)) == ("a.yaml:1: 0", 9)


def test_two_builds_are_told_apart() -> None:
    """What fails comes first and leads to its fault, which says that it is new; each has its example's command."""
    whole = two_builds()
    pages = fault_pages(whole)
    section = builds_section(whole, pages)
    assert section is not None
    assert [(table.change, table.count) for table in section.tables] == [
        (BuildChange.NEW, 1),
        (BuildChange.GONE, 1),
        (BuildChange.IN_BOTH, 1),
    ]
    rows = [row for table in section.tables for row in table.rows]
    assert [(row.line.item.node_id, row.fault) for row in rows] == [(POOL, "fault-1"), (POOL, ""), (POOL, "")]
    assert [page.changes for page in pages] == [[BuildChange.NEW]]
    assert all(row.command.startswith("equivalence replay '{") for row in rows)
    assert [line.tensor for line in section.view.drift] == ["grad:input", "output[0]"]
    assert [(line.item.node_id, line.tensor) for line in section.view.references] == [(POOL, "grad:input")]
    assert [*section.view.lacking] == [("no kernel", ["max_pool2d[bool]", "max_pool2d[int8]"])]


def test_long_tables_of_two_builds_are_cut_and_counted() -> None:
    """The record has what a page has no room for."""
    compared = BuildComparison("PyTorch 2.8", examples=300)
    compared.note_findings(changed_finding(BuildChange.GONE, f"output[{number}]") for number in range(300))
    for number in range(300):
        compared.note_drift(f"output[{number}]", TensorDrift(0.5, "avx2", EXAMPLE))
    compared_item = operator_item_record(Outcome(CASE, "float32", against=compared))
    whole = two_builds().model_copy(update={"items": {POOL: compared_item}})
    text = html_report(whole, "record.json")
    assert "<p>and 100 more in the record</p>" in text
    assert "<p>and 200 more in the record</p>" in text


def test_a_run_of_one_build_has_no_section_of_two() -> None:
    """Nor does a link lead to it."""
    assert builds_section(full_record(), ()) is None
    assert "against" not in html_report(full_record(), "record.json").partition("<body>")[2].partition("<script>")[0]


def test_the_section_of_two_builds(snapshot: SnapshotAssertion) -> None:
    """Both builds, the lists, known issues, drift, and what the other build lacks."""
    text = html_report(two_builds(), "record.json")
    start = text.index('<section id="against"')
    assert text[start : text.index("</section>", start)] == snapshot


def test_a_cell_of_the_matrix_says_what_its_marks_show() -> None:
    """The words name the status, and the levels that are otherwise; a failed cell leads to its first fault."""
    whole = full_record()
    pages = fault_pages(whole)
    row = operator_matrix(whole, pages).rows[0]
    assert row.cells["float64"].words == "passed; known issue at avx2"
    assert row.cells["float64"].codes == "pk"
    assert row.cells["float32"].is_failed
    assert row.cells["float32"].fault == next(page.first.anchor for page in pages if page.first.breakage.item == POOL)
    assert row.cells["int8"].words.startswith("not available")
    assert [*model_matrix(whole, pages).columns] == ["eval-eager-float32"]


def test_the_histogram_counts_each_tensor_once() -> None:
    """The upper end of a tenth is part of it; what lies above the bound has a bar of its own."""
    ratios = {"a": 0.0, "b": 0.1, "c": 0.11, "d": 1.0, "e": 1.5}
    chart = headroom(record(item(ratios=ratios)))
    counts = {bar.label: bar.count for bar in chart.bars if bar.count}
    assert counts == {"≤ 0.1": 2, "≤ 0.2": 1, "≤ 1.0": 1, "> 1": 1}
    assert chart.nearest[0].tensor == "e"


def test_implementations_and_what_was_not_checked_are_listed() -> None:
    """Each implementation has its count at each level and its cases; an unchecked item has its reason."""
    whole = full_record()
    (row, *_) = implementation_rows(whole)
    assert (row.name, [*row.counts]) == ("pooling:jit:avx2", [0, 12])
    assert unchecked_reasons(whole) == [("not available: no kernel for int8", [f"{CASE}[int8]"])]


def test_the_page_of_a_fault(snapshot: SnapshotAssertion) -> None:
    """Message, facts, the lines that run it again, and the table of levels."""
    text = html_report(record(failing_item()), "record.json")
    assert text[text.index('<details class="fault"') : text.index("</section>")] == snapshot


def test_the_page_of_a_fault_in_several_places(snapshot: SnapshotAssertion) -> None:
    """What they share first, then each place with its own lines, of which the first is open."""
    text = html_report(record(failing_item(), failing_item(dtype="float64")), "record.json")
    assert text[text.index('<details class="fault"') : text.index("</section>")] == snapshot
