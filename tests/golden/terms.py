"""A result and its gradients from a list of terms, in NumPy."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
Shape = tuple[int, ...]


@dataclass
class Terms:
    """``output[o] += coefficient * input[i] * weight[w]`` in flat indices of equal length.

    `weight` None: the coefficient alone. `indices` are those a selection hands out; `elsewhere` is what stands where no
    term arrives.
    """

    shape: Shape
    output: Array
    input: Array
    weight: Array | None
    coefficient: Array
    indices: Array | None = None
    elsewhere: float = 0.0


Inputs = Mapping[str, Array]
Formula = Callable[[Inputs, Mapping[str, Any]], Terms]


def results(
    formula: Formula, inputs: Inputs, arguments: Mapping[str, Any], grad_output: Callable[[Shape], Array]
) -> dict[str, Array]:
    """Outputs and gradients by the names that observations have."""
    terms = formula(inputs, arguments)
    x = inputs["input"].ravel()[terms.input]
    w = np.ones(x.size) if terms.weight is None else inputs["weight"].ravel()[terms.weight]
    g = grad_output(terms.shape)
    y = _sum_terms(terms.output, terms.coefficient * x * w, terms.shape)
    y.ravel()[np.setdiff1d(np.arange(y.size), terms.output)] = terms.elsewhere
    bias = inputs.get("bias")
    tensors = {"output[0]": y if bias is None else y + bias.reshape(-1, *(1,) * (y.ndim - 2))}
    if terms.indices is not None:
        tensors["output[1]"] = terms.indices
    along = terms.coefficient * g.ravel()[terms.output]
    tensors["grad:input"] = _sum_terms(terms.input, along * w, inputs["input"].shape)
    if terms.weight is not None:
        tensors["grad:weight"] = _sum_terms(terms.weight, along * x, inputs["weight"].shape)
    if bias is not None:
        tensors["grad:bias"] = g.sum(axis=(0, *range(2, g.ndim)))
    return tensors


def _sum_terms(places: Array, values: Array, shape: Shape) -> Array:
    return np.bincount(places, values, math.prod(shape)).reshape(shape)
