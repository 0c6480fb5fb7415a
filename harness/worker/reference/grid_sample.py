"""Sampling an image at given places, written out in elementary operations for `monte_carlo`, forward and backward.

A result is a sum over the pixels around a place: the pixel times the product of one coefficient for each dimension.
Arguments, and the order of the grid's last dimension (the innermost one of the image first), are those of
aten/src/ATen/native/GridSampler.cpp and GridSamplerUtils.h. Modes: 0 linear, 1 nearest, 2 cubic; padding: 0 zeros,
1 border, 2 reflection.
"""

from __future__ import annotations

import itertools
from typing import Iterator, NamedTuple, Sequence

import torch
from torch import Tensor

NEAREST, CUBIC = 1, 2
ZEROS, REFLECTION = 0, 2
A = -0.75
"""The constant of the cubic coefficients (Keys, Cubic convolution interpolation, IEEE Trans. ASSP 29(6), 1981)."""


class Line:
    """One dimension: the pixels around each place, which are inside, their coefficients and the slopes of these.

    All are of shape (N, places); `factor` is the slope of the coordinate, in pixels, by what the grid says.
    """

    def __init__(self, position: Tensor, size: int, mode: int, padding: int, align: bool) -> None:
        self.size = size
        place = (position + 1) / 2 * (size - 1) if align else ((position + 1) * size - 1) / 2
        self.factor = torch.full_like(place, (size - 1 if align else size) / 2)
        if mode != CUBIC:
            place, sign = _fold_place(place, size, padding, align)
            self.factor = self.factor * sign
        first = place.round() if mode == NEAREST else place.floor()
        self.weights, self.slopes = _coefficients(place - first, mode)
        whole, least = first.to(torch.int64), (-1 if mode == CUBIC else 0)
        pixels = [whole + (least + tap) for tap in range(len(self.weights))]
        if mode == CUBIC:
            pixels = [_fold_pixel(pixel, size, padding, align) for pixel in pixels]
        self.inside = [torch.logical_and(pixel >= 0, pixel < size).to(position.dtype) for pixel in pixels]
        self.pixels = [pixel.clamp(0, size - 1) for pixel in pixels]


def grid_sample(input: Tensor, grid: Tensor, mode: int, padding: int, align_corners: bool) -> Tensor:
    """The image at the places of the grid."""
    flat = input.flatten(2)
    total = flat.new_zeros([*flat.shape[:2], grid[0, ..., 0].numel()])
    for index, inside, weights, _slopes in _taps(_lines(input, grid, mode, padding, align_corners)):
        total = total + _pixels(flat, index) * (_product(weights) * inside).unsqueeze(1)
    return total.reshape([*input.shape[:2], *grid.shape[1:-1]])


def grid_sample_backward(
    grad_output: Tensor,
    input: Tensor,
    grid: Tensor,
    mode: int,
    padding: int,
    align_corners: bool,
    output_mask: Sequence[bool],
) -> tuple[Tensor | None, Tensor]:
    """The gradients of image and grid."""
    flat, grad = input.flatten(2), grad_output.flatten(2)
    lines = _lines(input, grid, mode, padding, align_corners)
    image, moves = torch.zeros_like(flat), [torch.zeros_like(line.factor) for line in lines]
    for index, inside, weights, slopes in _taps(lines):
        share = grad * (_product(weights) * inside).unsqueeze(1)
        image = image.scatter_add(2, index.unsqueeze(1).expand_as(share), share)
        pull = (grad * _pixels(flat, index)).sum([1]) * inside
        for dim, slope in enumerate(slopes):
            moves[dim] = moves[dim] + pull * _product([*weights[:dim], slope, *weights[dim + 1 :]])
    moved = torch.stack([line.factor * move for line, move in zip(lines, moves)][::-1], -1)
    return image.reshape(input.shape) if output_mask[0] else None, moved.reshape(grid.shape)


def _lines(input: Tensor, grid: Tensor, mode: int, padding: int, align: bool) -> list[Line]:
    return [
        Line(grid[..., -1 - dim].flatten(1), size, mode, padding, align) for dim, size in enumerate(input.shape[2:])
    ]


class Tap(NamedTuple):
    """A pixel around each place: index, 0 where it is outside, and each dimension's coefficient and its slope."""

    index: Tensor
    inside: Tensor
    weights: list[Tensor]
    slopes: list[Tensor]


def _taps(lines: list[Line]) -> Iterator[Tap]:
    """The pixels around the places."""
    for taps in itertools.product(*(range(len(line.weights)) for line in lines)):
        index, inside = 0, 1
        for line, tap in zip(lines, taps):
            index = index * line.size + line.pixels[tap]
            inside = line.inside[tap] * inside
        weights = [line.weights[tap] for line, tap in zip(lines, taps)]
        yield Tap(index, inside, weights, [line.slopes[tap] for line, tap in zip(lines, taps)])


def _pixels(flat: Tensor, index: Tensor) -> Tensor:
    return flat.gather(2, index.unsqueeze(1).expand(-1, flat.shape[1], -1))


def _product(factors: list[Tensor]) -> Tensor:
    product = factors[0]
    for factor in factors[1:]:
        product = product * factor
    return product


def _fold_place(place: Tensor, size: int, padding: int, align: bool) -> tuple[Tensor, Tensor]:
    """Where a coordinate comes to lie, and the sign of its slope; 0 where it no longer moves."""
    if padding == ZEROS:
        return place, torch.ones_like(place)
    sign = torch.ones_like(place)
    if padding == REFLECTION:
        low, span = (0.0, size - 1.0) if align else (-0.5, float(size))
        if span == 0:
            return torch.zeros_like(place), torch.zeros_like(place)
        away = place - low
        sign = torch.where(away < 0, -sign, sign)
        away = away.abs()
        away = away - (away / (2 * span)).floor() * (2 * span)
        sign = torch.where(away > span, -sign, sign)
        place = torch.minimum(away, 2 * span - away) + low
    inside = torch.logical_and(place > 0, place < size - 1)
    return place.clamp(0, size - 1), torch.where(inside, sign, torch.zeros_like(sign))


def _fold_pixel(pixel: Tensor, size: int, padding: int, align: bool) -> Tensor:
    """The pixel that stands for one outside."""
    if padding == ZEROS:
        return pixel
    if padding == REFLECTION:
        low, span = (0, 2 * size - 2) if align else (-1, 2 * size)  # in halves of a pixel
        if span == 0:
            return torch.zeros_like(pixel)
        away = (2 * pixel - low).abs() % (2 * span)
        pixel = (torch.minimum(away, 2 * span - away) + low) // 2
    return pixel.clamp(0, size - 1)


def _coefficients(t: Tensor, mode: int) -> tuple[list[Tensor], list[Tensor]]:
    """Those of the pixels in order, and their slopes, for a place at `t` after the first (the second of a cubic)."""
    if mode == NEAREST:
        return [torch.ones_like(t)], [torch.zeros_like(t)]
    if mode != CUBIC:
        return [1 - t, t], [-torch.ones_like(t), torch.ones_like(t)]
    outer, inner, near, far = t + 1, t, 1 - t, 2 - t
    weights = [_outer(outer), _inner(inner), _inner(near), _outer(far)]
    return weights, [_outer_slope(outer), _inner_slope(inner), -_inner_slope(near), -_outer_slope(far)]


def _inner(x: Tensor) -> Tensor:
    return ((A + 2) * x - (A + 3)) * x * x + 1


def _outer(x: Tensor) -> Tensor:
    return ((A * x - 5 * A) * x + 8 * A) * x - 4 * A


def _inner_slope(x: Tensor) -> Tensor:
    return (3 * (A + 2) * x - 2 * (A + 3)) * x


def _outer_slope(x: Tensor) -> Tensor:
    return (3 * A * x - 10 * A) * x + 8 * A
