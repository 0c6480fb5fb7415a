"""Examples that were written down, against their case."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from harness.core import Example, Expression, Size, TensorSpec
from harness.golden import describe_misfit
from tests.trial.toy import CASE as TOY

CASE = replace(
    TOY,
    sizes=(*TOY.sizes, Size("kernel", "range", length=2), Size("mode", "choice", ("zeros", "reflect"))),
    tensors=(*TOY.tensors, TensorSpec("bias", (Expression.parse("C"),), optional=True)),
)
SIZES = {"N": 1, "C": 2, "H": 3, "W": 4, "kernel": (1, 2), "mode": "zeros"}
EXAMPLE = Example(CASE.id, "float32", SIZES, {"input": "channels_last:slice_c", "grad_output": "contiguous"}, ("bias",))


def test_an_example_of_its_case_fits() -> None:
    """Nothing is said of it, whichever fill it has."""
    assert describe_misfit(CASE, EXAMPLE) == ""
    assert describe_misfit(CASE, EXAMPLE.but(fill="ones", absent=(), layouts={})) == ""


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"case": "other"}, "it is an example of other"),
        ({"dtype": "float16"}, "double is not run in 'float16'; its dtypes are float32"),
        ({"sizes": {**SIZES, "V": 1}}, "'V' is not a size of double"),
        ({"sizes": {"N": 1, "C": 2, "H": 3, "kernel": (1, 2)}}, "it gives no value for the size 'W'"),
        ({"sizes": {**SIZES, "kernel": 3}}, "the size 'kernel' is a list of 2, not 3"),
        ({"sizes": {**SIZES, "kernel": (1, 2, 3)}}, "the size 'kernel' is a list of 2, not (1, 2, 3)"),
        ({"sizes": {**SIZES, "W": "wide"}}, "the size 'W' is a whole number, not 'wide'"),
        ({"sizes": {**SIZES, "W": True}}, "the size 'W' is a whole number, not True"),
        ({"layouts": {"inptu": "contiguous"}}, "'inptu' is not a tensor of double; did you mean 'input'?"),
        ({"layouts": {"input": "channel_last"}}, "there is no layout 'channel_last'; did you mean 'channels_last'?"),
        ({"absent": ("input",)}, "'input' cannot be absent; optional are: bias"),
        ({"fill": "real"}, "there is no fill 'real'; did you mean 'reals'?"),
        ({"inplace": True}, "double declares no in-place form"),
    ],
)
def test_what_does_not_fit(changes: dict[str, Any], message: str) -> None:
    """The first thing that is not the case's is named, with what would be."""
    assert describe_misfit(CASE, EXAMPLE.but(**changes)).startswith(message)
