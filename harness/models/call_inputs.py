"""What a model is called with: tensors and constants, each at its place in the call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple, TypeAlias

from harness.core import Expression
from harness.core.observation import Array
from harness.models.model import Constant, InputSpec, Place
from harness.portable.call_protocol import ConstantValue

IMAGE_RANKS: Final = (4, 5)
"""Dimensions of images and volumes, which have a channels-last format."""


@dataclass(frozen=True)
class TensorInput:
    """A tensor of the call, without its place. `data`: its own numbers, of `dtype`; None: the harness makes them.

    `channels_last` None: as all images, it is converted if it has four or five dimensions.
    """

    shape: tuple[int, ...]
    dtype: str = "float32"
    most: int = 3
    channels_last: bool | None = None
    data: Array | None = field(default=None, repr=False, compare=False)


InputTree: TypeAlias = "TensorInput | Mapping[str, InputTree] | Sequence[InputTree] | bool | int | float | str | None"
"""An argument of the call: a tensor, a dict or a list of these, or a constant."""


class CallInputs(NamedTuple):
    """All tensors of a call, and all that is none."""

    inputs: tuple[InputSpec, ...]
    constants: tuple[Constant, ...]


def split_arguments(content: InputTree) -> tuple[Sequence[InputTree], Mapping[str, InputTree]]:
    """What a file holds as arguments by position and by keyword: a list or a mapping; all else is the only argument."""
    if isinstance(content, Mapping):
        return (), content
    return (content if isinstance(content, Sequence) and not isinstance(content, str) else (content,)), {}


def call_inputs(positional: Sequence[InputTree], named: Mapping[str, InputTree]) -> CallInputs:
    """All that a model is called with, from its arguments by position and by keyword."""
    arguments: list[tuple[int | str, InputTree]] = [*enumerate(positional), *named.items()]
    leaves = [leaf for key, argument in arguments for leaf in _leaves(argument, (key,))]
    inputs = tuple(_input_spec(place, leaf) for place, leaf in leaves if isinstance(leaf, TensorInput))
    constants = tuple(Constant(place, leaf) for place, leaf in leaves if not isinstance(leaf, TensorInput))
    return CallInputs(inputs, constants)


def _leaves(part: InputTree, place: Place) -> Iterator[tuple[Place, TensorInput | ConstantValue]]:
    """Each tensor and constant with its place, containers with nothing in them among the constants."""
    if isinstance(part, Mapping):
        for key, value in part.items():
            yield from _leaves(value, (*place, key))
        if not part:
            yield place, {}
    elif isinstance(part, Sequence) and not isinstance(part, str):
        for index, value in enumerate(part):
            yield from _leaves(value, (*place, index))
        if not part:
            yield place, []
    else:
        yield place, part


def _input_spec(place: Place, tensor: TensorInput) -> InputSpec:
    is_image = len(tensor.shape) in IMAGE_RANKS
    return InputSpec(
        name=place_name(place),
        shape=tuple(Expression.parse(str(size)) for size in tensor.shape),
        channels_last=is_image if tensor.channels_last is None else tensor.channels_last,
        dtype=tensor.dtype,
        most=tensor.most,
        place=place,
        data=tensor.data,
    )


def place_name(place: Place) -> str:
    """A place as Python has it: ``pixel_values``, ``batch['image']``, ``boxes[0]``; ``input1`` by position."""
    first, *inner = place
    name = first if isinstance(first, str) else f"input{first or ''}"
    return name + "".join(f"[{key!r}]" for key in inner)
