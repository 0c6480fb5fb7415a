"""The page of `equivalence model` as text: what stands in it, and that nothing foreign is markup in it."""

from __future__ import annotations

import re
from collections import Counter

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.models import ModelAnswer, model_html
from harness.models.html_page.document import LABELS, module_marks, page_failures
from harness.models.html_page.tree import ModuleMarks
from harness.models.known_loss import KnownLoss
from harness.models.verdict import Answer
from harness.reporting.foreign_text import HIDDEN
from tests.models.html_page.answers import (
    KNOWN,
    answer_of_outcomes,
    hostile_answer,
    large_answer,
    outcome,
    put_back_answer,
    right_answer,
    small_answer,
    timed_answer,
    wrong_answer,
)
from tests.reporting.html_report.hostile import TEXT
from tests.reporting.html_report.test_document import ELEMENTS, Outline

HOSTILE = [hostile_answer(TEXT), hostile_answer("a.b\n.c")]
ANSWERS = [small_answer(), right_answer(), put_back_answer(), timed_answer(), wrong_answer(), large_answer(2), *HOSTILE]


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_page_is_well_formed_and_has_the_elements_of_its_templates_alone(answer: ModelAnswer) -> None:
    """Every element is closed in its turn, and each id is there once."""
    outline = Outline(model_html(answer))
    assert outline.open == []
    counts = Counter(tag for tag, _ in outline.elements)
    assert set(counts) <= ELEMENTS | {"ol", "article"}
    assert (counts["script"], counts["style"], counts["main"], counts["h1"]) == (1, 1, 1, 1)
    assert [name for name, count in Counter(outline.attributes("id")).items() if count > 1] == []


@pytest.mark.parametrize("answer", ANSWERS)
def test_every_link_leads_to_something_on_the_page(answer: ModelAnswer) -> None:
    """To a section, a place, what is wrong, a module."""
    outline = Outline(model_html(answer))
    links = [link for link in outline.attributes("href") if link != "data:,"]
    assert set(links) <= {f"#{name}" for name in outline.attributes("id")}
    assert len(links) > 3


def test_no_text_of_a_model_is_an_attribute_that_acts() -> None:
    """No handler, no style, no address but those within the page."""
    outline = Outline(model_html(hostile_answer(TEXT)))
    names = {name for _, attributes in outline.elements for name in attributes}
    assert [name for name in names if name.startswith("on")] == []
    assert not {"style", "src"} & names
    assert [link for link in outline.attributes("href") if not re.fullmatch(r"#[a-z0-9-]+|data:,", link)] == []


def test_a_hostile_model_leaves_no_hidden_character_and_no_endless_line() -> None:
    """Escape sequences are written out; only what is copied has ten thousand characters."""
    text = model_html(hostile_answer(TEXT))
    assert HIDDEN.search(text) is None
    assert r"\x1b[31mred" in text
    assert text.count("y" * 10_000) == 2


def test_the_page_of_a_small_network(snapshot: SnapshotAssertion) -> None:
    """Its body, without the styles and the script that each page has."""
    text = model_html(wrong_answer())
    body = text[text.index("<body>") : text.index("<script>")]
    assert re.sub(r"\n\s*\n+", "\n", body) == snapshot


def test_a_place_to_change_is_told_with_the_line_and_what_to_write_instead() -> None:
    """And with a way to each module that has it, as far as a reader wants to know them."""
    text = model_html(small_answer())
    assert "shuffle (Module): torch.Tensor.view got NHWC and gave NCHW (net.py:31)" in text
    assert "<strong>Instead:</strong> write reshape in place of view" in text
    assert re.search(r'In the module <a href="#module-\d"><code>shuffle</code></a>', text)


def test_what_is_put_back_right_behind_is_a_copy_and_no_place() -> None:
    """With what saves the copy."""
    text = model_html(put_back_answer())
    sentence = "torch.Tensor.view got NHWC and gave NCHW, which is put back right behind it (net.py:31)"
    assert f"shuffle (Module): {sentence}" in text
    assert "<strong>Without the copy:</strong> write reshape in place of view" in text
    identifiers = set(Outline(text).attributes("id"))
    assert "copies" in identifiers
    assert "places" not in identifiers


def test_what_is_known_of_the_operator_of_a_place_is_told_with_it() -> None:
    """Of a copy as of a place to change."""
    known = KnownLoss(
        operator="unary.yaml::relu", contract="", issue="relu-format", summary="It returns NCHW.", link=""
    )
    words = "known of unary.yaml::relu: It returns NCHW (known issue relu-format, no thread upstream is known)"
    for answer in (small_answer(), put_back_answer()):
        places, copies = (
            tuple(place.model_copy(update={"known_loss": known}) for place in of)
            for of in (answer.places, answer.copies)
        )
        assert words in model_html(answer.model_copy(update={"places": places, "copies": copies}))


def test_what_is_right_has_nothing_to_change_and_nothing_wrong() -> None:
    """The sections are not there, nor the ways to them."""
    identifiers = set(Outline(model_html(right_answer())).attributes("id"))
    assert not {"places", "copies", "known", "fault-1"} & identifiers
    assert {"recipe", "verdicts", "modules", "tree"} <= identifiers


def test_a_model_that_nothing_is_known_of_has_a_sentence_in_place_of_the_tree() -> None:
    """As one that was made a program of before."""
    text = model_html(answer_of_outcomes(outcome(modules=(), image_calls=())))
    assert 'id="tree"' not in text
    assert "no module was followed" in text


def test_findings_about_the_format_alone_are_not_wrong() -> None:
    """They are places to change; what is left is numbered over all ways to run the model."""
    [failure] = page_failures(wrong_answer().ways)
    assert (failure.anchor, failure.way, [finding.oracle for finding in failure.findings]) == (
        "fault-1", "train-eager-float32", ["values"],
    )  # fmt: skip
    assert page_failures(small_answer().ways) == []


def test_modules_have_the_numbers_of_what_is_said_of_them() -> None:
    """Places, what is wrong, and what is known."""
    answer = wrong_answer()
    known = [module for way in answer.ways for module in way.explained]
    assert module_marks(answer, page_failures(answer.ways), known) == {
        "shuffle": ModuleMarks(places=(1,)),
        "blocks.1.conv": ModuleMarks(faults=(1,)),
        KNOWN.path: ModuleMarks(is_known=True),
    }


def test_every_answer_has_a_label() -> None:
    """Those that say the same to do have the same."""
    assert set(LABELS) == set(Answer)
