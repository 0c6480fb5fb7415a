"""What of the sizes of an example decides how a kernel goes about it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core import Example, Expression, Size, TensorSpec
from harness.generation import size_traits
from tests.generation.conftest import Declare

Tensor = Callable[..., TensorSpec]


@pytest.mark.parametrize(
    ("channels", "word"),
    [(1, "least"), (7, "less than a block"), (8, "blocks of 8"), (32, "blocks of 16"), (17, "tail")],
)
def test_channels_are_blocks_or_tails(declare: Declare, tensor: Tensor, channels: int, word: str) -> None:
    """A kernel takes eight or sixteen at once, and what is left by itself."""
    case = declare([Size("C", "channels")], [tensor("x", ["C"])])
    assert size_traits(case, Example(case.id, "float32", {"C": channels}, {})) == {f"C: {word}"}


def test_the_least_is_what_the_sizes_before_allow(declare: Declare, tensor: Tensor) -> None:
    """An image as wide as the kernel gives one column; that it does so together with one channel is a trait too."""
    sizes = [
        Size("k", "choice", choices=(3, 5)),
        Size("C", "channels"),
        Size("W", "spatial", low=Expression.parse("k")),
    ]
    case = declare(sizes, [tensor("x", ["C", "W"])])
    example = Example(case.id, "float32", {"k": 5, "C": 1, "W": 5}, {})
    assert size_traits(case, example) == {"k: 5", "C: least", "W: least", "C and W"}


def test_each_place_of_a_pair_has_its_word(declare: Declare, tensor: Tensor) -> None:
    """A kernel of one row is another than one of one column."""
    case = declare([Size("k", "choice", choices=(1, 2), length=2)], [tensor("x", ["k[0]", "k[1]"])])
    example = Example(case.id, "float32", {"k": (1, 2)}, {})
    assert size_traits(case, example) == {"k[0]: least", "k[1]: 2"}
