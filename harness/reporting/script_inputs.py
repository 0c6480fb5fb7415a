"""The tensors of a script, as expressions of PyTorch: their numbers written out or drawn, and their place in memory."""

from __future__ import annotations

import itertools
import math
import operator
import textwrap
from collections.abc import Iterable, Iterator
from typing import Final

from harness.core.observation import Array
from harness.generation import ResolvedExample, ResolvedTensor
from harness.portable import fills, layouts
from harness.portable.dtypes import COMPLEX, FLOATING
from harness.portable.memory_format import CHANNELS_LAST_RANKS, dense_strides

MOST_LITERALS: Final = 128
"""A tensor of so many elements may have the example's own numbers, written out; a larger one has others like them."""

WIDTH: Final = 120
"""Columns of a line."""

_GAP: Final = 99
"""What the memory holds beside a tensor's own elements: a number that none of them is."""

_TANGENT_STREAM: Final = 2000
"""Tensor i of an example takes its tangent from this fill stream plus i, as in the worker."""

_SIGNIFICANT_DIGITS: Final = 17
"""Decimal digits that tell any two numbers of float64 apart."""


def tensor_text(tensor: ResolvedTensor, resolved: ResolvedExample, *, drawn: bool, indent: str) -> str:
    """The entry of a tensor in its layout: with the example's own numbers, or `drawn` like them; lines by `indent`."""
    head = f'{indent}"{tensor.name}": '
    assert tensor.shape is not None  # noqa: S101 - absent ones have no text
    strides, offset, length = layouts.placement(tensor.layout, tensor.shape)
    if drawn:
        memory = _draw(resolved.example.fill, tensor, length, resolved.terms)
        return f"{head}{memory}.to(torch.{tensor.dtype}){_view_text(tensor.shape, strides, offset, length)}"
    numbers = fills.values(
        resolved.example.fill,
        _carried_dtype(tensor, resolved),
        tensor.shape,
        resolved.example.seed,
        tensor.stream,
        resolved.terms,
        tensor.between,
        tensor.distinct,
    )
    return _literal_text(numbers, tensor, (strides, offset, length), indent)


def tangent_text(tensor: ResolvedTensor, resolved: ResolvedExample, indent: str) -> str:
    """The entry of the tangent of a tensor, in the tensor's layout."""
    assert tensor.shape is not None  # noqa: S101 - as above
    fill = "reals" if resolved.example.fill == "special" else resolved.example.fill
    stream = _TANGENT_STREAM + tensor.stream
    numbers = fills.values(fill, tensor.dtype, tensor.shape, resolved.example.seed, stream, resolved.terms)
    return _literal_text(numbers, tensor, layouts.placement(tensor.layout, tensor.shape), indent)


def is_drawable(tensor: ResolvedTensor, resolved: ResolvedExample) -> bool:
    """Whether numbers like the tensor's can be drawn by a short expression."""
    return resolved.example.fill != "special" and not tensor.distinct and tensor.dtype not in COMPLEX


def grad_output_text(resolved: ResolvedExample) -> str:
    """The expression that draws the grad_output of the output `y`."""
    example = resolved.example
    fill = "reals" if example.fill == "special" else example.fill
    if example.dtype not in FLOATING:
        return "torch.randn(y.shape).to(y.dtype)"
    return f"{_draw_floating(fill, example.dtype, 'y.shape', resolved.terms)}.to(y.dtype)"


def rearrangement_text(layout: str, tensor: str, rank: int) -> str:
    """The expression that lays out a tensor of that rank otherwise; empty where no short one does."""
    memory_format, view = layouts.split_name(layout)
    last = {4: ".to(memory_format=torch.channels_last)", 5: ".to(memory_format=torch.channels_last_3d)"}
    dense = last.get(rank, "") if memory_format == "channels_last" else ""
    inner = (0, 0) * (rank - 2)
    reverse = f".permute(*range({rank})[::-1])"
    return {
        "": f"{tensor}{dense}",
        "offset": ""
        if dense
        else f"torch.cat([{tensor}.flatten()[:1], {tensor}.flatten()])[1:].reshape({tensor}.shape)",
        "slice_w": f"torch.constant_pad_nd({tensor}, (1, 0)){dense}[..., 1:]",
        "slice_h": f"torch.constant_pad_nd({tensor}, (0, 0, 1, 0)){dense}[..., 1:, :]",
        "slice_c": f"torch.constant_pad_nd({tensor}, {(*inner, 1, 2)}){dense}[:, 1:-2]",
        "batch_slice": f"torch.constant_pad_nd({tensor}, {(*inner, 0, 0, 1, 1)}){dense}[1:-1]",
        "step_w": f"{tensor}.repeat_interleave(2, -1){dense}[..., ::2]",
        "step_h": f"{tensor}.repeat_interleave(2, -2){dense}[..., ::2, :]",
        "step_c": f"{tensor}.repeat_interleave(2, 1){dense}[:, ::2]",
        "expand_n": f"{tensor}[:1]{dense}.expand({tensor}.shape)",
        "permuted": f"{tensor}{reverse}.contiguous(){reverse}",
    }.get(view, "")


def fill_lines(head: str, parts: Iterable[str], tail: str, indent: str) -> str:
    """The parts between commas in lines of at most `WIDTH` columns, after `head` and before `tail`."""
    # no part is broken: textwrap sees each as one word, and the tail as two, of which the first ends in a comma
    words = ", ".join(part.replace(" ", "\x00") for part in parts)
    first, comma, rest = tail.partition(", ")
    head, tail = head.replace(" ", "\x00"), f"{first}{comma}{rest.replace(' ', chr(0))}"
    lines = textwrap.wrap(
        f"{head}{words}{tail}",
        WIDTH - 1,
        initial_indent=indent,
        subsequent_indent=f"{indent}    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
    return "\n".join(lines).replace("\x00", " ")


def number_text(number: complex, dtype: str) -> str:
    """The shortest text that is read as this number of the dtype."""
    if isinstance(number, complex):
        part = COMPLEX[dtype]
        return f"complex({number_text(number.real, part)}, {number_text(number.imag, part)})"
    if math.isfinite(number) and number == int(number) and not (number == 0 and math.copysign(1.0, number) < 0):
        return str(int(number)) if abs(number) < 10**9 else repr(number)
    if dtype not in FLOATING or not math.isfinite(number) or number == 0:
        return repr(number)
    return next(_candidates(number, FLOATING[dtype].precision))


def _candidates(number: float, precision: int) -> Iterator[str]:
    """Its decimal texts, the shortest first, that are nearer to it than to any other number of that precision."""
    half = math.ldexp(1.0, math.frexp(number)[1] - precision - 2)
    texts = (f"{number:.{digits}g}" for digits in range(1, _SIGNIFICANT_DIGITS))
    yield from (text for text in texts if abs(float(text) - number) < half)
    yield repr(number)


def _literal_text(numbers: Array, tensor: ResolvedTensor, placement: layouts.Placement, indent: str) -> str:
    assert tensor.shape is not None  # noqa: S101 - as above
    strides, offset, length = placement
    memory = _memory(numbers, tensor, placement)
    head, view = f'"{tensor.name}": torch.tensor([', _view_text(tensor.shape, strides, offset, length)
    if length > 1 and memory.count(memory[0]) == length:
        full = f"torch.full(({length},), {number_text(memory[0], tensor.dtype)}, dtype=torch.{tensor.dtype}){view}"
        return f'{indent}"{tensor.name}": {full}'
    texts = [number_text(number, tensor.dtype) for number in memory]
    return fill_lines(head, texts, f"], dtype=torch.{tensor.dtype}){view}", indent)


def _memory(numbers: Array, tensor: ResolvedTensor, placement: layouts.Placement) -> list[complex]:
    """The buffer that a tensor lies in, in the order of memory; where elements share a place, the first counts."""
    strides, offset, length = placement
    places = (
        offset + sum(map(operator.mul, index, strides)) for index in itertools.product(*map(range, numbers.shape))
    )
    elements: dict[int, complex] = {}
    for place, number in zip(places, numbers.flatten().tolist(), strict=True):
        elements.setdefault(place, number)
    gap = 1 if tensor.dtype == "bool" else _GAP
    return [elements.get(place, gap) for place in range(length)]


def _view_text(shape: tuple[int, ...], strides: tuple[int, ...], offset: int, length: int) -> str:
    """What makes a tensor of that shape and those strides of the flat memory."""
    rank, is_whole = len(shape), not offset and length == math.prod(shape)
    if is_whole and strides == dense_strides("contiguous", shape):
        return f".reshape({shape!r})" if rank != 1 else ""
    if is_whole and rank in CHANNELS_LAST_RANKS and strides == dense_strides("channels_last", shape):
        last = (shape[0], *shape[2:], shape[1])
        return f".reshape({last!r}).permute({(0, rank - 1, *range(1, rank - 1))!r})"
    return f".as_strided({shape!r}, {strides!r}{f', {offset}' if offset else ''})"


def _carried_dtype(tensor: ResolvedTensor, resolved: ResolvedExample) -> str:
    """The dtype in which a tensor's numbers are exact: under autocast that which it casts to."""
    return "bfloat16" if resolved.example.path == "autocast" and tensor.dtype == "float32" else tensor.dtype


def _draw(fill: str, tensor: ResolvedTensor, length: int, terms: int) -> str:
    """An expression that draws so many numbers of that kind, exact in the tensor's dtype."""
    size = f"({length},)"
    if fill == "ends" and tensor.between is not None:
        first, last = math.ceil(tensor.between[0]), math.floor(tensor.between[1])
        return f"({first} + {last - first} * (2 * torch.rand({size}) - 0.5).clamp(0, 1)).round()"
    if tensor.dtype not in FLOATING:
        low, high = tensor.between or (0, 1 if tensor.dtype == "bool" else 3)
        return f"torch.randint({math.ceil(low)}, {math.floor(high) + 1}, {size})"
    if tensor.between is not None:
        low, high = tensor.between
        return f"({low} + {high - low} * torch.rand({size}))"
    return _draw_floating(fill, tensor.dtype, size, terms)


def _draw_floating(fill: str, dtype: str, size: str, terms: int) -> str:
    largest, _ = fills.density(dtype, terms)
    rounded = "" if dtype in ("float32", "float64") else f".to(torch.{dtype})"
    return {
        "integers": (integers := f"torch.randint({-largest}, {largest + 1}, {size})"),
        "ends": integers,
        "ones": f"torch.ones({size})",
        "offset": f"(98 + 4 * torch.rand({size})){rounded}",
        "wide": f"(torch.randn({size}) * 2.0 ** torch.randint(-12, 13, {size})){rounded}",
    }.get(fill, f"torch.randn({size}){rounded}")
