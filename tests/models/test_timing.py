"""What is made of measured rounds: medians, quartiles, the gain; and what is printed of them."""

from __future__ import annotations

import pytest

from harness.models.timing import Cost, ModelTiming, StepProfile, format_times, group_seconds, spread_of, step_profile
from harness.models.timing_report import SHOWN, CostLine, cost_lines, shorten, timing_text
from harness.portable.timing_protocol import CostData, CostKind


def cost(module: str, operator: str, kind: CostKind, seconds: float) -> CostData:
    """What a worker says of one operator in one module."""
    return {"module": module, "class_name": "Conv2d", "operator": operator, "kind": kind, "seconds": seconds}


NCHW = step_profile(
    [
        cost("a", "convolution", "kernel", 0.006),
        cost("a", "reorder", "reorder", 0.002),
        cost("b", "aten::copy_", "copy", 0.001),
        cost("", "", "overhead", 0.001),
    ]
)
NHWC = step_profile([cost("a", "convolution", "kernel", 0.005), cost("b", "aten::copy_", "copy", 0.003)])
TIMES = format_times({"nchw": [0.010, 0.011, 0.012], "nhwc": [0.008, 0.011, 0.008]}, 2)
TIMING = ModelTiming(item="eval-eager-float32", level="avx2", times=TIMES, nchw=NCHW, nhwc=NHWC)


def test_the_gain_is_that_of_each_round() -> None:
    """What disturbs one round disturbs both of its times: the ratio is taken before the median."""
    assert TIMES.gain == spread_of([0.010 / 0.008, 1.0, 0.012 / 0.008])
    assert (TIMES.nchw.median, TIMES.nhwc.median, TIMES.gain.median, TIMES.rounds) == (0.011, 0.008, 1.25, 3)


def test_the_spread_is_of_the_middle_half() -> None:
    """Quartiles of all numbers, both ends included; one number is its own."""
    spread = spread_of([5.0, 1.0, 2.0, 3.0, 4.0])
    assert (spread.lower, spread.median, spread.upper, spread.interquartile_range) == (2.0, 3.0, 4.0, 2.0)
    assert spread_of([2.0]).interquartile_range == 0.0


def test_what_conversion_can_save_are_reorders_and_copies() -> None:
    """Their share of the whole step; the shares of all kinds add up to it."""
    assert NCHW.savable_share == pytest.approx(0.3)
    kinds: tuple[CostKind, ...] = ("kernel", "reorder", "copy", "overhead")
    assert sum(map(NCHW.of_kind, kinds)) == pytest.approx(NCHW.seconds) == pytest.approx(0.010)
    assert StepProfile(costs=()).savable_share == 0.0


def test_the_costs_of_a_step_are_grouped_and_compared() -> None:
    """By any of their properties; each line has both formats, and what of them only the format costs."""
    assert group_seconds(NCHW, lambda each: each.module) == {"a": 0.008, "b": 0.001, "": 0.001}
    assert cost_lines(TIMING, lambda each: each.module) == [
        CostLine("a", 0.008, 0.005, 0.002, 0.0),
        CostLine("b", 0.001, 0.003, 0.001, 0.003),
        CostLine("", 0.001, 0.0, 0.0, 0.0),
    ]


def test_of_many_lines_the_rest_are_summed_up() -> None:
    """No second is left out."""
    lines = [CostLine(str(index), 1.0, 2.0, 0.5, 0.25) for index in range(SHOWN + 3)]
    assert shorten(lines) == [*lines[:SHOWN], CostLine("(3 others)", 3.0, 6.0, 1.5, 0.75)]
    assert shorten(lines[: SHOWN + 1]) == lines[: SHOWN + 1]


def test_the_text_says_level_threads_spread_gain_and_share() -> None:
    """And where the time goes, by kind, by class of modules and by operator, in both formats."""
    text = timing_text([TIMING])
    assert text.startswith(
        "time of eval-eager-float32 at avx2, 2 threads, median of 3 rounds in turn: "
        "NCHW 11 ms (IQR 1), NHWC 8 ms (IQR 1.5)\n"
        "gain: NHWC is 1.25 times as fast as NCHW (quartiles 1.12 to 1.38)\n"
        "what conversion can save: reorders and copies are 30.0 % of the step in NCHW, and 37.5 % in NHWC\n"
    )
    lines = [" ".join(line.split()) for line in text.splitlines()]
    assert "reorders by oneDNN 2 0" in lines
    assert "Conv2d 10 8 3 3" in lines
    assert "aten::copy_ 1 3 1 3" in lines
    assert "a 8 5 2 0" in [" ".join(line.split()) for line in timing_text([TIMING], is_table=True).splitlines()]


def test_a_gain_that_may_be_none_is_said_to_be_none() -> None:
    """Where the middle half of the rounds lies on both sides of 1."""
    times = format_times({"nchw": [0.010, 0.011, 0.012], "nhwc": [0.011, 0.011, 0.011]}, 2)
    text = timing_text([TIMING.model_copy(update={"times": times})])
    assert "(quartiles 0.95 to 1.05): no difference, or one that the noise here hides\n" in text
    assert "noise" not in timing_text([TIMING])


def test_a_busy_machine_is_said() -> None:
    """Where the thread that measured had to wait for a processor; not where it had one."""
    busy = TIMING.model_copy(update={"times": TIMES.model_copy(update={"processor_share": 0.25})})
    assert "\nthe machine was busy: the thread that measured had a processor in 25 % of the time" in timing_text([busy])
    assert "busy" not in timing_text([TIMING])


def test_a_timing_is_json_both_ways() -> None:
    """What the answer keeps of it is what was measured."""
    assert ModelTiming.model_validate_json(TIMING.model_dump_json()) == TIMING
    assert isinstance(TIMING.nchw.costs[0], Cost)
