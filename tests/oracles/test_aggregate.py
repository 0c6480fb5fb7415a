"""What kind of finding a pattern over cells and layouts is."""

from __future__ import annotations

from typing import Any

import pytest

from harness.oracles.aggregate import pattern_kind

D, C = "drawn", "contiguous"
ALL = [("a", D), ("a", C), ("b", D), ("b", C)]


@pytest.mark.parametrize(
    ("failing", "judged", "kind"),
    [
        ([("a", D), ("b", D)], ALL, "layout"),
        ([("a", D)], ALL, "layout"),
        ([("a", C)], ALL, "layout"),
        ([("a", D), ("a", C)], ALL, "isa"),
        (ALL, ALL, "universal"),
        ([("a", D), ("a", C), ("b", D)], ALL, "layout"),
        ([("a", D), ("a", C)], ALL[:2], "universal"),
        ([("a", D)], [("a", D), ("b", D), ("b", C)], "isa"),
        ([("a", D), ("b", D)], [("a", D), ("b", D)], "universal"),
    ],
)
def test_the_kind_is_read_from_the_places_that_fail(failing: Any, judged: Any, kind: str) -> None:
    """One layout only: layout; some cells: isa; everything: universal; what was not judged says nothing."""
    assert pattern_kind(failing, judged) == kind
