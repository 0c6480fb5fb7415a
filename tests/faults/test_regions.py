"""Faults in torchvision's operators: the gate finds each, and as small as it may be."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from harness.failure_scripts import failure_subject
from harness.reporting import NoScriptError, write_script
from harness.trial import Failure, VariedAspect
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


REGION_FAULTS = {
    "roi_align[float64]": (("values", "output[0]"), ROI, "all in the last channel (C = 31): each too large by 1"),
    "FrozenBatchNorm2d[float32]": (("strides", "output[0]"), {"N": 1, "C": 2, "H": 1, "W": 2}, ""),
}
"""Each item with its finding, the smallest sizes that show it, and where."""


@pytest.fixture
def failure(regions: Trials, item: str) -> Failure:
    """The failure of the item in which the wrong operator was found."""
    failures = {failure.finding.key: failure for failure in regions.outcome(item).failures}
    return failures[REGION_FAULTS[item][0]]


each = pytest.mark.parametrize("item", REGION_FAULTS)


@each
def test_a_fault_of_a_library_is_found(regions: Trials, stock: Trials, item: str, failure: Failure) -> None:
    """In channels-last alone, at every level, again in a fresh worker; the library's own operator passes."""
    assert failure.finding.kind == "layout"
    assert set(failure.finding.cells) == set(regions.levels)
    assert failure.confirmed == "again in a fresh worker"
    assert dict(failure.example.sizes) == REGION_FAULTS[item][1]
    assert failure.example.layouts["input"] == "channels_last"
    assert not stock.judged_results(item, failure.example)[0].failures


@each
def test_where_it_is_and_what_makes_it_go_away_is_told(item: str, failure: Failure) -> None:
    """The last channel of a result that is large enough; in contiguous it is right, and with the library's own."""
    assert failure.pattern.sentence.partition(" (with ")[0] == REGION_FAULTS[item][2]
    goes_away = {each.words for each in failure.diagnosis.goes_away if each.aspect is not VariedAspect.DTYPE}
    assert goes_away == {"no preload files", "input in contiguous"}


@each
def test_there_is_no_script_for_it_needs_more_than_torch(regions: Trials, item: str, failure: Failure) -> None:
    """A script imports torch alone, and what is called, or what that calls, is the library's."""
    case, levels = regions.case(item), {cell.name: cell.level for cell in regions.gate.executor.cells}
    assert "torchvision" in case.call or any(name.startswith("torchvision::") for name in failure.operators)
    with pytest.raises(NoScriptError, match=r"^it needs torchvision$"):
        write_script(failure_subject(case, failure, levels, (WRONG,)), poison=False)
