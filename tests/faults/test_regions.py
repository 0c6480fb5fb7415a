"""Faults in torchvision's operators: the gate finds each, and as small as it may be."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.faults.conftest import ROOT, Trials, opened

WRONG = ROOT / "tests" / "faults" / "wrong_regions.py"
ROI = {"N": 1, "K": 2, "C": 2, "H": 2, "W": 2, "size": (1, 1), "scale": 1.0, "ratio": 1, "aligned": True}


@pytest.fixture(scope="module")
def regions(levels: list[str], stock: Trials) -> Iterator[Trials]:
    """The wrong operators, tried as in the gate; skips where the build under test has no torchvision."""
    if lacking := stock.gate.executor.missing_packages(stock.cases["roi_align"]):
        pytest.skip(lacking)
    with opened(levels, preload=[WRONG]) as trials:
        yield trials


@pytest.mark.parametrize(
    ("item", "key", "sizes"),
    [
        ("roi_align[float64]", ("values", "output[0]"), ROI),
        ("FrozenBatchNorm2d[float32]", ("strides", "output[0]"), {"N": 1, "C": 2, "H": 1, "W": 2}),
    ],
)
def test_a_fault_of_a_library_is_found(
    regions: Trials, stock: Trials, item: str, key: tuple[str, str], sizes: dict[str, Any]
) -> None:
    """In channels-last alone, at every level, again in a fresh worker; the library's own operator passes."""
    failure = next(found for found in regions.outcome(item).failures if found.finding.key == key)
    assert failure.finding.kind == "layout"
    assert set(failure.finding.cells) == set(regions.levels)
    assert failure.confirmed == "again in a fresh worker"
    assert dict(failure.example.sizes) == sizes
    assert failure.example.layouts["input"] == "channels_last"
    assert not stock.judged_results(item, failure.example)[0].failures
