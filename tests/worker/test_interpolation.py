"""The coefficients of an interpolation, read off the operator, and what they bound."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch

from harness.core import Case, Example
from harness.execution import Result
from harness.execution.requests import reference_request
from harness.generation import resolve_example
from tests.execution import stand
from tests.execution.stand import module

Run = Callable[..., Result]


def resampler(case: Case, example: Example) -> Callable[[Any], Any]:
    """The operator of an example as a function of its first tensor."""
    call = module("call").parse_call(reference_request(resolve_example(case, example)))
    function: Callable[[Any], Any] = module("reference.float64").resampler(call)
    return function


@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_the_matrices_are_the_operator(run_here: Run, mode: str, antialias: bool) -> None:
    """Their product with the input is the output, and the transposed ones' with grad_output the gradient."""
    arguments = {"size": (7, 3), "mode": mode, "antialias": antialias}
    case = stand.case("torch.nn.functional.interpolate", rules=("resampling", "resampling"), arguments=arguments)
    example = stand.example(case, "float32", fill="reals", seed=2)
    reference = run_here(case, example).reference
    image, grad_output = reference.inputs["x"], reference.grad_outputs["output[0]"]
    matrices = module("reference.interpolation").Matrices(resampler(case, example), image.shape[2:])
    height, width = matrices.matrices
    np.testing.assert_allclose(height.sum(1), 1.0, rtol=1e-12)
    output = np.einsum("ph,qw,nchw->ncpq", height, width, image)
    np.testing.assert_allclose(output, reference.values["output[0]"], atol=1e-12)
    gradient = np.einsum("ph,qw,ncpq->nchw", height, width, grad_output)
    np.testing.assert_allclose(gradient, reference.values["grad:x"], atol=1e-12)
    magnitudes = np.einsum("ph,qw,nchw->ncpq", abs(height), abs(width), abs(image))
    if mode == "bilinear":
        np.testing.assert_allclose(reference.bound["output[0]"], magnitudes, rtol=1e-12)
    else:
        assert (reference.bound["output[0]"] >= magnitudes * (1 - 1e-12)).all()


@pytest.mark.parametrize("align_corners", [False, True])
@pytest.mark.parametrize("width", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("columns", [1, 3, 5, 19])
def test_taps_that_meet_at_the_border_are_bounded_one_by_one(width: int, columns: int, align_corners: bool) -> None:
    """A cubic kernel adds four products also where the border makes them one coefficient, which is smaller."""
    image = np.abs(np.sin(np.arange(1.0, width + 1)))

    def resampled(images: Any) -> Any:
        """Rows as they are, columns by cubic interpolation."""
        tensor = torch.from_numpy(np.array(images))
        size = (tensor.shape[2], columns)
        return torch.nn.functional.interpolate(tensor, size, mode="bicubic", align_corners=align_corners).numpy()

    bound, terms, _moved = (
        module("reference.interpolation").Matrices(resampled, (1, width)).output(image.reshape(1, 1, 1, -1))
    )
    scale = (width - 1) / max(columns - 1, 1) if align_corners else width / columns
    for column in range(columns):
        place = column * scale if align_corners else (column + 0.5) * scale - 0.5
        cell = int(np.floor(place))
        taps = [(cubic(abs(place - tap)), image[min(max(tap, 0), width - 1)]) for tap in range(cell - 1, cell + 3)]
        assert bound[0, 0, 0, column] >= sum(abs(weight) * pixel for weight, pixel in taps) * (1 - 1e-9)
        assert terms[0, 0, 0, column] >= sum(abs(weight) > 1e-12 for weight, _ in taps)


def cubic(distance: float) -> float:
    """Keys' kernel with A = -0.75, as in aten/src/ATen/native/UpSample.h."""
    if distance <= 1:
        return (1.25 * distance - 2.25) * distance * distance + 1
    return -0.75 * (((distance - 5) * distance + 8) * distance - 4)


def test_nothing_moves_in_a_constant_image() -> None:
    """A coefficient that is off is made up for by its neighbours: only the range of the window counts."""
    matrices = module("reference.interpolation").Matrices(
        lambda image: image[:, :, [0, 0, 1]][..., [0, 1, 1, 1]], (2, 2)
    )
    _bound, terms, moved = matrices.output(np.ones((1, 1, 2, 2)))
    assert not moved.any()
    assert (terms >= 1).all()


def test_a_window_is_taken_one_pixel_wider() -> None:
    """A coordinate that roundings take into the next cell reads a pixel that the exact one does not."""
    interpolation = module("reference.interpolation")
    matrices = interpolation.Matrices(lambda image: image[:, :, [1]], (4, 1))
    bound, _terms, moved = matrices.output(np.array([0.0, 1.0, 5.0, 100.0]).reshape(1, 1, 4, 1))
    assert bound.item() == 1.0
    assert moved.item() == pytest.approx(interpolation.STEEPEST * (4 + 1) * 5.0)


def test_slopes_are_as_steep_as_said() -> None:
    """Half the sum of the slopes of cubic coefficients, for both constants that PyTorch has."""
    t = np.linspace(0.0, 1.0, 4001)
    for a in (-0.75, -0.5):
        inner = [((a + 2) * x - (a + 3)) * x * x + 1 for x in (t, 1 - t)]
        outer = [((a * x - 5 * a) * x + 8 * a) * x - 4 * a for x in (1 + t, 2 - t)]
        slopes = np.abs(np.gradient(np.array([*inner, *outer]), t, axis=1)).sum(0) / 2
        assert slopes.max() <= module("reference.interpolation").STEEPEST
        assert slopes.max() >= module("reference.interpolation").STEEPEST - 0.01


def in_fixed_point(matrices: list[Any], image: Any, fraction_bits: Callable[[float], int]) -> Any:
    """What two passes of int16 weights make of bytes: along the width, then along the height."""
    for dim in (3, 2):
        matrix = matrices[dim - 2]
        if matrix.shape[0] != matrix.shape[1]:
            bits = fraction_bits(matrix.max())
            weights = np.trunc(matrix * 2.0**bits + np.copysign(0.5, matrix)).astype(np.int64)
            sums = np.moveaxis(np.tensordot(image.astype(np.int64), weights, axes=(dim, 1)), -1, dim)
            image = np.clip((sums + (1 << (bits - 1))) >> bits, 0, 255)
    return image


@pytest.mark.parametrize("size", [(7, 3), (1, 2), (6, 33), (64, 4), (2, 17)])
@pytest.mark.parametrize("antialias", [False, True])
@pytest.mark.parametrize("mode", ["bilinear", "bicubic"])
def test_bytes_are_resampled_in_fixed_point(run_here: Run, mode: str, antialias: bool, size: tuple[int, int]) -> None:
    """The kernel's bytes are those of the two passes, bit for bit, and these are within the bound of the reference."""
    arguments = {"size": size, "mode": mode, "antialias": antialias}
    case = stand.case(
        "torch.nn.functional.interpolate", rules=("resampling", "resampling"), arguments=arguments, dtypes=("uint8",)
    )
    example = stand.example(case, "uint8", fill="reals", seed=2)
    result = run_here(case, example)
    reference = result.reference
    matrices = module("reference.interpolation").Matrices(resampler(case, example), reference.inputs["x"].shape[2:])
    due = in_fixed_point(
        matrices.matrices, reference.inputs["x"], module("reference.uint8_interpolation").fraction_bits
    )
    for observation in result.observations:
        np.testing.assert_array_equal(observation.tensors["output[0]"].values, due)
    assert (np.abs(due - reference.values["output[0]"]) <= reference.bound["output[0]"]).all()
    assert (reference.bound["output[0]"] >= 0.5).all()
    assert (reference.bound["output[0]"] <= 1.5).all()


@pytest.mark.parametrize(("largest", "bits"), [(1.0, 14), (0.75, 15), (0.5, 15), (0.49, 16), (1.25, 14), (2.0**-9, 22)])
def test_weights_have_as_many_fraction_bits_as_int16_has_room_for(largest: float, bits: int) -> None:
    """The largest of them rounds to less than 2^15, and no weight has more than 22."""
    assert module("reference.uint8_interpolation").fraction_bits(largest) == bits


def test_matrices_are_read_off_once(run_here: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another dtype or seed has the same ones, another size or argument its own; the oldest make room."""
    float64, interpolation = module("reference.float64"), module("reference.interpolation")
    read_off: list[Any] = []
    build = interpolation.Matrices
    monkeypatch.setattr(float64, "_MATRICES", {})
    monkeypatch.setattr(interpolation, "Matrices", lambda *parts: read_off.append(parts) or build(*parts))
    case = bilinear((7, 3))
    first = run_here(case, stand.example(case, "float32", fill="reals", seed=2)).reference
    again = run_here(case, stand.example(case, "bfloat16", fill="reals", seed=3)).reference
    assert len(read_off) == 1
    np.testing.assert_array_equal(first.terms["output[0]"], again.terms["output[0]"])
    run_here(case, stand.example(case, "float32", sizes={"H": 6}, fill="reals"))
    run_here(bilinear((3, 7)), stand.example(bilinear((3, 7)), "float32", fill="reals"))
    assert len(read_off) == 3
    monkeypatch.setattr(float64, "MOST_MATRICES", 1)
    run_here(case, stand.example(case, "float32", sizes={"H": 8}, fill="reals"))
    assert len(float64._MATRICES) == 1  # noqa: SLF001 - that little is kept is what is tested


def bilinear(size: tuple[int, int]) -> Case:
    """Interpolation to that size."""
    arguments = {"size": size, "mode": "bilinear"}
    return stand.case("torch.nn.functional.interpolate", rules=("resampling", "resampling"), arguments=arguments)
