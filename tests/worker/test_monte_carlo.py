"""Roundings as perturbations: how far they move a result, and that nothing else moves it."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from harness.core import Case, Example, Expression, TensorArgument
from harness.core.observation import Array
from harness.execution import Result
from harness.execution.requests import reference_request
from harness.generation import resolve_example
from harness.oracles import round_to
from harness.oracles.bounds import normwise_allowance
from tests.execution import stand
from tests.execution.stand import module

Run = Callable[..., Result]
F = "torch.nn.functional."
NORMWISE = ("normwise", "normwise")


def normal(call: str, *tensors: Any, **options: Any) -> Case:
    """A case judged by the moves of its result."""
    return stand.case(call, *tensors, rules=NORMWISE, **options)


LAYER_NORM = normal(F + "layer_norm", arguments={"normalized_shape": (Expression.parse("W"),)})
SOFTMAX = normal(F + "softmax", arguments={"dim": 1})
IMAGE = ("N", "C", "H", "W")
MIDDLE = (Expression.parse("0.25"), Expression.parse("0.75"))
PAIR = (stand.tensor("x", *IMAGE), stand.tensor("target", *IMAGE))
OPERATORS = {
    "batch_norm": normal(
        F + "batch_norm",
        stand.tensor("x", *IMAGE),
        stand.tensor("mean", "C", optional=True, grad=False),
        stand.tensor("variance", "C", optional=True, grad=False),
        stand.tensor("weight", "C"),
        stand.tensor("bias", "C"),
        arguments={"training": True},
    ),
    "layer_norm": LAYER_NORM,
    "group_norm": normal(
        "torch.group_norm",
        stand.tensor("x", *IMAGE),
        arguments={"num_groups": Expression.parse("C")},
    ),
    "softmax": SOFTMAX,
    "log_softmax": normal(F + "log_softmax", arguments={"dim": 1}),
    "logsumexp": normal("torch.logsumexp", arguments={"dim": (2, 3)}),
    "var": normal("torch.var", arguments={"dim": (2, 3)}),
    "std": normal("torch.std", arguments={"dim": 1, "correction": 0}),
    "vector_norm": normal("torch.linalg.vector_norm", arguments={"ord": 3, "dim": 1}),
    "binary_cross_entropy_with_logits": normal(
        F + "binary_cross_entropy_with_logits",
        stand.tensor("x", *IMAGE),
        stand.tensor("target", *IMAGE),
        stand.tensor("weight", "C", "1", "1", grad=False),
        stand.tensor("pos_weight", "W", grad=False),
        positional=(TensorArgument("x"), TensorArgument("target")),
        arguments={"weight": TensorArgument("weight"), "pos_weight": TensorArgument("pos_weight"), "reduction": "none"},
    ),
    "mse_loss": normal(F + "mse_loss", *PAIR),
    "smooth_l1_loss": normal(F + "smooth_l1_loss", *PAIR, arguments={"beta": 0.5, "reduction": "sum"}),
    "huber_loss": normal(F + "huber_loss", *PAIR, arguments={"delta": 0.5}),
    "soft_margin_loss": normal(F + "soft_margin_loss", PAIR[0], stand.tensor("target", *IMAGE, grad=False)),
    "binary_cross_entropy": normal(
        F + "binary_cross_entropy",
        *(stand.tensor(name, *IMAGE, between=MIDDLE) for name in ("x", "target")),
        stand.tensor("weight", *IMAGE, between=MIDDLE, grad=False),
    ),
    "grid_sample_3d": normal(
        F + "grid_sample",
        stand.tensor("x", "N", "C", "3", "H", "W"),
        stand.tensor("grid", "N", "3", "5", "4", "3", between=(Expression.parse("-1.5"), Expression.parse("1.5"))),
        arguments={"padding_mode": "reflection", "align_corners": False},
    ),
    "affine_grid": normal(
        F + "affine_grid",
        stand.tensor("theta", "N", "2", "3"),
        arguments={"size": (2, 3, 4, 5), "align_corners": False},
    ),
    "attention": normal(
        F + "scaled_dot_product_attention",
        stand.tensor("query", *IMAGE),
        stand.tensor("key", *IMAGE),
        stand.tensor("value", *IMAGE),
    ),
}


for _mode, _padding, _align in itertools.product(
    ("bilinear", "nearest", "bicubic"), ("zeros", "border", "reflection"), (False, True)
):
    OPERATORS[f"grid_sample-{_mode}-{_padding}-{_align}"] = normal(
        F + "grid_sample",
        stand.tensor("x", *IMAGE),
        stand.tensor("grid", "N", "5", "7", "2", between=(Expression.parse("-1.5"), Expression.parse("1.5"))),
        arguments={"mode": _mode, "padding_mode": _padding, "align_corners": _align},
    )


def drawn(case: Case, dtype: str = "float32", **options: Any) -> Example:
    """An example of real numbers."""
    return stand.example(case, dtype, **{"fill": "reals", "seed": 3, **options})


@pytest.mark.parametrize("name", OPERATORS)
def test_unperturbed_formulas_are_the_operators(name: str, run_here: Run) -> None:
    """Taken apart and normwise_allowance by nothing, outputs and gradients are those of ATen's kernel."""
    case = OPERATORS[name]
    example = drawn(case, absent=("mean", "variance") if name == "batch_norm" else ())
    expected = run_here(case, example).reference.values
    call = module("call").parse_call(reference_request(resolve_example(case, example)))
    values = module("fill_values").input_values(call)
    with module("reference.monte_carlo").RoundingNoise(0.0, 0.0, 0.0, 0):
        graph = module("reference.graph").Graph(call, values, np.array)
        unperturbed = {**graph.tensors(), **graph.gradients(np.array)}
    assert unperturbed.keys() == expected.keys()
    for tensor, array in unperturbed.items():
        np.testing.assert_allclose(array.detach().numpy(), expected[tensor], rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("name", OPERATORS)
def test_every_operator_moves_by_about_a_roundoff(name: str, run_here: Run) -> None:
    """Roundings move the result, by no more than some hundred unit roundoffs of what well-conditioned numbers give."""
    case = OPERATORS[name]
    reference = run_here(case, drawn(case, absent=("mean", "variance") if name == "batch_norm" else ())).reference
    assert reference.inner_sensitivity.keys() == reference.values.keys()
    for tensor, moved in reference.inner_sensitivity.items():
        largest = np.abs(reference.values[tensor]).max()
        assert 2.0**-27 * largest <= moved.max() <= 2.0**-16 * largest, tensor


def test_a_group_of_one_element_leaves_noise(run_here: Run) -> None:
    """The gradient is zero in exact arithmetic; what it is made of cancels and leaves its roundings."""
    reference = run_here(LAYER_NORM, drawn(LAYER_NORM, sizes={"W": 1})).reference
    assert np.abs(reference.values["grad:x"]).max() < 1e-12
    noise = 2.0**-24 * np.abs(reference.grad_outputs["output[0]"]) / np.sqrt(1e-5)
    moved = reference.inner_sensitivity["grad:x"]
    assert (moved > noise / 8).all()
    assert (moved < noise * 16).all()


def test_what_is_handed_over_is_rounded_to_the_half_type(run_here: Run) -> None:
    """A softmax alone hands nothing over; its backward starts from the output that was stored."""
    reference = run_here(SOFTMAX, drawn(SOFTMAX, "bfloat16")).reference
    assert reference.storage_sensitivity["output[0]"].max() < 1e-15
    assert reference.storage_sensitivity["grad:x"].max() > 2.0**-10 * np.abs(reference.values["grad:x"]).max()
    assert reference.inner_sensitivity["grad:x"].max() < 2.0**-18


def test_what_an_operator_is_made_of_is_rounded_to_the_half_type(run_here: Run) -> None:
    """An operator that calls others stores what each of them returns."""
    case = OPERATORS["binary_cross_entropy_with_logits"]
    reference = run_here(case, drawn(case, "bfloat16")).reference
    assert reference.storage_sensitivity["output[0]"].max() > 2.0**-12
    assert reference.inner_sensitivity["output[0]"].max() < 2.0**-18


def test_float32_is_its_own_accumulator(run_here: Run) -> None:
    """Where both roundings are the same there is one move and not two."""
    assert not run_here(SOFTMAX, drawn(SOFTMAX)).reference.storage_sensitivity


def in_float32(x: Array, *, two_passes: bool) -> Array:
    """Normalise the rows in float32, the variance from deviations or from the sum of squares."""
    single = x.astype(np.float32)
    mean = single.mean(-1, keepdims=True, dtype=np.float32)
    deviations = single - mean
    squares = np.square(single).mean(-1, keepdims=True, dtype=np.float32)
    variance = np.square(deviations).mean(-1, keepdims=True) if two_passes else squares - np.square(mean)
    return np.asarray(deviations / np.sqrt(np.maximum(variance, 0) + np.float32(1e-5)), dtype=np.float64)


def test_a_variance_from_the_sum_of_squares_is_out_of_bounds(run_here: Run) -> None:
    """Where the mean is large against the spread it loses its digits; two passes keep them."""
    example = drawn(LAYER_NORM, sizes={"W": 64}, fill="offset")
    reference = run_here(LAYER_NORM, example).reference
    due = reference.values["output[0]"]
    allowed = normwise_allowance(
        due, reference.inner_sensitivity["output[0]"], None, dtype="float32", accumulator="float32"
    )
    error = [np.abs(in_float32(reference.inputs["x"], two_passes=passes) - due) for passes in (False, True)]
    assert (error[1] <= allowed).all()
    assert (error[0] > 4 * allowed).any()


@pytest.mark.parametrize("operator", ["mse_loss", "l1_loss", "smooth_l1_loss", "huber_loss"])
def test_a_mean_over_all_is_held_to_the_roundings_of_its_sum(operator: str, run_here: Run) -> None:
    """One number: float32 passes in the worst order; without one element, or in bfloat16, it is out of bounds."""
    case = normal(F + operator, *PAIR, arguments={"reduction": "none"})
    mean = normal(F + operator, *PAIR)
    example = drawn(case, sizes={"N": 4, "C": 16, "H": 8, "W": 8})
    terms = run_here(case, example).reference.values["output[0]"].ravel()
    reference = run_here(mean, example).reference
    due, spread = reference.values["output[0]"], reference.inner_sensitivity["output[0]"]
    allowed = float(normwise_allowance(due, spread, None, dtype="float32", accumulator="float32"))
    in_order = np.cumsum(np.sort(terms)[::-1].astype(np.float32), dtype=np.float32)[-1] / np.float32(terms.size)
    assert abs(float(in_order) - float(due)) <= allowed
    assert abs(np.delete(terms, terms.argmax()).sum() / terms.size - float(due)) > 4 * allowed
    total = np.zeros(())
    for term in terms:
        total = round_to("bfloat16", total + term)
    assert abs(float(total) / terms.size - float(due)) > 4 * allowed


def test_the_length_of_a_sum_is_read_from_its_operands() -> None:
    """A reduction adds up what it makes fewer of; a matrix product the columns of its first operand."""
    term_count = module("reference.sum_length").term_count
    assert term_count((torch.ones(4, 6),), torch.ones(4)) == 6
    assert term_count((torch.ones(2, 3), torch.ones(3, 50)), torch.ones(2, 50)) == 3
    assert term_count((torch.ones(3),), torch.ones(3)) == 1


def test_equal_terms_are_rounded_alike() -> None:
    """The errors of n different terms grow like sqrt(n), those of n equal ones like n."""
    effective_terms = module("reference.sum_length").effective_terms
    different = torch.arange(1, 257, dtype=torch.float64)
    assert effective_terms((different,), 256) == [16.0]
    assert effective_terms((torch.ones(256, dtype=torch.float64),), 256) == [256.0]
    assert effective_terms((different % 4 + 1.0,), 256) == [128.0]
    assert effective_terms((1 + 2.0**-24 * different,), 256) == [256.0]
    pixels = torch.arange(33, dtype=torch.float64).expand(1, 64, 33)
    assert effective_terms((pixels,), 64, [1]) == [64.0]
    assert effective_terms((pixels,), 33, [-1]) == [math.sqrt(33)]
    assert effective_terms((pixels,), 64, [0, 1]) == [64.0]
    assert effective_terms((pixels[0, 0],), 33, [0]) == [math.sqrt(33)]
    assert effective_terms((pixels, [2, 2]), 4) == [2.0], "the extents of a kernel are no dimensions"


def test_terms_that_a_sum_does_not_feel_are_allowed_to_be_lost(run_here: Run) -> None:
    """Added to a large number one after the other, each of many small ones is rounded away."""
    run_here(SOFTMAX, drawn(SOFTMAX))  # it has loaded torch in this process
    terms = torch.full((1, 4097), 2.0**-25, dtype=torch.float64)
    terms[0, 0] = 1.0
    mode = module("reference.monte_carlo").RoundingNoise(2.0**-24, 2.0**-24, 0.0, 1)
    lost = mode._lost_terms(torch.sum, (terms, [1]), {})  # noqa: SLF001 - that it has a part is what is tested
    assert lost.item() == pytest.approx(4096 * 2.0**-25)
    assert mode._lost_terms(torch.sum, (terms[:, 1:], [1]), {}) is None  # noqa: SLF001 - as above


def test_a_mask_is_counted_without_roundings(run_here: Run) -> None:
    """How many elements are ignored by a loss is a sum too, and comes out as it is."""
    run_here(SOFTMAX, drawn(SOFTMAX))  # as above
    with module("reference.monte_carlo").RoundingNoise(2.0**-24, 2.0**-24, 0.0, 1):
        assert (torch.arange(9) > 3).sum().item() == 5


@pytest.mark.parametrize(("values", "reach"), [("same", 64.0), ("different", 8.0)])
def test_equal_numbers_are_stored_alike(values: str, reach: float) -> None:
    """A sum of 64 stored numbers is off by 64 times what one is where they are the same, by 8 where they differ."""
    monte_carlo = module("reference.monte_carlo")
    unit, count = 2.0**-9, 64
    start = torch.full((count,), 1.5) if values == "same" else torch.linspace(1.0, 2.0, count)

    def run(mode: Any) -> dict[str, Any]:
        """The sum of what an operator has stored."""
        with mode:
            stored = start.double() * 1.0
        return {"sum": stored.sum().numpy()}

    exact = start.double().sum().numpy()
    moved = float(monte_carlo.largest_moves(run, {"sum": exact}, monte_carlo.Steps(0.0, unit, 0.0))["sum"]) / (
        1.5 * unit
    )
    assert reach / 2 < moved < 2 * reach * np.sqrt(3)


def test_a_product_that_is_added_in_place_is_rounded_before_the_sum() -> None:
    """Where a step cancels, what is left moves by a roundoff of the product, and not of what is left."""
    monte_carlo = module("reference.monte_carlo")
    start = torch.linspace(1.0, 2.0, 64, dtype=torch.float64)

    def run(mode: Any) -> dict[str, Any]:
        """A number less three times its third."""
        with mode:
            left = start.clone().add_(start / 3.0, alpha=-3.0)
        return {"left": left.numpy()}

    unit = 2.0**-24
    moves = monte_carlo.largest_moves(run, {"left": np.zeros(64)}, monte_carlo.Steps(unit, 0.0, 0.0))["left"]
    assert (moves > unit / 8).all()
    assert (moves < unit * 8).all()


def test_more_patterns_tell_what_eight_happen_not_to_move() -> None:
    """An element that eight patterns leave nearly where it is has what the others say of its standard deviation."""
    monte_carlo = module("reference.monte_carlo")
    moves = iter([1e-3] * 8 + [1.0, -1.0] * 28)

    def run(_mode: Any) -> dict[str, Any]:
        """A number that the first eight patterns hardly move."""
        return {"number": np.array([next(moves)])}

    steps = monte_carlo.Steps(2.0**-9, 2.0**-9, 0.0)
    largest = monte_carlo.largest_moves(run, {"number": np.zeros(1)}, steps, patterns=64)
    assert largest["number"] == pytest.approx(monte_carlo.TYPICAL)
    assert next(moves, None) is None
