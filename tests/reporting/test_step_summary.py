"""The summary of a step: Markdown that says the verdict first, whatever the record brought along."""

from __future__ import annotations

import re

from syrupy.assertion import SnapshotAssertion

from harness.core import FactChange, FactKind
from harness.reporting import step_summary
from harness.reporting.release_changes import ReleaseChangeRecord, ReleaseRecord
from tests.reporting.comparison.runs import failing_item, failing_model, failure, item, stale_item
from tests.reporting.html_report.hostile import hostile_record
from tests.reporting.records import record


def test_the_summary_of_a_red_run(snapshot: SnapshotAssertion) -> None:
    """Verdict, build, figures, then each fault with the commands that run it again."""
    assert step_summary(record(failing_item(), stale_item(dtype="float64"), failing_model())) == snapshot


def test_the_summary_of_a_green_run_is_short() -> None:
    """There is nothing to unfold."""
    text = step_summary(record(item()))
    assert text.startswith("## Memory formats: 1 items, none fails\n")
    assert "<details>" not in text


def test_a_run_that_was_cut_short_and_a_new_release_are_said() -> None:
    """Neither is green without a word."""
    change = ReleaseChangeRecord(
        change=FactChange.NEW, fact=FactKind.LAYOUT, about="x", count=1, message="y", accept="z"
    )
    release = ReleaseRecord(tested="2.99", verified=("2.15",), changes=(change,))
    text = step_summary(record(item()).model_copy(update={"complete": False, "release": release}))
    assert "**This run was cut short.**" in text
    assert "PyTorch 2.99 is none of the releases" in text


def test_many_faults_fit_into_a_step() -> None:
    """GitHub takes a MiB; the faults that are not listed are counted."""
    faults = [failure().model_copy(update={"rows": (), "operators": (f"aten::op{number}",)}) for number in range(1000)]
    text = step_summary(record(*(failing_item(fault, dtype=f"d{number}") for number, fault in enumerate(faults))))
    assert len(text) < 2**18
    assert "and 970 more in the record" in text


def test_one_fault_in_many_items_is_listed_once() -> None:
    """Its first places are named, the others counted."""
    text = step_summary(record(*(failing_item(dtype=f"d{number}") for number in range(100))))
    assert "### Faults (1)" in text
    assert "output[0] differs, the last row (in 100 places)</summary>" in text
    assert r"In: max\_pool2d\[d0\] output\[0\], max\_pool2d\[d1\] output\[0\], " in text
    assert r"max\_pool2d\[d5\] output\[0\] and 94 more" in text


def test_a_hostile_record_adds_no_element_and_no_markup() -> None:
    """Every tag outside a block of code is one of the template's."""
    text = step_summary(hostile_record())
    without_code = re.sub(r"^(`{3,})sh\n.*?\n\1$", "", text, flags=re.MULTILINE | re.DOTALL)
    assert set(re.findall(r"<[^>]*>", without_code)) == {
        "<details>",
        "</details>",
        "<summary>",
        "</summary>",
        "<b>",
        "</b>",
    }
    assert "&lt;script&gt;" in without_code
    assert "\x1b" not in text
    assert max(map(len, without_code.splitlines())) < 5000
