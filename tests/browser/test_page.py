"""The report in a browser: filters, failures, copying, keyboard, paper, light and dark, and a hostile record."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, get_args

import pytest
from playwright.sync_api import Page, expect

from harness.core import CellState, ItemStatus
from harness.core.finding import Oracle
from harness.reporting import Record, html_report
from harness.reporting.comparison import history_of
from tests.browser.conftest import OpenHtml
from tests.browser.contrast import weak_texts
from tests.reporting.comparison.runs import CASE, failing_item, failure, item, recorded_run
from tests.reporting.html_report.hostile import hostile_record
from tests.reporting.html_report.test_document import full_record, many_places, two_builds
from tests.reporting.records import record
from tests.reporting.test_against_summary import EXAMPLE

OTHER = "suites/operators/unary.yaml::square"

Open = Callable[..., Page]


@pytest.fixture
def open_report(open_html: OpenHtml) -> Open:
    """Opens the report of a record."""

    def open_record(whole: Record, **options: Any) -> Page:
        return open_html(html_report(whole, "record.json", history_of([recorded_run(failing_item())] * 2)), **options)

    return open_record


def several_cases() -> Record:
    """Two cases in two dtypes: one fails in float32 at one of two levels, one has a known issue in float64."""
    red = {"sse41": {CellState.PASSED: 3}, "avx2": {CellState.FAILED: 1}}
    known = {"sse41": {CellState.KNOWN_ISSUE: 1}, "avx2": {CellState.PASSED: 1}}
    return record(
        failing_item(cells=red),
        item(dtype="float64", cells={level: {CellState.PASSED: 1} for level in red}),
        item(OTHER, cells={level: {CellState.PASSED: 1} for level in red}),
        item(OTHER, dtype="float64", status=ItemStatus.KNOWN_ISSUE, cells=known),
    )


def rows(page: Page) -> list[str]:
    """The cases of the matrix that are to be seen."""
    return page.locator("#matrix-table tbody tr:visible th").all_inner_texts()


def choose(page: Page, **choices: str) -> None:
    """Set filters of the matrix to labels."""
    for by, label in choices.items():
        page.locator(f"[data-filter=matrix] [data-by={by}]").select_option(label=label)


def test_the_matrix_is_filtered_by_text_suite_dtype_level_and_state(open_report: Open) -> None:
    """Each filter leaves the rows that fit, what is counted says how many, and a reset shows all."""
    page = open_report(several_cases())
    count = page.locator("[data-filter=matrix] output")
    page.get_by_label("Case", exact=True).fill("SQU")
    assert rows(page) == ["square"]
    expect(count).to_have_text("1 of 2")
    page.get_by_role("button", name="Reset").click()
    assert rows(page) == ["max_pool2d", "square"]
    choose(page, state="known issue")
    assert rows(page) == ["square"]
    choose(page, column="float32")
    assert rows(page) == []
    choose(page, column="float64", level="avx2")
    assert rows(page) == []
    choose(page, level="sse41")
    assert rows(page) == ["square"]
    assert page.locator("#matrix-table thead th[data-column]:visible").all_inner_texts() == ["float64"]
    assert page.locator("#matrix-table tr:visible .marks i:visible").count() == 1
    choose(page, state="any", column="any", level="any", suite="suites/operators/pooling.yaml")
    assert rows(page) == ["max_pool2d"]


def test_a_failed_cell_leads_to_its_fault_by_keyboard(open_report: Open) -> None:
    """Enter on the cell opens the page of the fault and moves the focus there; Enter again closes it."""
    page = open_report(several_cases())
    fault = page.locator("#fault-1")
    assert fault.get_attribute("open") is None
    page.locator("#matrix-table td.failed a").focus()
    page.keyboard.press("Enter")
    expect(fault).to_have_attribute("open", "")
    expect(fault.locator("summary").first).to_be_focused()
    expect(fault.get_by_role("group", name="Levels")).to_be_visible()
    page.keyboard.press("Enter")
    expect(fault).not_to_have_attribute("open", "")


def test_a_failed_cell_leads_to_its_place_in_a_fault_of_many(open_report: Open) -> None:
    """The fault and the place open, and the place has the focus; its own replay line is copied, and no other."""
    whole = many_places()
    page = open_report(whole)
    page.locator("#matrix-table td.failed a[href='#fault-2-place-2']").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#fault-2")).to_have_attribute("open", "")
    place = page.locator("#fault-2-place-2")
    expect(place.locator("summary").first).to_be_focused()
    place.get_by_role("button", name="Copy: the command that runs the whole item of max_pool2d in float64").click()
    expect(page.locator("#status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"pytest '{CASE}[float64]' --eq-seed 0"
    assert page.locator("#fault-2 details.place[open]").count() == 2  # the first place is open from the beginning


def test_the_replay_line_is_copied(open_report: Open) -> None:
    """The clipboard has it to the letter, and a status says so to who does not see the button."""
    whole = several_cases()
    page = open_report(whole)
    page.locator("#fault-1 > summary").click()
    page.get_by_role("button", name="Copy: the command that runs the minimal example").click()
    expect(page.locator("#status")).to_have_text("Copied")
    (failure,) = whole.operators[f"{CASE}[float32]"].failures
    assert page.evaluate("navigator.clipboard.readText()") == f"equivalence replay '{failure.example.to_json()}'"


def test_a_browser_without_a_clipboard_copies_all_the_same(open_report: Open) -> None:
    """As where the file lies on a server without encryption: the text is selected and copied the old way."""
    page = open_report(several_cases())
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.locator("#fault-1 > summary").click()
    page.locator("#fault-1 [data-copy=fault-1-command-1]").click()
    expect(page.locator("#status")).to_have_text("Copied")


def test_faults_are_filtered_and_opened_together(open_report: Open) -> None:
    """The text is looked for in all that a fault says; only what is shown is opened."""
    page = open_report(full_record())
    count = page.locator("details.fault").count()
    page.get_by_label("Text", exact=True).fill("one-column is stale")
    expect(page.locator("#fault-count")).to_have_text(f"1 of {count}")
    page.get_by_role("button", name="Open all").click()
    page.get_by_label("Text", exact=True).fill("")
    assert page.locator("details.fault[open]").count() == 1
    page.get_by_role("button", name="Close all").click()
    assert page.locator("details.fault[open]").count() == 0


def test_a_hostile_record_does_nothing(open_report: Open) -> None:
    """No script of it runs, no element of it is made, and everything is still there to be read."""
    page = open_report(hostile_record())
    assert page.evaluate("window.attacked") is None
    assert page.locator("img, iframe, object, embed").count() == 0
    assert page.locator("script").count() == 1
    page.get_by_role("button", name="Open all").click()
    assert page.locator("details.fault[open]").count() == page.locator("details.fault").count() > 3
    expect(page.locator("#fault-1 .words")).to_contain_text("<script>window.attacked = 1</script>")
    page.locator("#fault-1 [data-copy]").first.click()
    expect(page.locator("#status")).to_have_text("Copied")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def colourful_record() -> Record:
    """A fault of each severity, and one that is no finding."""
    findings = [failure().finding.model_copy(update={"oracle": oracle}) for oracle in get_args(Oracle)]
    failures = [failure().model_copy(update={"finding": finding}) for finding in findings]
    return record(failing_item(*failures, dtype="float16"), *full_record().items.values())


def test_what_is_new_in_one_build_leads_to_its_fault(open_report: Open) -> None:
    """The link in the table opens the fault, whose tag says the same; the command of an example is copied."""
    page = open_report(two_builds())
    page.get_by_role("link", name="Against").click()
    table = page.get_by_role("group", name="New: in the build under test alone")
    expect(table).to_be_in_viewport()
    table.get_by_role("link", name="max_pool2d[float32]").click()
    expect(page.locator("#fault-1")).to_have_attribute("open", "")
    expect(page.locator("#fault-1 > summary .tag.new")).to_have_text("new")
    gone = page.get_by_role("group", name="Gone: in the other build alone")
    gone.get_by_text("Run it again").click()
    gone.get_by_role("button", name="Copy").click()
    expect(page.locator("#status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()") == f"equivalence replay '{EXAMPLE.to_json()}'"


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_has_contrast(open_report: Open, scheme: str) -> None:
    """At least 4.5 to what is behind it, in light and in dark."""
    page = open_report(colourful_record(), color_scheme=scheme)
    assert page.locator(".tag.crash, .tag.memory, .tag.wrong-values, .tag.layout, .tag.refusal, .tag.other").count() > 5
    assert weak_texts(page) == []
    page = open_report(two_builds(), color_scheme=scheme)
    assert page.locator(".tag.new, .tag.gone, .tag.in-both").count() > 3
    assert weak_texts(page) == []


def test_light_and_dark_differ(open_report: Open) -> None:
    """The page follows the reader's choice."""
    grounds = {
        scheme: open_report(record(item()), color_scheme=scheme).evaluate(
            "getComputedStyle(document.body).backgroundColor"
        )
        for scheme in ("light", "dark")
    }
    assert grounds["light"] == "rgb(255, 255, 255)"
    assert grounds["dark"] != grounds["light"]


def test_a_narrow_window_scrolls_down_only(open_report: Open) -> None:
    """Wide tables scroll by themselves."""
    for whole in (full_record(), many_places(), two_builds()):
        page = open_report(whole, viewport={"width": 360, "height": 740})
        page.get_by_role("button", name="Open all").click()
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_the_keyboard_sees_where_it_is(open_report: Open) -> None:
    """The first stop skips what is above the faults, and each stop is outlined."""
    page = open_report(full_record())
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the faults")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("Tab")
        style = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
        assert style != "none", page.evaluate("document.activeElement.outerHTML")


def test_paper_has_every_fault_and_no_controls(open_report: Open) -> None:
    """Printing opens what is closed and closes it again; filters, buttons and navigation are left out."""
    page = open_report(many_places())
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details.fault:not([open]), details.place:not([open])").count() == 0
    assert page.locator("nav:visible, .bar:visible, button:visible").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details.fault[open]").count() == 0
    assert page.pdf().startswith(b"%PDF")


def test_without_scripts_everything_can_be_read(open_report: Open) -> None:
    """Only what needs them, filters and buttons, is not shown."""
    page = open_report(full_record(), java_script_enabled=False)
    assert page.locator(".js-only:visible").count() == 0
    page.locator("#fault-1 > summary").click()
    expect(page.locator("#fault-1 pre").first).to_be_visible()


def test_fifteen_hundred_items_are_a_page_that_opens(open_report: Open) -> None:
    """Two MiB and 60,000 elements at most, and a filter answers at once."""
    dtypes = ("float32", "float64", "bfloat16", "float16", "int64")
    whole = record(*(item(f"{OTHER}{number}", dtype=dtype) for number in range(300) for dtype in dtypes))
    assert len(html_report(whole, "record.json")) < 2 * 2**20
    page = open_report(whole)
    assert page.locator("*").count() < 60_000
    page.get_by_label("Case", exact=True).fill("square299")
    assert rows(page) == ["square299"]
