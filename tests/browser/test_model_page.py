"""The page of `equivalence model` in a browser: the tree by mouse and keyboard, its filter, links, copying, harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from harness.models import ModelAnswer, model_html
from tests.browser.conftest import OpenHtml
from tests.browser.contrast import weak_texts
from tests.models.html_page.answers import (
    hostile_answer,
    large_answer,
    right_answer,
    small_answer,
    timed_answer,
    wrong_answer,
)
from tests.reporting.html_report.hostile import TEXT

Open = Callable[..., Page]


@pytest.fixture
def open_answer(open_html: OpenHtml) -> Open:
    """Opens the page of an answer."""

    def open_page(answer: ModelAnswer, *fragment: str, **options: Any) -> Page:
        return open_html(model_html(answer), *fragment, **options)

    return open_page


def rows(page: Page) -> list[str]:
    """The names of the modules that are to be seen."""
    return page.locator("#tree tbody tr:visible th code").all_inner_texts()


def fold(page: Page, path: str) -> Locator:
    """The button that opens and closes a module."""
    return page.locator("#tree").get_by_role("button", name=path, exact=True)


def test_a_module_is_closed_and_opened_by_mouse(open_answer: Open) -> None:
    """What lies below it goes and comes with it, and what was closed below stays closed."""
    page = open_answer(small_answer())
    assert rows(page) == ["(the model)", "stem", "blocks", "0 … 2", "conv", "shuffle", "head", "auxiliary"]
    fold(page, "blocks.0").click()
    fold(page, "blocks").click()
    expect(fold(page, "blocks")).to_have_attribute("aria-expanded", "false")
    assert rows(page) == ["(the model)", "stem", "blocks", "shuffle", "head", "auxiliary"]
    fold(page, "blocks").click()
    assert rows(page) == ["(the model)", "stem", "blocks", "0 … 2", "shuffle", "head", "auxiliary"]


def test_a_module_is_closed_and_opened_by_the_keys_of_a_button(open_answer: Open) -> None:
    """Enter and Space do what a click does."""
    page = open_answer(small_answer())
    fold(page, "blocks").focus()
    page.keyboard.press("Enter")
    assert "0 … 2" not in rows(page)
    page.keyboard.press("Space")
    assert "0 … 2" in rows(page)


def test_the_arrows_go_through_the_tree(open_answer: Open) -> None:
    """Down and up by what is to be seen, left to close or to the parent, right to open or to what is below."""
    page = open_answer(small_answer())
    focused = page.locator(":focus")
    fold(page, "the model itself").focus()
    page.keyboard.press("ArrowDown")
    assert focused.locator("th code").inner_text() == "stem"
    page.keyboard.press("ArrowDown")
    expect(fold(page, "blocks")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    assert "0 … 2" not in rows(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(fold(page, "blocks.0")).to_be_focused()
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowLeft")
    expect(fold(page, "blocks")).to_be_focused()
    page.keyboard.press("End")
    assert focused.locator("th code").inner_text() == "auxiliary"
    page.keyboard.press("ArrowUp")
    assert focused.locator("th code").inner_text() == "head"
    page.keyboard.press("Home")
    expect(fold(page, "the model itself")).to_be_focused()


def test_the_filter_leaves_what_loses_the_format_and_the_way_to_it(open_answer: Open) -> None:
    """Whatever is open; without a filter the tree is as it was."""
    page = open_answer(large_answer())
    before = rows(page)
    count = page.locator("[data-tree-bar] output")
    page.get_by_label("Show").select_option(label="only what loses the format")
    assert rows(page) == ["(the model)", "stages", "79", "layers", "6"]
    expect(count).to_have_text("1 of 722 rows")
    page.get_by_label("Show").select_option(label="all modules")
    assert rows(page) == before
    page.get_by_label("Module or class").fill("STAGES.12.layers.3")
    assert rows(page) == ["(the model)", "stages", "12", "layers", "3"]


def test_what_is_wrong_or_gets_nchw_can_be_filtered_too(open_answer: Open) -> None:
    """A known issue counts as wrong; a filter that fits nothing leaves nothing."""
    page = open_answer(wrong_answer())
    show = page.get_by_label("Show")
    show.select_option(label="only what is wrong")
    assert rows(page) == ["(the model)", "blocks", "1", "conv", "head"]
    show.select_option(label="only what gets or gives NCHW")
    assert rows(page) == ["(the model)", "shuffle", "head"]
    page.get_by_label("Module or class").fill("no such module")
    assert rows(page) == []
    assert open_answer(right_answer()).get_by_label("Show").locator("option").count() == 3


def test_all_is_opened_and_closed_at_once(open_answer: Open) -> None:
    """Closed, what lies directly in the model is still to be seen."""
    page = open_answer(large_answer(8))
    page.get_by_role("button", name="Open all").click()
    assert len(rows(page)) == 2 + 8 * 9
    page.get_by_role("button", name="Close all").click()
    assert rows(page) == ["(the model)", "stages"]


def test_a_module_leads_to_the_place_to_change_and_back(open_answer: Open) -> None:
    """By keyboard: the place has the focus, and its link opens the way to the module and moves the focus there."""
    page = open_answer(large_answer())
    page.get_by_role("link", name="loses the format").focus()
    page.keyboard.press("Enter")
    expect(page.locator("#place-1")).to_be_focused()
    expect(page.locator("#place-1")).to_be_in_viewport()
    page.get_by_role("button", name="Close all").click()
    page.locator("#place-1").get_by_role("link", name="stages.79.layers.6").click()
    row = page.locator("#tree tr", has=page.get_by_role("link", name="loses the format"))
    expect(row).to_be_focused()
    expect(row).to_be_in_viewport()


def test_a_link_to_a_module_that_the_filter_hides_shows_it(open_answer: Open) -> None:
    """The filter is taken back."""
    page = open_answer(small_answer())
    page.get_by_label("Module or class").fill("stem")
    page.locator("#place-1 a").click()
    assert "shuffle" in rows(page)
    expect(page.locator("#tree tr:focus th code")).to_have_text("shuffle")


def test_an_address_that_names_a_module_opens_it(open_answer: Open) -> None:
    """As of a link that somebody sent."""
    page = open_answer(large_answer(), "#module-5")
    expect(page.locator("#module-5")).to_be_visible()
    assert page.locator(":focus").evaluate("element => element.closest('tr').id") == "module-5"


def test_the_lines_to_paste_are_copied(open_answer: Open) -> None:
    """Both of them, to the letter, and a status says so."""
    answer = small_answer()
    page = open_answer(answer)
    page.get_by_role("button", name="Copy: the lines that turn channels-last on").click()
    expect(page.locator("#status")).to_have_text("Copied")
    lines = "model = model.to(memory_format=torch.channels_last)\ninput = input.to(memory_format=torch.channels_last)"
    assert page.evaluate("navigator.clipboard.readText()") == lines == "\n".join(answer.recipe)


def test_what_is_wrong_leads_to_the_module_to_blame_and_its_example(open_answer: Open) -> None:
    """The command that replays it is copied as a shell takes it."""
    page = open_answer(wrong_answer())
    page.locator("#tree").get_by_role("link", name="wrong").click()
    expect(page.locator("#fault-1")).to_be_focused()
    page.locator("#fault-1 [data-copy]").click()
    expect(page.locator("#status")).to_have_text("Copied")
    assert page.evaluate("navigator.clipboard.readText()").startswith('equivalence replay \'{"case"')
    page.locator("#fault-1").get_by_role("link", name="blocks.1.conv").click()
    expect(page.locator("#tree tr:focus .class")).to_have_text("Conv2d")


def test_a_large_tree_opens_with_few_rows(open_answer: Open) -> None:
    """More than six hundred modules: what is to be seen is the way to what the page speaks of."""
    page = open_answer(large_answer())
    expect(page.locator("#modules-title .count")).to_have_text("722")
    assert page.locator("#tree tbody tr").count() > 500
    assert len(rows(page)) < 100


def test_a_hostile_network_does_nothing(open_answer: Open) -> None:
    """No script of it runs, no element of it is made, the page keeps its width, and all can be read."""
    for options in ({}, {"viewport": {"width": 360, "height": 740}}):
        page = open_answer(hostile_answer(TEXT), **options)
        assert page.evaluate("window.attacked") is None
        assert page.locator("img, iframe, object, embed").count() == 0
        assert page.locator("script").count() == 1
        page.get_by_role("button", name="Open all").click()
        expect(page.locator("#tree tbody tr .class").first).to_contain_text("<script>window.attacked = 1</script>")
        expect(page.locator("#place-1")).to_contain_text(r"\x1b[31mred\x1b[0m second line")
        page.locator("#recipe [data-copy]").click()
        expect(page.locator("#status")).to_have_text("Copied")
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("answer", [small_answer(), wrong_answer(), timed_answer()])
def test_every_text_has_contrast(open_answer: Open, answer: ModelAnswer, scheme: str) -> None:
    """At least 4.5 to what is behind it, in light and in dark."""
    page = open_answer(answer, color_scheme=scheme)
    assert page.locator(".format.nhwc").count() > 3
    assert weak_texts(page, 60) == []


def test_a_narrow_window_scrolls_down_only(open_answer: Open) -> None:
    """The table of modules scrolls by itself, and the names stay where they are."""
    page = open_answer(wrong_answer(), viewport={"width": 360, "height": 740})
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    scrolled = page.get_by_role("group", name="Tree of modules")
    scrolled.evaluate("element => element.scrollTo(1000, 0)")
    assert scrolled.evaluate("element => element.scrollLeft") > 0
    box = page.locator("#module-2 th code").bounding_box()
    assert box is not None
    assert 0 <= box["x"] < 360


def test_paper_has_the_tree_as_it_is_shown_and_no_controls(open_answer: Open) -> None:
    """What the reader closed is not printed."""
    page = open_answer(small_answer())
    fold(page, "blocks").click()
    page.emulate_media(media="print")
    assert page.locator("nav:visible, .bar:visible, button:visible").count() == 0
    assert rows(page) == ["(the model)", "stem", "blocks", "shuffle", "head", "auxiliary"]
    assert page.pdf().startswith(b"%PDF")


def test_without_scripts_the_whole_tree_can_be_read(open_answer: Open) -> None:
    """Only what needs them, filter and buttons, is not shown."""
    page = open_answer(small_answer(), java_script_enabled=False)
    assert len(rows(page)) == 8
    assert page.locator("button:visible, .bar:visible").count() == 0


def test_a_screen_reader_is_told_where_it_is(open_answer: Open) -> None:
    """A row is headed by the whole path, a button says whether it is open, and columns have headers."""
    page = open_answer(small_answer())
    header = page.get_by_role("rowheader", name="blocks.0. conv")
    expect(header).to_have_text(re.compile(r"^blocks\.0\.conv .3$"))
    expect(page.get_by_role("button", name="blocks.0", expanded=True)).to_be_visible()
    headers = page.locator("#tree").get_by_role("columnheader").all_inner_texts()
    assert headers[:4] == ["Module", "Class", "Gets", "Gives"]
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the places to change")).to_be_focused()
