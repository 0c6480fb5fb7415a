"""The catalogue of faults: conditions in words, releases in a sentence, and the scripts."""

from __future__ import annotations

import pytest

from harness.core import PlaceState
from harness.project import Project
from harness.reporting import fault_scripts
from harness.reporting.catalogue import describe_releases
from harness.reporting.condition_words import describe_condition
from harness.resources import SHIPPED


@pytest.fixture(scope="module")
def shipped() -> Project:
    """What this project declares."""
    return Project(SHIPPED)


@pytest.mark.parametrize(
    ("condition", "words"),
    [
        ("True", "always"),
        ("W > 1", "`W > 1`"),
        ("'channels_last' in layout_input", "input channels-last"),
        ("'channels_last:' in layout_input", "input a view, channels-last"),
        ("':' in layout_input", "input a view"),
        ("'odd' in layout_weight", "weight laid out `...odd`"),
        ("layout_weight not in ('contiguous', 'channels_last')", "weight not laid out `contiguous` or `channels_last`"),
        ("'odd' in (layout_a, layout_b) and N == 1", "(a laid out `odd` or b laid out `odd`) and `N == 1`"),
        ("has_bias and path == 'vmap'", "bias given and under vmap"),
        ("not has_bias", "not (bias given)"),
        ("(W > 1 or H > 1) and dtype == 'float16'", "(`W > 1` or `H > 1`) and in float16"),
        ("layout_a != layout_b", "a and b laid out differently"),
        ("reduction != 'none'", "`reduction != 'none'`"),
    ],
)
def test_a_condition_is_put_into_words(condition: str, words: str) -> None:
    """Layouts, fills, paths and what is given have words; arithmetic stays as it is."""
    assert describe_condition(condition) == words


def test_releases_that_agree_are_one_span() -> None:
    """Neighbours of one state are named by the first and the last of them."""
    states = {
        "2.0.1": PlaceState.NOT_AVAILABLE,
        "2.2.0": PlaceState.FAILS,
        "2.4.0": PlaceState.FAILS,
        "2.6.0": None,
    }
    assert describe_releases(states) == "not available in 2.0.1; fails in 2.2.0 to 2.4.0; not measured in 2.6.0"


def test_without_cases_there_is_no_script(shipped: Project) -> None:
    """A fault of suites that are not there is shown by its reproducer alone."""
    assert list(fault_scripts(shipped.known_issues.faults[0], {}, shipped.levels, poison=True)) == []
