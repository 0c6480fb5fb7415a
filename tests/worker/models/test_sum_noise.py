"""What sums may be off by: it covers every order of adding equal terms, and is no larger than it must be."""

from __future__ import annotations

import contextlib
from typing import Any

import numpy as np
import pytest

from tests.execution.stand import module

torch = pytest.importorskip("torch")

U = 2.0**-24
COUNT = 3000


def sizes(terms: Any) -> Any:
    """What the sum of each line of an array may be off by."""
    return module("models.sum_noise").rounding_sizes(torch.from_numpy(np.asarray(terms, np.float64)), [1]).numpy()


def errors(terms: Any) -> Any:
    """What float32 really loses where each line is added up from the first term to the last."""
    lines = np.asarray(terms, np.float32)
    added = np.zeros(len(lines), np.float32)
    for column in lines.T:
        added += column
    return np.abs(added - lines.astype(np.float64).sum(1))


def numbers(lines: int = 200, count: int = COUNT) -> Any:
    """Random float32 numbers between 1 and 2, one line for each sum."""
    return np.random.default_rng(5).uniform(1.0, 2.0, (lines, count)).astype(np.float32)


def test_a_sum_of_equal_terms_is_covered_whatever_they_are() -> None:
    """Four times the size is the bound of any rounding, and nearly half of that is reached by some of 200 numbers."""
    equal = np.repeat(numbers(count=1), COUNT, 1)
    ratios = errors(equal) / sizes(equal)
    assert 1.5 < ratios.max() <= 4.0


@pytest.mark.parametrize("values", [2, 4, 16])
def test_a_sum_of_few_values_is_covered(values: int) -> None:
    """The errors of equal terms add up in full, and those of different ones at random."""
    few = np.tile(numbers(count=values), COUNT // values)
    ratios = errors(few) / sizes(few)
    assert 0.5 < ratios.max() <= 4.0


def test_a_sum_of_many_values_may_be_off_by_little() -> None:
    """Roundings are independent there: an error of four times the size is not seen, and of one is."""
    ratios = errors(numbers()) / sizes(numbers())
    assert 0.5 < ratios.max() <= 4.0
    assert sizes(numbers()).max() < sizes(np.repeat(numbers(count=1), COUNT, 1)).min() / 10


def test_terms_of_both_signs_keep_partial_sums_and_errors_small() -> None:
    """What counts is how large the partial sums are, not the sum of magnitudes."""
    signed = numbers() * np.random.default_rng(6).choice([-1.0, 1.0], (200, COUNT))
    assert errors(signed).max() <= 4.0 * sizes(signed).max()
    assert sizes(signed).max() < sizes(numbers()).min() / 5


def test_adding_zeros_rounds_nothing() -> None:
    """A line that is mostly zero is off by no more than the rest of it may be: 50 terms that differ, and 50 n u S."""
    sparse = np.zeros((200, COUNT))
    sparse[:, ::60] = numbers(count=50)
    assert errors(sparse).max() <= 4.0 * sizes(sparse).max()
    full = np.repeat(numbers(count=1), COUNT, 1)
    assert sizes(sparse).max() < sizes(full).min() / 100


def test_one_term_is_not_rounded() -> None:
    """Nor is nothing."""
    assert sizes(np.ones((3, 1))).tolist() == [0.0] * 3
    assert sizes(np.ones((3, 0))).tolist() == [0.0] * 3


def train(mode: Any, layer: Any, images: Any) -> list[Any]:
    """Output, gradients of the images and of the parameters, and buffers, of a layer in float64 under a mode."""
    source = images.clone().requires_grad_()
    with mode:
        output = layer(source)
        gradients = torch.autograd.grad(output.mean((2, 3)).square().sum(), [source, *layer.parameters()])
    return [output.detach(), *gradients, *layer.buffers()]


@pytest.mark.parametrize("kind", ["BatchNorm2d", "GroupNorm", "Conv2d"])
def test_recording_changes_no_bit(kind: str) -> None:
    """Statistics that a norm updates are updated once."""
    arguments = {"BatchNorm2d": (4,), "GroupNorm": (2, 4), "Conv2d": (4, 3, 3)}[kind]
    torch.manual_seed(0)
    layer = getattr(torch.nn, kind)(*arguments).double()
    images = torch.rand(2, 4, 6, 5, dtype=torch.float64)
    state = {name: value.clone() for name, value in layer.state_dict().items()}
    recorder = module("models.sum_noise").SumRecorder()
    recorded = train(recorder, layer, images)
    layer.load_state_dict(state)
    plain = train(contextlib.nullcontext(), layer, images)
    assert all(torch.equal(*pair) for pair in zip(recorded, plain, strict=True))
    assert recorder.sizes


def test_the_sum_of_a_channel_moves_all_of_its_pixels() -> None:
    """The gradient that a batch norm hands on is shifted as a whole, by much more than its pixels differ in it."""
    sums = module("models.sum_noise")
    torch.manual_seed(0)
    layer = torch.nn.BatchNorm2d(4).double()
    images = torch.rand(3, 4, 40, 40, dtype=torch.float64)
    recorder = sums.SumRecorder()
    exact = train(recorder, layer, images)
    moved = train(sums.SumNoise(recorder.sizes, 0, 1.0), layer, images)
    shift = (moved[1] - exact[1]).transpose(0, 1).flatten(1)
    assert (shift.mean(1).abs() > 0.5 * shift.square().mean(1).sqrt()).any()
    assert shift.abs().max() > 0


def test_opposite_noise_moves_sums_the_other_way() -> None:
    """With the sign of its scale a draw changes its own."""
    sums = module("models.sum_noise")
    terms = torch.rand(4, 100, dtype=torch.float64)
    moves = []
    for scale in (1.0, -1.0):
        with sums.SumNoise({}, 3, scale):
            moved = terms.sum(1)
        moves.append(moved - terms.sum(1))
    assert torch.allclose(moves[0], -moves[1], rtol=1e-3, atol=0.0)
    assert (moves[0] != 0).all()


@pytest.mark.parametrize("affine", [True, False])
def test_the_sums_of_a_group_norm_give_its_gradients(affine: bool) -> None:
    """In exact arithmetic the kernel's formula is the operator's gradient."""
    torch.manual_seed(0)
    images, grad_output = torch.rand(2, 2, 6, 5, 4, dtype=torch.float64)
    weight = torch.rand(6, dtype=torch.float64) if affine else None
    sizes_of_call = (2, 6, 20, 3)
    _, mean, rstd = torch.ops.aten.native_group_norm(images, weight, None, *sizes_of_call, 1e-5)
    arguments = (grad_output, images, mean, rstd, weight, *sizes_of_call, [True] * 3)
    expected = torch.ops.aten.native_group_norm_backward(*arguments)
    by_sums = module("reference.normalisations").group_norm_backward_by_sums(*arguments)
    assert all(torch.allclose(*pair, rtol=1e-9) for pair in zip(by_sums[: 2 + affine], expected, strict=False))


def test_each_sum_of_a_group_norm_s_gradient_is_one_number() -> None:
    """Of a channel and of a group the kernel sums grad_output x and grad_output, and rounds each of these sums once."""
    torch.manual_seed(0)
    layer = torch.nn.GroupNorm(3, 6).double()
    recorder = module("models.sum_noise").SumRecorder()
    train(recorder, layer, torch.rand(2, 6, 5, 4, dtype=torch.float64))
    of_channels, of_groups = ("sum", (2, 6, 20), (2,)), ("sum", (2, 3, 2), (2,))
    assert [len(recorder.sizes[place]) for place in (of_channels, of_groups)] == [2, 2]


def offset_first_sum(shape: tuple[int, ...], offset: float) -> Any:
    """A mode in which the first sum of terms of that shape is off by a number."""
    mode = module("models.operator_mode").OperatorMode()
    shapes = [shape]

    def intercept(func: Any, args: Any, keywords: Any) -> Any:
        """The operator, and the offset where it is that sum."""
        result = func(*args, **keywords)
        if func.overloadpacket.__name__ == "sum" and tuple(args[0].shape) in shapes:
            shapes.clear()
            result.add_(offset)
        return result

    mode.intercept = intercept
    return mode


def test_what_the_sum_of_a_group_is_off_by_cancels_where_it_does_in_the_kernel() -> None:
    """The sum of grad_output moves slope and constant at once: where x = mean + 1 / (mean rstd^2) the pixel stays."""
    torch.manual_seed(0)
    normalisations = module("reference.normalisations")
    images, grad_output = torch.rand(2, 1, 2, 5, 4, dtype=torch.float64)
    _, mean, rstd = torch.ops.aten.native_group_norm(images, None, None, 1, 2, 20, 1, 1e-5)
    arguments = (images, mean, rstd, None, 1, 2, 20, 1, [True] * 3)
    exact = normalisations.group_norm_backward_by_sums(grad_output, *arguments)[0]
    with offset_first_sum((1, 1, 2), 1e-3):
        moved = normalisations.group_norm_backward_by_sums(grad_output, *arguments)[0]
    expected = 1e-3 * rstd / 40 * (mean * rstd**2 * (images - mean) - 1.0)
    assert torch.allclose(moved - exact, expected, rtol=1e-6, atol=1e-15)
