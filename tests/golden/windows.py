"""Convolution and pooling in NumPy, after the definitions in PyTorch's documentation, and nothing of PyTorch's."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from tests.golden.terms import Array, Formula, Inputs, Shape, Terms

Windows = list[tuple[list[int], int]]
"""Along one dimension, for each output: the inputs within its window, and how long the window is with padding."""


def convolution(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """y[n, k, o] = sum over c and t of x[n, c, o*stride - padding + t*dilation] * w[k, c, t], group by group."""
    x, w, groups = inputs["input"].shape, inputs["weight"].shape, arguments.get("groups", 1)
    stride, padding, dilation = (_each(arguments, name, len(x) - 2) for name in ("stride", "padding", "dilation"))
    extents = [
        (size + 2 * p - d * (k - 1) - 1) // s + 1
        for size, k, s, p, d in zip(x[2:], w[2:], stride, padding, dilation, strict=True)
    ]
    taps = [
        _taps(range(out), range(k), size, lambda o, t, s=s, p=p, d=d: o * s - p + t * d)
        for out, k, size, s, p, d in zip(extents, w[2:], x[2:], stride, padding, dilation, strict=True)
    ]
    y = (x[0], w[0], *extents)
    n, group, k, c, *positions = _grid(x[0], groups, w[0] // groups, w[1], *(len(tap) for tap in taps))
    out, inside, tap = _pick(taps, positions)
    channel = group * (w[0] // groups) + k
    return Terms(
        y,
        np.ravel_multi_index((n, channel, *out), y),
        np.ravel_multi_index((n, group * w[1] + c, *inside), x),
        np.ravel_multi_index((channel, c, *tap), w),
        np.ones(n.size),
    )


def transposed_convolution(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """y[n, k, i*stride - padding + t*dilation] += x[n, c, i] * w[c, k, t], group by group."""
    x, w, groups = inputs["input"].shape, inputs["weight"].shape, arguments.get("groups", 1)
    names = ("stride", "padding", "dilation", "output_padding")
    stride, padding, dilation, extra = (_each(arguments, name, len(x) - 2) for name in names)
    extents = [
        (size - 1) * s - 2 * p + d * (k - 1) + e + 1
        for size, k, s, p, d, e in zip(x[2:], w[2:], stride, padding, dilation, extra, strict=True)
    ]
    taps = [
        _taps(range(size), range(k), out, lambda i, t, s=s, p=p, d=d: i * s - p + t * d)
        for out, k, size, s, p, d in zip(extents, w[2:], x[2:], stride, padding, dilation, strict=True)
    ]
    y = (x[0], w[1] * groups, *extents)
    n, group, c, k, *positions = _grid(x[0], groups, x[1] // groups, w[1], *(len(tap) for tap in taps))
    inside, out, tap = _pick(taps, positions)
    channel = group * (x[1] // groups) + c
    return Terms(
        y,
        np.ravel_multi_index((n, group * w[1] + k, *out), y),
        np.ravel_multi_index((n, channel, *inside), x),
        np.ravel_multi_index((channel, k, *tap), w),
        np.ones(n.size),
    )


def average_pool(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """The mean of each window; what it is divided by counts the padding, or not, or is given."""
    counts_padding, override = arguments.get("count_include_pad", True), arguments.get("divisor_override")

    def divisor(inside: int, whole: int) -> int:
        return override or (whole if counts_padding else inside)

    return _averages(inputs["input"].shape, _strided_windows(inputs, arguments), divisor)


def adaptive_average_pool(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """The mean of each window; window o of P over H is floor(o*H/P) to ceil((o+1)*H/P)."""
    return _averages(inputs["input"].shape, _adaptive_windows(inputs, arguments), lambda inside, _: inside)


def max_pool(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """The first largest element of each window, padding left out."""
    return _maxima(inputs["input"], _strided_windows(inputs, arguments))


def adaptive_max_pool(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """The same over the windows of adaptive pooling."""
    return _maxima(inputs["input"], _adaptive_windows(inputs, arguments))


def max_unpool(inputs: Inputs, arguments: Mapping[str, Any]) -> Terms:
    """Each element where its index says; the image is as large as asked for, or as its windows make it."""
    x, indices = inputs["input"].shape, inputs["indices"]
    windows = zip(x[2:], arguments["stride"], arguments["kernel_size"], arguments["padding"], strict=True)
    image = arguments.get("output_size") or [(size - 1) * s + k - 2 * p for size, s, k, p in windows]
    places = indices.reshape(x[0] * x[1], -1) + np.arange(x[0] * x[1])[:, None] * math.prod(image)
    count = math.prod(x)
    return Terms((*x[:2], *image), places.ravel().astype(np.intp), np.arange(count), None, np.ones(count))


FORMULAS: dict[str, Formula] = {
    f"torch.nn.functional.{name}{rank}d{suffix}": formula
    for rank in (2, 3)
    for name, suffix, formula in (
        ("conv", "", convolution),
        ("conv_transpose", "", transposed_convolution),
        ("avg_pool", "", average_pool),
        ("adaptive_avg_pool", "", adaptive_average_pool),
        ("max_pool", "", max_pool),
        ("max_pool", "_with_indices", max_pool),
        ("adaptive_max_pool", "", adaptive_max_pool),
        ("adaptive_max_pool", "_with_indices", adaptive_max_pool),
        ("max_unpool", "", max_unpool),
    )
}
"""By the dotted name of the callable."""


def _each(arguments: Mapping[str, Any], name: str, count: int) -> Sequence[int]:
    value = arguments.get(name, 0 if "padding" in name else 1)
    return value if isinstance(value, tuple) else (value,) * count


def _taps(first: range, taps: range, size: int, place: Callable[[int, int], int]) -> Array:
    """Rows (position, where it meets the other tensor, tap) of one dimension, those that meet nothing left out."""
    rows = [(o, place(o, t), t) for o in first for t in taps if 0 <= place(o, t) < size]
    return np.array(rows, dtype=np.intp).reshape(-1, 3)


def _grid(*extents: int) -> list[Array]:
    return [axis.ravel() for axis in np.indices(extents)]


def _pick(taps: Sequence[Array], positions: Sequence[Array]) -> Iterator[list[Array]]:
    for column in range(3):
        yield [tap[position, column] for tap, position in zip(taps, positions, strict=True)]


def _strided_windows(inputs: Inputs, arguments: Mapping[str, Any]) -> list[Windows]:
    sizes = inputs["input"].shape[2:]
    kernel = _each(arguments, "kernel_size", len(sizes))
    stride = _each(arguments, "stride", len(sizes)) if arguments.get("stride") else kernel
    padding, dilation = _each(arguments, "padding", len(sizes)), _each(arguments, "dilation", len(sizes))
    return [
        _windows(size, k, s, p, d, ceil=arguments.get("ceil_mode", False))
        for size, k, s, p, d in zip(sizes, kernel, stride, padding, dilation, strict=True)
    ]


def _windows(size: int, kernel: int, stride: int, padding: int, dilation: int, *, ceil: bool) -> Windows:  # noqa: PLR0913 - one formula
    span = size + 2 * padding - dilation * (kernel - 1) - 1
    count = (-(-span // stride) if ceil else span // stride) + 1
    if ceil and (count - 1) * stride >= size + padding:  # a last window that begins in the padding is dropped
        count -= 1
    windows = []
    for o in range(count):
        start = o * stride - padding
        inside = [start + t * dilation for t in range(kernel) if 0 <= start + t * dilation < size]
        windows.append((inside, min(start + kernel, size + padding) - start))
    return windows


def _adaptive_windows(inputs: Inputs, arguments: Mapping[str, Any]) -> list[Windows]:
    sizes = inputs["input"].shape[2:]
    extents = _each(arguments, "output_size", len(sizes))
    return [
        [([*range(o * size // out, -(-(o + 1) * size // out))], 0) for o in range(out)]
        for size, out in zip(sizes, extents, strict=True)
    ]


def _window_places(shape: Shape, windows: Sequence[Windows]) -> Iterator[tuple[tuple[int, ...], Array, int, int]]:
    """Each output's index, the flat inputs of its window, and the sizes of the window without and with padding."""
    plane = math.prod(shape[2:])
    for at in itertools.product(*(range(len(window)) for window in windows)):
        inside, whole = zip(*(window[o] for window, o in zip(windows, at, strict=True)), strict=True)
        mesh = np.array([*itertools.product(*inside)], dtype=np.intp).reshape(-1, len(windows))
        flat = np.ravel_multi_index(tuple(mesh.T), shape[2:])
        for n, c in itertools.product(range(shape[0]), range(shape[1])):
            yield (n, c, *at), (n * shape[1] + c) * plane + flat, math.prod(map(len, inside)), math.prod(whole)


def _averages(shape: Shape, windows: Sequence[Windows], divisor: Callable[[int, int], int]) -> Terms:
    y = (*shape[:2], *map(len, windows))
    parts = [
        (np.full(flat.size, np.ravel_multi_index(at, y)), flat, np.full(flat.size, 1.0 / divisor(inside, whole)))
        for at, flat, inside, whole in _window_places(shape, windows)
    ]
    output, inputs, coefficient = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Terms(y, output, inputs, None, coefficient)


def _maxima(x: Array, windows: Sequence[Windows]) -> Terms:
    y = (*x.shape[:2], *map(len, windows))
    plane = math.prod(x.shape[2:])
    output, chosen, flat_x = [], [], x.ravel()
    for at, flat, _, _ in _window_places(x.shape, windows):
        output.append(np.ravel_multi_index(at, y))
        chosen.append(flat[np.argmax(flat_x[flat])])
    picked = np.array(chosen)
    indices = np.empty(math.prod(y), dtype=np.int64)
    indices[output] = picked % plane
    return Terms(y, np.array(output), picked, None, np.ones(picked.size), indices.reshape(y))
