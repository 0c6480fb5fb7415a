"""Which examples of a trial are traced: the few that between them run a case in all its forms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from harness.core import Case, Example
from harness.core.case import tensors_in
from harness.generation import shapes
from harness.portable import layouts
from harness.portable.memory_format import MEMORY_FORMATS, Shape, dense_strides, strides_agree

Trait = tuple[object, ...]
"""A free choice of the example, and what matters of its value: the value itself, a format, or whether it is over 1."""

OTHER_OPERATORS: Final = {"out": "out"} | dict.fromkeys(("vmap", "vmap_last", "vmap_one", "per_sample"), "vmap")
"""Paths on which the case's operator is another overload of it, or is handed other arguments, and what they share."""


@dataclass
class TraceSelection:
    """Chooses at most `most` examples in all, greedily so that each adds the most forms of the call.

    Forms are: in place or not, the word that an argument has, a tensor left out, a memory format, a size of one, a
    number below zero, a ratio, which dimensions an operand has. What runs another operator, in place or into given
    memory, or what hands it a batch of them, is told apart from the plain call in each of these.

    A format counts again where the tensor fills its memory and its shape tells it from the other: else a view, or an
    image of one channel, would stand for it. Of a list of tensors each is a form in each format, and so is each choice,
    with each word that an argument has: a word may be the length of the list.
    """

    case: Case
    most: int
    _covered: set[Trait] = field(default_factory=set, init=False)

    def select(self, examples: Sequence[Example]) -> list[Example]:
        """Those among these examples, in their own order, that add to what was chosen before."""
        if not self.most:
            return []
        traits = [frozenset(self._traits(example)) for example in examples]
        chosen: list[int] = []
        while self.most and len(chosen) < len(examples):
            best = max(range(len(examples)), key=lambda index: (len(traits[index] - self._covered), -index))
            if not traits[best] - self._covered:
                break
            chosen.append(best)
            self._covered |= traits[best]
            self.most -= 1
        return [examples[index] for index in sorted(chosen)]

    def _traits(self, example: Example) -> Iterator[Trait]:
        yield from _own_traits(example)
        formats = _dense_formats(self.case, example)
        yield from (("dense", *each) for each in formats.items())
        if self._list_members:
            members = {name: formats[name] for name in formats if name in self._list_members}
            yield from _list_traits(members, self._choices(example), example)

    def _choices(self, example: Example) -> dict[str, object]:
        """The sizes of the example that no shape is made of."""
        extents = {name for spec in self.case.tensors for each in spec.shape for name in each.names}
        return {name: value for name, value in example.sizes.items() if name not in extents}

    @cached_property
    def _list_members(self) -> frozenset[str]:
        """The tensors of the case that stand in lists."""
        values = (*self.case.by_position, *self.case.arguments.values())
        return frozenset(name for value in values if isinstance(value, list | tuple) for name in tensors_in(value))


def _own_traits(example: Example) -> Iterator[Trait]:
    form = _form(example)
    memory_formats = {f"layout_{name}" for name in (*example.layouts, *example.absent)}
    for name, value in example.values().items():
        if name in memory_formats:
            yield name, str(value).partition(":")[0]
        elif name not in example.sizes:
            yield name, _trait(value)
        elif isinstance(value, tuple):
            yield from ((form, name, place, _trait(part)) for place, part in enumerate(value))
            yield form, name, len(value)
        else:
            yield form, name, _trait(value)
    yield from ((form, name, "left out") for name in example.absent)


def _form(example: Example) -> str:
    """How the call is run, where that is another operator than the plain call runs."""
    return "inplace" if example.inplace else OTHER_OPERATORS.get(example.path, "")


def _list_traits(formats: Mapping[str, str], choices: Mapping[str, object], example: Example) -> Iterator[Trait]:
    """Each tensor of a list in its format, and each choice, with each word of the example and without one."""
    form = _form(example)
    words = [(name, value) for name, value in example.sizes.items() if isinstance(value, str)]
    for name, memory_format in formats.items():
        yield form, "listed", name, memory_format
        yield from ((form, "listed", name, memory_format, *word) for word in words)
    for name, value in choices.items():
        yield from ((form, "chosen", name, _trait(value), *word) for word in words if word[0] != name)


def _dense_formats(case: Case, example: Example) -> dict[str, str]:
    """The format of each tensor that fills its memory in one alone."""
    formats = {name: _dense_format(example.layouts[name], shape) for name, shape in shapes(case, example).items()}
    return {name: memory_format for name, memory_format in formats.items() if memory_format}


def _dense_format(layout: str, shape: Shape) -> str:
    """The format that a tensor fills its memory in, where that is one alone."""
    strides = layouts.placement(layout, shape)[0]
    formats = [each for each in MEMORY_FORMATS if strides_agree(shape, strides, dense_strides(each, shape))]
    return formats[0] if len(formats) == 1 else ""


def _trait(value: object) -> object:
    """What matters of a value: of a whole number its sign and whether it is over 1, of anything else what it is."""
    if isinstance(value, bool) or not isinstance(value, int):
        return value
    return "negative" if value < 0 else value > 1
