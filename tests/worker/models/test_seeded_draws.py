"""Random numbers of a model that is seeded: the same at the same index, in both memory formats and in float64."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.execution.stand import module

torch = pytest.importorskip("torch")

DRAWS: dict[str, Callable[[Any], Any]] = {
    "randn_like": torch.randn_like,
    "rand_like": torch.rand_like,
    "randint_like": lambda x: torch.randint_like(x, 9),
    "bernoulli": lambda x: torch.bernoulli(x.sigmoid()),
    "bernoulli_": lambda x: torch.empty_like(x).bernoulli_(0.5),
    "normal_": lambda x: torch.empty_like(x).normal_(),
    "uniform_": lambda x: x.clone().uniform_(),
    "exponential_": lambda x: torch.zeros_like(x).exponential_(),
    "normal of tensors": lambda x: torch.normal(x, x.abs()),
    "normal into a result": lambda x: torch.normal(x, 1.0, out=torch.empty_like(x)),
    "poisson": lambda x: torch.poisson(x.abs()),
    "a generator of its own": lambda x: torch.empty_like(x).normal_(generator=torch.Generator().manual_seed(7)),
    "dropout": lambda x: torch.nn.functional.dropout(x, 0.5, training=True),
    "dropout in place": lambda x: torch.nn.functional.dropout(x.clone(), 0.5, training=True, inplace=True),
    "dropout of channels": lambda x: torch.nn.functional.dropout2d(x, 0.5, training=True),
    "rrelu": lambda x: torch.nn.functional.rrelu(x, training=True),
    "a view": lambda x: torch.randn_like(x.permute(0, 2, 3, 1)),
}


def draw_twice(draw: Callable[[Any], Any], x: Any) -> list[Any]:
    """What one call draws, and another after it, from the same seed each time."""
    torch.manual_seed(3)
    with module("models.seeded_draws").SeededDraws():
        return [draw(x), draw(x)]


def image(dtype: Any = torch.float32) -> Any:
    """Numbers of (2, 3, 4, 5), contiguous, exact in bfloat16."""
    return ((torch.arange(120) % 17 - 8) / 8).reshape(2, 3, 4, 5).to(dtype)


@pytest.mark.parametrize("name", DRAWS)
def test_both_formats_draw_the_same_number_at_the_same_index(name: str) -> None:
    """Whatever draws it, at the first call and the second, and each result has the strides that torch gives it."""
    nchw, nhwc = image(), image().to(memory_format=torch.channels_last)
    first, second = draw_twice(DRAWS[name], nchw), draw_twice(DRAWS[name], nhwc)
    assert all(map(torch.equal, first, second))
    assert second[0].stride() == DRAWS[name](nhwc).stride()
    torch.manual_seed(3)
    assert torch.equal(first[0], DRAWS[name](nchw)) or name == "a view"


def test_without_it_they_do_not() -> None:
    """Torch draws in the order of memory: what is tested above is not so by itself."""
    torch.manual_seed(3)
    nchw = torch.randn_like(image())
    torch.manual_seed(3)
    assert not torch.equal(torch.randn_like(image().to(memory_format=torch.channels_last)), nchw)


def test_a_format_that_is_asked_for_is_given() -> None:
    """Of a contiguous image."""
    nchw, nhwc = (
        draw_twice(lambda x, form=form: torch.randn_like(x, memory_format=form), image())[0]
        for form in (torch.contiguous_format, torch.channels_last)
    )
    assert torch.equal(nchw, nhwc)
    assert nhwc.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("dtype", ["bfloat16", "float64"])
@pytest.mark.parametrize("name", ["randn_like", "rand_like", "dropout", "uniform_"])
def test_every_dtype_gets_the_numbers_of_float32(name: str, dtype: str) -> None:
    """Rounded to bfloat16, and as they are in the reference, whose backward may run a part of the forward again."""
    drawn = draw_twice(DRAWS[name], image())[0]
    cast = draw_twice(DRAWS[name], image(getattr(torch, dtype)))[0]
    assert cast.dtype is getattr(torch, dtype)
    assert torch.equal(cast, drawn.to(cast.dtype))


def test_a_dtype_that_is_asked_for_is_given() -> None:
    """With no tensor to take it from."""
    wide, narrow = (
        draw_twice(lambda x, dtype=dtype: torch.rand(x.shape, dtype=dtype), image())[0]
        for dtype in (torch.float32, torch.float16)
    )
    assert torch.equal(narrow, wide.half())


def operators_of(draw: Callable[[Any], Any], x: Any) -> list[str]:
    """The operators that are called for it in all."""
    names: list[str] = []

    class Names(module("models.operator_mode").OperatorMode):  # type: ignore[misc] # it is made at run time
        def intercept(self, func: Any, args: Any, keywords: Any) -> object:
            """The operator as it is."""
            names.append(func.overloadpacket.__name__)
            return func(*args, **keywords)

    with Names(), module("models.seeded_draws").SeededDraws():
        draw(x)
    return names


def test_what_may_draw_and_does_not_runs_once() -> None:
    """Attention without a dropout, on its own tensors: no kernel that computes is taken from judgement."""
    heads = torch.ones(1, 4, 2, 8).transpose(1, 2)
    attention = operators_of(lambda x: torch.nn.functional.scaled_dot_product_attention(x, x, x), heads)
    assert attention.count("_scaled_dot_product_flash_attention_for_cpu") == 1
    assert operators_of(torch.rand_like, heads).count("rand_like") == 2


def test_the_reference_draws_the_same() -> None:
    """In float64, under the mode that makes it so, whichever of the two modes is the inner one."""
    plain = draw_twice(torch.randn_like, image())[0]
    torch.manual_seed(3)
    with module("models.seeded_draws").SeededDraws(), module("models.promote_float64").promote_float64():
        inner = torch.randn_like(image().double())
    torch.manual_seed(3)
    with module("models.promote_float64").promote_float64(), module("models.seeded_draws").SeededDraws():
        outer = torch.randn_like(image().double())
    assert torch.equal(inner, plain.double())
    assert torch.equal(outer, plain.double())
