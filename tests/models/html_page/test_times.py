"""What the page says of times."""

from __future__ import annotations

import re

from harness.models import model_html
from harness.models.html_page.times import module_seconds, timing_section
from tests.models.html_page.answers import right_answer, timed_answer
from tests.reporting.html_report.test_document import Outline


def test_seconds_are_those_that_a_module_spends_itself() -> None:
    """In both formats, where one of them has none too; without a measurement there are none."""
    seconds = module_seconds(timed_answer().ways[0].timings)
    assert seconds == {
        "blocks.0.conv": (0.004, 0.003), "blocks.1.conv": (0.004, 0.003), "blocks.2.conv": (0.004, 0.003),
        "stem": (0.002, 0.0), "": (0.001, 0.001),
    }  # fmt: skip
    assert module_seconds(()) == {}


def test_a_step_has_its_kinds_of_work_and_its_operators() -> None:
    """In both formats; what is between operators has a name."""
    [timing] = timed_answer().ways[0].timings
    section = timing_section(timing)
    kinds = {line.name: (round(line.nchw, 6), round(line.nhwc, 6)) for line in section.kinds}
    assert kinds == {
        "kernels": (0.012, 0.009), "reorders by oneDNN": (0.002, 0.0), "copies": (0, 0),
        "between operators": (0.001, 0.001),
    }  # fmt: skip
    assert [line.name for line in section.operators] == ["mkldnn_convolution", "between operators"]


def test_the_page_has_the_gain_and_the_milliseconds_of_each_module() -> None:
    """Those of modules that are alike together; where nothing was measured there is no such column."""
    text = model_html(timed_answer())
    assert "NHWC is 1.50 times as fast</dd>" in text
    rows = re.findall(r"<tr id=.*?</tr>", text, re.DOTALL)
    numbers = [re.findall(r'class="number">([^<]*)<', row)[1] for row in rows]
    assert numbers == ["15 → 10", "2 → 0", "12 → 9", "12 → 9", "12 → 9", "", "", ""]
    plain = model_html(right_answer())
    assert "ms NCHW" not in plain
    assert "times" not in Outline(plain).attributes("id")


def test_a_gain_that_the_noise_may_hide_is_none() -> None:
    """Where some rounds are faster in one format and some in the other."""
    assert "NHWC is 1.00 times as fast: no difference, or one that the noise hides</dd>" in model_html(
        timed_answer(0.014, 0.016, 0.019)
    )
    assert "the noise hides" not in model_html(timed_answer())
