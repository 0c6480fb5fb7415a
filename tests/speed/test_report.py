"""What is printed of a run: each level apart, ratio and spread, and what could not be measured."""

from __future__ import annotations

from harness.models import format_times
from harness.speed import SpeedReport, SpeedRow, speed_text

TIMES = format_times({"nchw": [0.002, 0.002, 0.002], "nhwc": [0.001, 0.001, 0.001]}, 2)


def row(level: str, problem: str = "") -> SpeedRow:
    """One operator at a level."""
    return SpeedRow(
        kind="operator",
        name="pooling::max_pool2d",
        sizes="N=8 C=64",
        step="eval",
        precision="float32",
        level=level,
        times=None if problem else TIMES,
        problem=problem,
    )


REPORT = SpeedReport(torch="2.15.0", onednn="3.13.3", cpu="a CPU", rows=(row("avx2"), row("avx512_core", "it raised")))


def test_the_text_has_each_level_with_ratio_and_spread() -> None:
    """NHWC over NCHW: twice as fast is 2.00; the article's figures and the threads stand above."""
    text = speed_text(REPORT)
    assert text.startswith("PyTorch 2.15.0, oneDNN 3.13.3, a CPU, 2 threads\n")
    assert "1.3 to 1.8 is what PyTorch's article of 2022 reports" in text
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "avx2 step precision NCHW ms IQR NHWC ms IQR gain quartiles" in lines
    assert "pooling::max_pool2d eval float32 2 0 1 0 2.00 2.00 to 2.00" in lines
    assert "pooling::max_pool2d eval float32 not measured: it raised" in lines
    assert lines[-1] == "pooling::max_pool2d N=8 C=64"


def test_a_busy_machine_is_said() -> None:
    """With the number of rows in which the thread that measured had to wait."""
    waiting = row("avx2").model_copy(update={"times": TIMES.model_copy(update={"processor_share": 0.5})})
    assert "the machine was busy: in 1 of 3 rows" in speed_text(
        REPORT.model_copy(update={"rows": (*REPORT.rows, waiting)})
    )
    assert "busy" not in speed_text(REPORT)


def test_a_report_is_json_both_ways() -> None:
    """The document says the version of its schema."""
    text = REPORT.model_dump_json(by_alias=True)
    assert SpeedReport.model_validate_json(text) == REPORT
    assert text.startswith('{"schema":1,')
