"""Operators that move elements, in NumPy, after the definitions in PyTorch's documentation.

Each works on the flat places of the input's elements: NumPy moves these, and what arrives is where each output comes
from. -1 is a place outside of the input.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from tests.golden.terms import Array, Formula, Inputs, Shape, Terms

_MODES: Final[Mapping[str, Any]] = {
    "constant": {"mode": "constant", "constant_values": -1},
    "reflect": {"mode": "reflect"},
    "replicate": {"mode": "edge"},
    "circular": {"mode": "wrap"},
}


def _move_elements(inputs: Inputs, move: Callable[[Array], Array], elsewhere: float = 0.0) -> Terms:
    shape: Shape = inputs["input"].shape
    places = move(np.arange(math.prod(shape)).reshape(shape))
    output = np.flatnonzero(places >= 0)
    source = places.ravel()[output]
    return Terms(places.shape, output, source, None, np.ones(output.size), elsewhere=elsewhere)


def pad(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """Pairs from the last dimension on; a negative number cuts off, for `circular` before it goes around."""
    mode, value = arguments.get("mode", "constant"), arguments.get("value")
    rank, widths = inputs["input"].ndim, arguments["pad"]
    pairs = [(0, 0)] * (rank - len(widths) // 2) + [*zip(widths[::2], widths[1::2], strict=True)][::-1]

    def widen(places: Array) -> Array:
        return np.pad(places, [(max(low, 0), max(high, 0)) for low, high in pairs], **_MODES[mode])

    def cut(places: Array) -> Array:
        sizes = zip(pairs, places.shape, strict=True)
        return places[tuple(slice(max(-low, 0), size - max(-high, 0)) for (low, high), size in sizes)]

    def both(places: Array) -> Array:
        return widen(cut(places)) if mode == "circular" else cut(widen(places))

    return _move_elements(inputs, both, elsewhere=value or 0.0)


def pixel_shuffle(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """Channel (c, i, j) of pixel (y, x) goes to channel c of pixel (y*r + i, x*r + j)."""
    r = arguments["upscale_factor"]

    def move(places: Array) -> Array:
        *batch, channels, height, width = places.shape
        parts = places.reshape(*batch, channels // r**2, r, r, height, width)
        turned = np.moveaxis(parts, (-4, -3), (-3, -1))
        return turned.reshape(*batch, channels // r**2, height * r, width * r)

    return _move_elements(inputs, move)


def pixel_unshuffle(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """The inverse: pixel (y*r + i, x*r + j) of channel c goes to channel (c, i, j) of pixel (y, x)."""
    r = arguments["downscale_factor"]

    def move(places: Array) -> Array:
        *batch, channels, height, width = places.shape
        parts = places.reshape(*batch, channels, height // r, r, width // r, r)
        turned = np.moveaxis(parts, (-3, -1), (-4, -3))
        return turned.reshape(*batch, channels * r**2, height // r, width // r)

    return _move_elements(inputs, move)


def channel_shuffle(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """Channel (group, c) becomes channel (c, group)."""
    groups = arguments["groups"]

    def move(places: Array) -> Array:
        batch, channels, *image = places.shape
        return places.reshape(batch, groups, channels // groups, *image).swapaxes(1, 2).reshape(places.shape)

    return _move_elements(inputs, move)


FORMULAS: Final[Mapping[str, Formula]] = {
    "torch.nn.functional.pad": pad,
    "torch.nn.functional.pixel_shuffle": pixel_shuffle,
    "torch.nn.functional.pixel_unshuffle": pixel_unshuffle,
    "torch.nn.functional.channel_shuffle": channel_shuffle,
    "torch.native_channel_shuffle": channel_shuffle,
}
"""By the dotted name of the callable."""
