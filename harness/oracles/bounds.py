"""How far a result may lie from the float64 reference: a-priori bounds per element, with nothing tuned by hand.

Sources: Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., sections 2.2, 3.1 and 3.5 (gamma_n, and that
it holds for any order of summation); Blanchard, Higham, Lopez, Mary, Pranesh, SISC 42(3), 2020 (two precisions:
products and sums in the accumulator's, one rounding to the result's).

In the formulas u is the dtype's unit roundoff, u_acc the accumulator's, tiny the dtype's `underflow_error`, ref the
reference and B the operator on magnitudes. Arrays have the shape of the tensor; an allowance is an absolute error.
"""

from __future__ import annotations

from typing import Final

import numpy as np
import numpy.typing as npt

from harness.core import Numerics
from harness.core.observation import Array
from harness.oracles.rounding import round_to
from harness.portable.dtypes import FLOATING, accumulator_of, finfo

UNJUDGED: Final = float(np.finfo(np.float64).max)
"""The allowance of an element that no bound holds for (n u >= 1): any finite number passes, NaN and Inf do not."""

UNLIMITED: Final = float(np.inf)
"""The allowance where partial sums may overflow the accumulator: any number passes, NaN and Inf too."""


COORDINATE_ROUNDINGS: Final = 4.0
"""Roundings of a coordinate, each of them relative to the size of its dimension at most.

aten/src/ATen/native/UpSample.h, area_pixel_compute_scale and area_pixel_compute_source_index: the scale is rounded (a
quotient of sizes, or given as a double), its product with the index of the output, and the difference to 1/2; none of
these is larger than the size. The antialiased kernel (cpu/UpSampleKernel.cpp, _compute_indices_weights_aa) has one more
in the distance to the centre.
"""

INNER: Final = 4.0
"""Allowed moves by roundings inside operators.

In float32 and float64, where there is nothing else, the worst of golden/accuracy/normalization.yaml takes 0.99 of it,
in group_norm, and 0.7 elsewhere.
"""

STORAGE: Final = 4.0
"""Allowed moves by roundings of what is stored."""

ROUNDINGS: Final = 2.0
"""Allowed roundings of the result to its dtype: kernels for half types may keep one intermediate of its size in it."""


def gamma(n: npt.ArrayLike, u: float) -> Array:
    """Return gamma_n = n u / (1 - n u), infinite where n u >= 1 (Higham, 2nd ed., Lemma 3.1)."""
    spent = np.asarray(n, dtype=np.float64) * u
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(spent < 1, spent / (1 - spent), np.inf)


def multilinear_allowance(  # noqa: PLR0913 - the quantities of one formula
    reference: Array,
    bound: Array,
    terms: npt.ArrayLike,
    *,
    dtype: str,
    accumulator: str,
    integral: bool = False,
    moved: Array | float = 0.0,
) -> Array:
    """How far each element of a sum of `terms` products may lie from `reference`, in the reference's own unit.

    gamma_n B + u (|ref| + gamma_n B) + tiny: n roundings in the accumulator, one to the result. Products that
    underflow in the accumulator add its tiny each (Higham, eq. 2.8). In float64 the reference has made the same
    errors as the result, so both count: |y - x| + |ref - x| with u |x| <= u (|ref| + gamma_n B) is within
    twice the bound. `integral` says that the summands are integers: where B <= 2^p no partial sum in any order is
    rounded, and the allowance is 0. `moved`, what coefficients that are themselves off account for, joins gamma_n B.
    """
    with np.errstate(all="ignore"):
        n = np.asarray(terms, dtype=np.float64)
        error = np.where(bound == 0, 0.0, gamma(n, finfo(accumulator).unit_roundoff) * bound) + moved
        floor = finfo(dtype).underflow_error + np.where(bound > 0, n * finfo(accumulator).underflow_error, 0.0)
        allowed = _round_result(reference, error, dtype, floor)
        allowed = np.where(np.isfinite(allowed), allowed, UNJUDGED)
        allowed = np.where(bound * (1 + finfo(accumulator).unit_roundoff) > finfo(accumulator).max, UNLIMITED, allowed)
        if integral:
            allowed = np.where(bound <= exact_up_to(dtype, accumulator), 0.0, allowed)
        return _nan_where_not_finite(allowed, reference)


def coordinate_error(sensitivity: Array, accumulator: str) -> Array:
    """How far coordinates computed in `accumulator` move values; `sensitivity` is the move for one of a whole size.

    Source and derivation: harness/worker/reference/interpolation.py, and `COORDINATE_ROUNDINGS`.
    """
    return np.asarray(COORDINATE_ROUNDINGS * finfo(accumulator).unit_roundoff * sensitivity)


def exact_up_to(dtype: str, accumulator: str) -> float:
    """2^p: integers up to here are exact in both dtypes, and so is every sum of them that stays below."""
    return 2.0 ** min(finfo(dtype).precision, finfo(accumulator).precision)


def normwise_allowance(reference: Array, inner: Array, storage: Array | None, *, dtype: str, accumulator: str) -> Array:
    """Return m + ROUNDINGS u (|ref| + m) + tiny with m = INNER s + STORAGE t, for a nonlinear reduction.

    s (`inner`) is how far roundings to the accumulator's precision inside operators move the result, measured for the
    dtype's usual accumulator; t (`storage`) how far it is moved by rounding to the dtype what one operator hands to the
    next. None: the dtype is its own accumulator, and s has all of it.
    """
    with np.errstate(all="ignore"):
        moved = INNER * inner * (finfo(accumulator).unit_roundoff / finfo(accumulator_of(dtype)).unit_roundoff)
        if storage is not None:
            moved += STORAGE * storage
        floor = finfo(dtype).underflow_error + finfo(accumulator).smallest_normal
        allowed = _round_result(reference, moved, dtype, floor, ROUNDINGS)
        return _nan_where_not_finite(np.where(np.isfinite(allowed), allowed, UNJUDGED), reference)


def elementwise_allowance(numerics: Numerics, reference: Array, operand: Array, dtype: str, accumulator: str) -> Array:
    """Return e + u (|ref| + e) + tiny with e = k u_acc (|ref| + M), and e + tiny where dtype and accumulator are one.

    k ulps of the result and of the largest intermediate in the working precision, and one rounding to a half type: a
    kernel that rounds on the way as well has another result. `operand` is the input, of the reference's shape or a
    single magnitude. M is 0, |x|, 1, 1 + |x| or the largest |x| along dimension 1 by `numerics.magnitude`; an infinite
    x has no finite intermediate and counts as 0.
    """
    with np.errstate(all="ignore"):
        size = np.abs(reference) + _intermediate(numerics, operand)
        error = numerics.ulps * finfo(accumulator).unit_roundoff * size
        floor = finfo(dtype).underflow_error
        is_rounded = accumulator != dtype
        allowed = _round_result(reference, error, dtype, floor) if is_rounded else _add_own_error(error + floor, dtype)
        return _nan_where_not_finite(allowed, reference)


def elementwise_gradient_allowance(
    numerics: Numerics, reference: Array, operand: Array, grad_output: Array, dtype: str
) -> Array:
    """Return k u (|ref| + |g| max(1, M)) + tiny, with the result's own u even for the half types.

    The backward of many operators (sigmoid, tanh, softmax) starts from the saved output, already rounded to the dtype:
    an error of u in it is an error of about u |g| in the gradient, whatever the accumulator.
    """
    with np.errstate(all="ignore"):
        scale = np.abs(_finite(grad_output)) * np.maximum(1.0, _intermediate(numerics, operand))
        relative = finfo(dtype).unit_roundoff * (np.abs(reference) + scale)
        allowed = numerics.ulps * relative + finfo(dtype).underflow_error
        return _nan_where_not_finite(_add_own_error(allowed, dtype), reference)


def overflow_mask(dtype: str, values: Array, reference: Array, allowed: Array) -> Array:
    """Where an infinity is right: the number within the allowance that is nearest to it rounds to it."""
    if dtype not in FLOATING:
        return np.zeros(reference.shape, np.bool_)
    reach = reference + np.copysign(np.where(allowed < UNJUDGED, allowed, 0.0), values)
    return np.asarray(np.isinf(values) & (round_to(dtype, reach) == values))


def _round_result(reference: Array, error: Array, dtype: str, floor: Array | float, roundings: float = 1.0) -> Array:
    """Return e + r u (|ref| + e) + `floor`: what is off by e before it is rounded r times to the dtype."""
    rounding = roundings * finfo(dtype).unit_roundoff * (np.abs(reference) + error)
    return _add_own_error(error + rounding + floor, dtype)


def _add_own_error(allowed: Array, dtype: str) -> Array:
    """Twice the allowance in float64, whose reference makes the same errors as the result."""
    return allowed * 2.0 if dtype == "float64" else allowed


def _nan_where_not_finite(allowed: Array, reference: Array) -> Array:
    """NaN where the reference is NaN or infinite: nothing is near those, only equal."""
    return np.where(np.isfinite(reference), allowed, np.nan)


def _intermediate(numerics: Numerics, operand: Array) -> Array:
    """M, the largest number that an elementwise operator computes with on its way."""
    constant = 1.0 if numerics.magnitude in ("one", "both") else 0.0
    if numerics.magnitude in ("none", "one"):
        return np.asarray(constant)
    sizes = np.abs(_finite(operand))
    if numerics.magnitude == "channels" and sizes.ndim > 1:
        return np.asarray(sizes.max(axis=1, keepdims=True, initial=0.0))
    return np.asarray(constant + sizes)


def _finite(array: Array) -> Array:
    return np.where(np.isfinite(array), array, 0.0)
