"""Ways: which kernel an example reached, and in what state of its sizes and formats; a fuzzer would call them edges."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from harness.core import Case, Example, Observation
from harness.generation import size_traits

ATEN: Final = "ATen"
"""Stands for the kernels of an example in which oneDNN ran nothing, which leave no trace."""


def kernels_of(observations: Iterable[Observation]) -> frozenset[str]:
    """The implementations of oneDNN that ran, each with its direction, in any of these cells; ATen where there is none.

    What they have in common with each other is no matter: ``convolution:jit:avx2 backward_data``.
    """
    texts = {" ".join(_head(text)) for observation in observations for text in observation.primitives}
    return frozenset(texts or {ATEN})


def formats_of(observations: Iterable[Observation]) -> frozenset[str]:
    """The same with the formats of their operands, and what each reorder turns into what."""
    return frozenset(text for observation in observations for text in observation.primitives)


def _head(primitive: str) -> Iterator[str]:
    """The implementation and the direction; the formats of operands, which begin with a letter of a dimension, not."""
    implementation, *words = primitive.split(" ")
    yield implementation
    yield from (word for word in words if word.startswith(("forward", "backward")))


def traits_of(case: Case, example: Example) -> frozenset[str]:
    """What of the example decides how a kernel goes about it: its sizes, formats, tensors left out, and how it runs."""
    formats = (f"{name}: {layout.partition(':')[0]}" for name, layout in example.layouts.items())
    absent = (f"no {name}" for name in example.absent)
    return size_traits(case, example).union(formats, absent, [example.path], ["in place"] if example.inplace else [])


def ways(kernels: Iterable[str], traits: Iterable[str]) -> frozenset[str]:
    """Each kernel in each state."""
    words = list(traits)
    return frozenset(f"{kernel} | {word}" for kernel in kernels for word in words)
