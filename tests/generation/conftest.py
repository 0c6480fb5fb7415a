"""Cases that the tests of this room draw from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from harness.core import Case, Expression, Numerics, Size, TensorSpec

Declare = Callable[..., Case]


def _expression(value: str | int) -> Expression:
    return Expression.parse(value)


def _tensor(name: str, shape: list[str | int], **options: Any) -> TensorSpec:
    return TensorSpec(name, tuple(_expression(part) for part in shape), **options)


@pytest.fixture(scope="session")
def expression() -> Callable[[str | int], Expression]:
    """The parser of expressions."""
    return _expression


@pytest.fixture(scope="session")
def tensor() -> Callable[..., TensorSpec]:
    """A tensor of a name and a list of expressions."""
    return _tensor


@pytest.fixture(scope="session")
def declare() -> Declare:
    """A case of these sizes and tensors; `require` as texts."""

    def build(sizes: list[Size], tensors: list[TensorSpec], **options: Any) -> Case:
        options.setdefault("numerics", Numerics("multilinear", "multilinear"))
        options["require"] = tuple(_expression(text) for text in options.get("require", ()))
        return Case(
            id="suites/some.yaml::op",
            name="op",
            suite="some",
            line=7,
            call="torch.op",
            sizes=tuple(sizes),
            tensors=tuple(tensors),
            **options,
        )

    return build


@pytest.fixture(scope="session")
def image(declare: Declare) -> Case:
    """N, C, H and W of one channels-last tensor, in place or not."""
    sizes = [Size("N", "batch"), Size("C", "channels"), Size("H", "spatial"), Size("W", "spatial")]
    tensors = [_tensor("input", ["N", "C", "H", "W"], channels_last=True)]
    return declare(sizes, tensors, inplace="inplace", numerics=Numerics("exact", "selection"))


@pytest.fixture(scope="session")
def conv2d(declare: Declare) -> Case:
    """A convolution, the case with the most choices."""
    sizes = [
        Size("N", "batch"),
        Size("groups", "choice", choices=(1, 2, 4)),
        Size("Cg", "channels"),
        Size("Kg", "channels"),
        Size("kernel", "range", low=_expression(1), high=_expression(5), length=2),
        Size("stride", "range", low=_expression(1), high=_expression(3), length=2),
        Size("dilation", "range", low=_expression(1), high=_expression(2), length=2),
        Size("padding", "range", low=_expression(0), high=_expression(2), length=2),
        Size("H", "spatial", low=_expression("dilation[0]*(kernel[0]-1)+1 - 2*padding[0]")),
        Size("W", "spatial", low=_expression("dilation[1]*(kernel[1]-1)+1 - 2*padding[1]")),
    ]
    tensors = [
        _tensor("input", ["N", "groups*Cg", "H", "W"], channels_last=True),
        _tensor("weight", ["groups*Kg", "Cg", "kernel[0]", "kernel[1]"], channels_last=True),
        _tensor("bias", ["groups*Kg"], optional=True),
    ]
    names = ("stride", "padding", "dilation", "groups")
    return declare(sizes, tensors, arguments={name: _expression(name) for name in names})
