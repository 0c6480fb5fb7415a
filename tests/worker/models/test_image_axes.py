"""What each dimension of a tensor is of an image, through views of it."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from tests.execution.stand import module

SHAPE = (2, 6, 4, 8)
IMAGE = torch.zeros(SHAPE).contiguous(memory_format=torch.channels_last)


def axes() -> Any:
    """The module."""
    return module("models.image_axes")


def parts(result: Any) -> str:
    """The parts of each dimension: ``N C PP`` for an image whose pixels are flattened."""
    return " ".join("".join(atom.part for atom in dimension) or "1" for dimension in result)


def view_axes(view: torch.Tensor) -> Any:
    """The axes of a view of the image."""
    extents = [list(zip(tensor.shape, tensor.stride(), strict=True)) for tensor in (IMAGE, view)]
    return axes().of_view(axes().image_axes(SHAPE), *extents)


@pytest.mark.parametrize(
    ("image", "expected"),
    [
        (torch.zeros(2, 3, 4, 5), "nchw"),
        (torch.zeros(2, 3, 4, 5).contiguous(memory_format=torch.channels_last), "nhwc"),
        (torch.zeros(2, 3, 4, 5, 6).contiguous(memory_format=torch.channels_last_3d), "nhwc"),
        (torch.zeros(2, 1, 4, 5), "either"),
        (torch.zeros(2, 3, 1, 1), "either"),
        (torch.zeros(2, 3, 1, 1).expand(2, 3, 4, 5), "either"),
        (torch.zeros(2, 4, 3, 5).transpose(1, 2), "other"),
    ],
)
def test_a_format_is_told_by_what_is_innermost(image: torch.Tensor, expected: str) -> None:
    """A dimension of one element, or one that is expanded, says nothing."""
    assert axes().memory_format(axes().image_axes(image.shape), image.stride()) == expected


def test_a_permuted_image_keeps_its_format() -> None:
    """The strides move with the dimensions: (N, H, W, C) that is contiguous is channels-last."""
    turned = IMAGE.permute(0, 2, 3, 1)
    assert turned.is_contiguous()
    assert parts(view_axes(turned)) == "N P P C"
    assert axes().memory_format(view_axes(turned), turned.stride()) == "nhwc"
    assert not axes().is_image(view_axes(turned))


def test_one_sample_or_a_part_of_an_image_is_known_by_its_strides() -> None:
    """Of a view with other strides nothing is said."""
    assert parts(view_axes(IMAGE[0])) == "C P P"
    assert parts(view_axes(IMAGE[:, :, 1:3])) == "N C P P"
    assert view_axes(IMAGE[..., ::2]) is None


@pytest.mark.parametrize(
    ("shape", "expected"),
    [
        ((2, 6, 32), "N C PP"),
        ((2, 2, 3, 4, 8), "N C C P P"),
        ((2, 6, 2, 2, 8), "N C P P P"),
        ((2, 6, 1, 4, 8), "N C 1 P P"),
        ((12, 4, 8), "NC P P"),
    ],
)
def test_a_reshape_merges_and_splits_dimensions(shape: tuple[int, ...], expected: str) -> None:
    """Elements stay in their order."""
    assert parts(axes().reshape_axes(axes().image_axes(SHAPE), shape)) == expected


@pytest.mark.parametrize("shape", [(2, 192), (2, 4, 48), (384,), (2, 6, 5)])
def test_channels_and_pixels_in_one_dimension_are_no_image_any_more(shape: tuple[int, ...]) -> None:
    """A linear layer behind a flatten takes them so; nor is anything said where factors do not fit."""
    assert axes().reshape_axes(axes().image_axes(SHAPE), shape) is None


def test_tokens_become_a_map_again() -> None:
    """The sides are kept in the merged dimension, and have dimensions of their own again behind it."""
    tokens = axes().reshape_axes(axes().image_axes(SHAPE), (2, 6, 32))
    assert not axes().has_sides(tokens)
    image = axes().reshape_axes(tokens, SHAPE)
    assert axes().is_image(image)
    assert axes().has_sides(image)


def test_a_dimension_of_another_size_is_of_the_same_part() -> None:
    """Concatenated, cut or padded; but not where it has several parts, or none."""
    image = axes().image_axes(SHAPE)
    assert axes().resize_axes(image, SHAPE, (2, 12, 4, 8)) == axes().image_axes((2, 12, 4, 8))
    assert axes().resize_axes(axes().reshape_axes(image, (12, 4, 8)), (12, 4, 8), (13, 4, 8)) is None
    assert axes().resize_axes(axes().reshape_axes(image, (2, 6, 1, 4, 8)), (2, 6, 1, 4, 8), (2, 6, 3, 4, 8)) is None
