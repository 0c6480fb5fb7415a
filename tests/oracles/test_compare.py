"""The values oracle: which results are right, and the exact words for those that are not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Expression, Numerics, TensorSpec
from harness.oracles.bounds import overflow_mask

BOTH = ("drawn", "contiguous")
RAMP = np.arange(1.0, 97.0).reshape(2, 3, 4, 4)


def test_a_result_equal_to_the_rounded_reference_passes(stage: Any) -> None:
    """Exact: bit for bit the reference in the dtype, and nothing is measured."""
    judgement = stage(RAMP / 7, dtype="bfloat16").judge()
    assert judgement.findings == ()
    assert judgement.ratios == {}


def test_an_exact_tensor_that_differs_says_where_and_by_what(stage: Any) -> None:
    """The sentence counts the elements and shows the one that is farthest off; the pattern is in words."""
    scene = stage(RAMP)
    scene.poke("output[0]", np.s_[..., 3], 1.5)
    (finding,) = scene.judge().findings
    assert finding.message == (
        "output[0] differs from the float64 reference in 24 of 96 elements (got 1.5, expected 96.0 at [1, 2, 3, 3])"
    )
    assert finding.where == "all in the last column (W = 4)"
    assert (finding.oracle, finding.tensor, finding.kind, finding.layouts) == (
        "values",
        "output[0]",
        "layout",
        ("drawn",),
    )
    assert finding.cells == {"avx2": 1.0, "avx512_core": 1.0}
    assert finding.key == ("values", "output[0]")


def test_a_bounded_tensor_that_differs_says_how_many_times_the_bound(stage: Any) -> None:
    """The ratio of error to allowance is in the sentence, the cells and the headroom."""
    scene = stage(RAMP, "multilinear", bound=RAMP, terms=9)
    scene.poke("output[0]", (0, 2, 0, 3), 0.5, cells=("avx2",))
    judgement = scene.judge()
    (finding,) = judgement.findings
    ratio = judgement.ratios["avx2", "output[0]"]
    assert finding.cells == {"avx2": ratio}
    assert finding.message == (
        "output[0] differs from the float64 reference in 1 of 96 elements, worst 1.7e+06 times the bound "
        "(got 0.5, expected 36.0 at [0, 2, 0, 3])"
    )
    assert (
        finding.where
        == "only sample 0, all in the last channel (C = 3), only the first row, all in the last column (W = 4)"
    )
    assert judgement.ratios["avx512_core", "output[0]"] == 0.0


def test_headroom_is_kept_where_all_is_well(stage: Any) -> None:
    """A rounding error within the bound is no finding, and its share of the bound is reported."""
    judgement = stage(RAMP / 7, "multilinear", bound=RAMP / 7, terms=2).judge()
    assert judgement.findings == ()
    assert 0.1 < judgement.ratios["avx2", "output[0]"] < 0.4


@pytest.mark.parametrize("rule", ["exact", "multilinear", "elementwise"])
def test_nan_and_infinity_must_be_where_the_reference_has_them(stage: Any, rule: str) -> None:
    """The same NaN and the same infinities pass; a NaN, a number or the other infinity in their place does not."""
    values = np.array([1.0, np.nan, np.inf, -np.inf])
    assert stage(values, rule).judge().findings == ()
    for index, wrong in ((0, np.nan), (0, np.inf), (1, 1.0), (2, 1.0), (2, -np.inf), (3, np.nan), (1, np.inf)):
        scene = stage(values, rule)
        scene.poke("output[0]", index, wrong)
        (finding,) = scene.judge().findings
        assert finding.cells["avx2"] == 1.0
        assert f"(got {wrong}, expected {values[index]} at [{index}])" in finding.message


def test_any_payload_of_nan_is_a_nan(stage: Any) -> None:
    """Exact does not compare the bits of NaNs."""
    scene = stage(np.array([1.0, np.nan]))
    scene.poke("output[0]", 1, np.array([0xFFC12345], dtype=np.uint32).view(np.float32)[0])
    assert scene.judge().findings == ()


@pytest.mark.parametrize(("fill", "count"), [("reals", 0), ("special", 1)])
def test_the_sign_of_zero_counts_under_the_special_fill_only(stage: Any, fill: str, count: int) -> None:
    """-0.0 for 0.0 is equal, except where special values were drawn to see it."""
    scene = stage(np.array([1.0, 0.0]), fill=fill)
    scene.poke("output[0]", 1, -0.0)
    assert len(scene.judge().findings) == count


@pytest.mark.parametrize("rule", ["exact", "multilinear", "elementwise"])
def test_infinity_is_right_where_the_reference_overflows_the_dtype(stage: Any, rule: str) -> None:
    """A reference beyond the dtype's largest number rounds to an infinity of its sign."""
    scene = stage(np.array([1.0, -70000.0]), rule, "float16")
    assert scene.observations[0].tensors["output[0]"].values[1] == -np.inf
    assert scene.judge().findings == ()
    scene.poke("output[0]", 1, np.inf)
    assert len(scene.judge().findings) == 1


def test_close_to_the_largest_number_either_side_of_overflow_is_right(stage: Any) -> None:
    """An infinity is allowed when a number within the bound would round to it."""
    scene = stage(np.array([1.0, 65519.0]), "multilinear", "float16", terms=2)
    assert scene.observations[0].tensors["output[0]"].values[1] == 65504.0
    scene.poke("output[0]", 1, np.inf)
    assert scene.judge().findings == ()
    scene.poke("output[0]", 0, np.inf)
    assert len(scene.judge().findings) == 1


def test_an_allowance_may_reach_the_infinity_of_the_other_sign() -> None:
    """An infinity is right where some number within the allowance rounds to it, whatever the reference's sign."""
    values, reference = np.array([-np.inf, np.inf, -np.inf, 1.0]), np.array([24.0, 24.0, 24.0, 24.0])
    for allowed, right in ((66000.0, [True, True, True, False]), (65500.0, [False, True, False, False])):
        assert overflow_mask("float16", values, reference, np.full(4, allowed)).tolist() == right
    assert not overflow_mask("float16", values, reference, np.full(4, 6e4)).any()


def test_partial_sums_that_may_overflow_excuse_any_answer(stage: Any) -> None:
    """Whether max + max - max is finite depends on the order of summation."""
    scene = stage(np.array([1.0, 3e38]), "multilinear", bound=np.array([1.0, 9e38]), terms=3)
    scene.poke("output[0]", 1, np.nan, cells=("avx2",))
    scene.poke("output[0]", 1, np.inf, cells=("avx512_core",))
    assert scene.judge().findings == ()


def test_integer_fills_ask_for_equality(stage: Any) -> None:
    """One ulp off is a finding under integers, and within the bound under reals."""
    for fill, count in (("integers", 1), ("ones", 1), ("reals", 0)):
        scene = stage(np.array([3.0, 5.0]), "multilinear", bound=np.array([7.0, 9.0]), terms=9, fill=fill)
        scene.poke("output[0]", 1, np.nextafter(np.float32(5), np.float32(6)))
        findings = scene.judge().findings
        assert len(findings) == count
        for finding in findings:
            assert finding.message.endswith("in 1 of 2 elements (got 5.0000005, expected 5.0 at [1])")


def test_integer_fills_do_not_ask_for_equality_of_fractions(stage: Any) -> None:
    """A fractional reference, or declared terms (coefficients that sum to one), keeps the bound."""
    whole, halves = np.array([3.0, 5.0]), np.array([3.0, 5.5])
    averaged = Numerics("multilinear", "multilinear", terms=Expression.parse("4"))
    for values, rule in ((halves, "multilinear"), (whole, averaged)):
        scene = stage(values, rule, terms=4, fill="integers")
        scene.poke("output[0]", 0, np.nextafter(np.float32(3), np.float32(4)))
        assert scene.judge().findings == ()


def test_integers_too_large_for_the_dtype_keep_the_bound(stage: Any) -> None:
    """Beyond 2^p an element is judged by the bound, beside others that must be equal."""
    scene = stage(np.array([4.0, 600.0]), "multilinear", "bfloat16", terms=9, fill="integers")
    scene.poke("output[0]", 1, 604.0)
    assert scene.judge().ratios["avx2", "output[0]"] > 1
    scene.poke("output[0]", 1, 600.0)
    assert scene.judge().findings == ()


def test_an_accepted_accumulator_widens_the_bound_in_its_cells_only(stage: Any) -> None:
    """A pattern of tensors and a cell select the accumulator; brackets in a name are literal."""
    scene = stage({"output[0]": RAMP, "grad:weight": RAMP}, "multilinear", "bfloat16", terms=20)
    for tensor in ("output[0]", "grad:weight"):
        scene.poke(tensor, (0, 0, 0, 0), 1.05, layouts=BOTH)
    strict = scene.judge().findings
    assert [set(finding.cells) for finding in strict] == [{"avx2", "avx512_core"}] * 2
    looser = scene.judge(accumulators={"grad:*": {"avx2": "bfloat16"}, "output[0]": {"avx512_core": "bfloat16"}})
    assert {finding.tensor: set(finding.cells) for finding in looser.findings} == {
        "output[0]": {"avx2"},
        "grad:weight": {"avx512_core"},
    }
    assert {finding.kind for finding in looser.findings} == {"isa"}


def test_integer_outputs_must_be_equal_whatever_the_rule(stage: Any) -> None:
    """Indices are compared as integers, in the reference's own dtype."""
    scene = stage({"output[0]": RAMP, "output[1]": np.array([2**60, 7])}, "multilinear")
    assert scene.judge().findings == ()
    scene.poke("output[1]", 0, 2**60 + 1)
    (finding,) = scene.judge().findings
    assert finding.message.endswith(f"in 1 of 2 elements (got {2**60 + 1}, expected {2**60} at [0])")


def test_gradients_follow_their_own_rule(stage: Any) -> None:
    """An exact output beside a gradient with a bound."""
    rule = Numerics("exact", "selection")
    scene = stage({"output[0]": RAMP, "grad:input": RAMP}, rule, terms=4)
    nudge = np.nextafter(np.float32(1), np.float32(2))
    scene.poke("grad:input", (0, 0, 0, 0), nudge)
    assert scene.judge().findings == ()
    scene.poke("output[0]", (0, 0, 0, 0), nudge)
    assert [finding.tensor for finding in scene.judge().findings] == ["output[0]"]


def test_elementwise_allows_a_few_ulps(stage: Any) -> None:
    """At most k ulps of the result pass, more do not; output and gradient alike."""
    rule = Numerics("elementwise", "elementwise", ulps=4.0)
    values = np.array([0.5, 0.25, 0.75])
    scene = stage({"output[0]": values, "grad:input": values}, rule)
    scene.poke("output[0]", 0, 0.5 * (1 + 2.0**-22))
    assert scene.judge().findings == ()
    scene.poke("output[0]", 0, 0.5 * (1 + 2.0**-20))
    scene.poke("grad:input", 0, 0.5 * (1 + 2.0**-18))
    assert [finding.tensor for finding in scene.judge().findings] == ["output[0]", "grad:input"]


def test_elementwise_takes_its_scale_from_an_input_that_broadcasts(stage: Any) -> None:
    """Failing that from the largest magnitude of any input, infinities aside."""
    rule = Numerics("elementwise", "elementwise", magnitude="input")
    for inputs in ({"input": np.array([1e6])}, {"input": np.array([np.inf, -1e6, 0.0, 0.0])}):
        scene = stage(np.array([0.5, 0.25, 0.75]), rule)
        scene.reference = replace(scene.reference, inputs=inputs)
        scene.poke("output[0]", 0, 0.6)
        assert scene.judge().findings == ()
    scene.reference = replace(scene.reference, inputs={})
    assert len(scene.judge().findings) == 1


def test_a_gradient_is_judged_in_its_inputs_dtype(stage: Any) -> None:
    """The gradient of a float32 weight beside bfloat16 activations has float32's roundoff."""
    scene = stage({"output[0]": RAMP / 7, "grad:weight": RAMP / 7}, "multilinear", "bfloat16", terms=4)
    specs = (TensorSpec("input", ()), TensorSpec("weight", (), dtype="float32"))
    scene.case = replace(scene.case, tensors=specs)
    coarse = [finding.oracle for finding in scene.judge().findings]
    assert coarse == ["dtype"]
    scene.alter("grad:weight", lambda record: replace(record, dtype="float32"), layouts=BOTH)
    (finding,) = scene.judge().findings
    assert (finding.oracle, finding.tensor, finding.kind) == ("values", "grad:weight", "universal")


def test_the_worst_cell_tells_the_story(stage: Any) -> None:
    """The message and the pattern are those of the cell and layout with the largest ratio."""
    scene = stage(RAMP, "multilinear", terms=4)
    scene.poke("output[0]", (0, 0, 0, 0), 2.0, layouts=("contiguous",))
    scene.poke("output[0]", (1, 2, 3, 3), 1000.0, cells=("avx512_core",))
    (finding,) = scene.judge().findings
    assert "(got 1000.0, expected 96.0 at [1, 2, 3, 3])" in finding.message
    assert finding.layouts == BOTH
    assert finding.cells["avx512_core"] > finding.cells["avx2"] > 1e4 / 4


def test_a_number_that_differs_is_a_finding(stage: Any) -> None:
    """A full reduction has no dimension; its one element is judged, and shown, like any other."""
    scene = stage(np.asarray(3.0), "multilinear", bound=np.asarray(3.0), terms=9)
    assert scene.judge().findings == ()
    scene.poke("output[0]", (), 0.5)
    (finding,) = scene.judge().findings
    assert finding.message.startswith("output[0] differs from the float64 reference in 1 of 1 elements")
    assert finding.message.endswith("(got 0.5, expected 3.0 at [])")
