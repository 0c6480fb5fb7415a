"""How far roundings move the result of a nonlinear operator: Monte Carlo arithmetic in float64.

D. S. Parker, Monte Carlo Arithmetic, UCLA CSD-970002, 1997: perturb the operands and the result of every operation by
about a unit roundoff, at random, and look at how far the result moves. Fused operators are taken apart, so that what
cancels in exact arithmetic (the gradient of a group of one element) leaves the noise that it leaves in a kernel. A
sum of n terms is perturbed by sqrt(n) u times the sum of magnitudes: Higham and Mary, A new approach to probabilistic
rounding error analysis, SISC 41(5), 2019, which holds for any order of summation where roundings are independent. Those
of terms below u times the sum are not: added one after the other, as channels-last kernels do it, they are lost, always
to the same side. The rounding of a + b is never larger than either (Shewchuk, Adaptive precision floating-point
arithmetic, 1997, lemma 1), so what such terms come to is added to the perturbation.
"""

from __future__ import annotations

import functools
import math
from typing import Any, Callable

import numpy as np
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from . import decompositions

EXACT = frozenset(
    """
    _to_copy _unsafe_view abs alias amax amin arange argmax argmin as_strided bitwise_and cat clamp clamp_max clamp_min
    clone constant_pad_nd copy detach empty empty_like empty_strided eq expand fill flip floor full full_like gather ge
    gt index index_select isinf isnan le lift_fresh logical_and logical_not lt masked_fill max max_pool2d_with_indices
    max_pool2d_with_indices_backward max_pool3d_with_indices max_pool3d_with_indices_backward maximum min minimum ne neg
    new_empty new_full new_ones new_zeros ones ones_like permute relu repeat reshape resize roll round scalar_tensor
    scatter select select_backward sgn sign slice slice_backward split squeeze stack threshold_backward transpose tril
    triu unbind unfold unsqueeze view where zero zeros zeros_like
    """.split()  # noqa: SIM905 - sixty names in quotes are no easier to read
)
"""Operators that select, move or compare: nothing is rounded, and a perturbed operand would select something else."""

SUMS = frozenset(
    """
    _adaptive_avg_pool2d _adaptive_avg_pool2d_backward _adaptive_avg_pool3d _adaptive_avg_pool3d_backward addmm
    avg_pool1d avg_pool2d avg_pool2d_backward avg_pool3d avg_pool3d_backward baddbmm bmm convolution cumsum dot mean mm
    nll_loss2d_forward nll_loss_forward scatter_add sum
    """.split()  # noqa: SIM905 - as above
)
"""Operators that add up products: perturbed in proportion to the sum of magnitudes, by the length of the sum."""

_PLAIN_SUMS = ("sum", "mean")

PLACES = {
    "deform_conv2d": 2,
    "_deform_conv2d_backward": 3,
    "roi_align": 1,
    "_roi_align_backward": 1,
    "ps_roi_align": 1,
    "_ps_roi_align_backward": 1,
}
"""torchvision's operators that find places by coordinates, and which argument these are; what a place is off by is not
relative to the coordinate itself (`_placed`)."""

FLOAT32 = {"_scaled_dot_product_flash_attention_for_cpu": 1}
"""Operators of which all results from that one on are kept in float32, whatever the dtype of the others."""

SMALLEST = 2.0**-40
"""A perturbation that float64 resolves; that of a smaller unit roundoff is scaled down from it."""

TRIALS = 8
"""Patterns. The largest move of eight is below a quarter of its standard known issue once in 400,000 elements."""

SAMPLE = 512
"""Terms that are looked at to see whether they repeat."""

_LAST = 12
_BITS = 16
_COUNT = 1 << _BITS
_MULTIPLIER, _INCREMENT = 6364136223846793005, 1442695040888963407
"""Where the next numbers begin: the linear congruential generator of Knuth, TAOCP vol. 2, 3rd ed., section 3.3.4."""


class Noise(TorchDispatchMode):  # type: ignore[misc] # torch is not there where types are checked
    """Perturb every operation by `inner`, and what one operator hands to the next by `stored`; both are relative.

    What is stored moves by `tiny` at least: half the smallest subnormal of a dtype that underflows.
    """

    def __init__(self, inner: float, stored: float, tiny: float, trial: int) -> None:
        super().__init__()
        self.inner, self.stored, self.tiny = inner, stored, tiny
        self.depth = 0
        self.state = trial
        self.clean: dict[int, tuple[Any, Any]] = {}

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        """Run one operator, perturbed."""
        name, keywords = func._schema.name.rpartition("::")[2], kwargs or {}
        if name.rstrip("_") in EXACT or getattr(func, "is_view", False):
            return func(*args, **keywords)
        composed = decompositions.composed(name)
        if composed is not None:
            with self:
                return composed(*args, **keywords)
        formula = decompositions.of(name, func)
        if formula is not None:
            found = self._apart(formula, args, keywords)
        elif name in PLACES:
            found = func(*self._placed(PLACES[name], args), **keywords)
        elif name.endswith("_"):
            return _mapped(func(*args, **keywords), self._in_place)
        else:
            found = func(*_mapped(args, self._operand), **_mapped(keywords, self._operand))
        if name in SUMS and self.inner:
            self._sum(func, args, keywords, found)
        if name in _PLAIN_SUMS and self.inner and args[0].is_floating_point():  # not a count of what a mask has
            found.add_(self._lost(func, args, keywords) * self._pattern(found))
        if name in FLOAT32 and not self.depth:
            handed = FLOAT32[name]
            return (*_mapped(found[:handed], self._stored), *_mapped(found[handed:], self._rounded))
        return _mapped(found, self._stored)

    def _apart(self, formula: Callable[..., Any], args: Any, keywords: Any) -> Any:
        self.depth += 1
        try:
            with self:
                return formula(*args, **keywords)
        finally:
            self.depth -= 1

    def _placed(self, place: int, args: Any) -> Any:
        """The operands of an operator of PLACES (csrc/ops/cpu, deform_conv2d_kernel.cpp and roi_align_common.h).

        An offset is added to a pixel's own place, and rounded relative to that. A place in a region is made from its
        corners by four roundings, and half a pixel is taken away; each region begins with the number of its image.
        """
        given = args[place]
        if given.dim() > 2:
            reach = torch.full_like(given, sum(given.shape[-2:]))
        else:
            reach = math.sqrt(4) * (1 + given.abs())
            reach[:, 0] = 0
        moved = given + self.inner * reach * self._pattern(given)
        return (*_mapped(args[:place], self._operand), moved, *_mapped(args[place + 1 :], self._operand))

    def _operand(self, tensor: Any) -> Any:
        return tensor * self._pattern(tensor, self.inner) if self.inner else tensor

    def _rounded(self, tensor: Any) -> Any:
        return tensor.mul_(self._pattern(tensor, self.inner)) if self.inner else tensor

    def _stored(self, tensor: Any) -> Any:
        if self.depth:
            return self._rounded(tensor)
        if self.tiny:
            rounded = tensor + self._step(tensor) * self._own(tensor)
        elif self.stored:
            rounded = tensor * (1.0 + self.stored * self._own(tensor))
        else:
            return tensor
        self.clean[rounded.data_ptr()] = rounded, tensor
        return rounded

    def _step(self, tensor: Any) -> Any:
        return (self.stored * tensor.abs()).clamp_min(self.tiny).where(tensor != 0, torch.zeros_like(tensor))

    def _in_place(self, tensor: Any) -> Any:
        """What an operator wrote into a tensor was computed there, and is stored there."""
        self._rounded(tensor)
        if self.depth:
            return tensor
        self.clean[tensor.data_ptr()] = tensor, tensor.clone()
        return tensor.add_(self._step(tensor) * self._own(tensor))

    def unrounded(self, tensor: Any) -> Any:
        """`tensor` before the last operator's result was perturbed as a whole, where that can be told."""
        rounded, clean = self.clean.get(tensor.data_ptr(), (tensor, tensor))
        dense = tensor.is_contiguous() and clean.is_contiguous() and tensor.numel() == rounded.numel()
        return clean.reshape(tensor.shape) if dense else tensor

    def _sum(self, func: Any, args: Any, keywords: Any, found: Any) -> None:
        magnitudes = func(*_mapped(args, torch.abs), **_mapped(keywords, torch.abs))
        results: list[Any] = []
        sums: list[Any] = []
        _mapped(found, results.append)
        _mapped(magnitudes, sums.append)
        for result, total in zip(results, sums):
            reach = self.inner * independent(args, length(args, result))
            result.add_(total.abs() * self._pattern(result), alpha=reach)

    def _lost(self, func: Any, args: Any, keywords: Any) -> Any:
        """The sum of the terms that a sum as large as theirs would not feel, for `sum` and `mean`."""
        terms = args[0].abs()
        dims = list(args[1]) if len(args) > 1 and args[1] else list(range(terms.dim()))
        small = terms <= self.inner * terms.sum(dims, keepdim=True)
        return func(terms.where(small, torch.zeros_like(terms)), *args[1:], **keywords)

    def _pattern(self, tensor: Any, step: float = 0.0) -> Any:
        """Numbers in the tensor's shape, others at every call; with `step`, factors that far from 1."""
        count, offset = tensor.numel(), self._advanced() >> (64 - _BITS)
        table = _table(step)
        if count <= _COUNT:
            return table[offset : offset + count].view(tensor.shape)
        return table[:_COUNT].roll(-offset).repeat(count // _COUNT + 1)[:count].view(tensor.shape)

    def _own(self, tensor: Any) -> Any:
        """Numbers that go with those of the tensor, others at every call: what is equal is stored alike.

        A sum of stored numbers keeps their errors in full where all are the same. The last bits do not count: float64
        has its own roundings.
        """
        mixed = (tensor.abs().view(torch.int64) >> _LAST) * _MULTIPLIER + (self._advanced() >> 1)
        return _table(0.0)[(mixed >> (64 - _BITS)) & (_COUNT - 1)]

    def _advanced(self) -> int:
        self.state = (self.state * _MULTIPLIER + _INCREMENT) % (1 << 64)
        return self.state


@functools.lru_cache(maxsize=16)  # one for each roundoff
def _table(step: float) -> Any:
    """The numbers twice over, so that a slice may begin anywhere: uniform on +-sqrt(3), of variance 1.

    Two perturbations of one sign only would often cancel exactly.
    """
    raw = np.random.Philox(key=np.array([0, _COUNT], dtype=np.uint64)).random_raw(_COUNT)
    numbers = torch.from_numpy(np.tile((raw.astype(np.float64) * 2.0**-63 - 1.0) * math.sqrt(3.0), 2))
    return 1.0 + step * numbers if step else numbers


def length(args: Any, result: Any) -> int:
    """How many terms each element of `result` adds up, from the shapes of the operands."""
    operands: list[Any] = []
    _mapped(args, operands.append)
    if len(args) > 3 and isinstance(args[1], int):  # scatter_add: all of a line may go to one place
        return max(1, int(args[3].shape[args[1]]))
    if len(operands) > 1 and operands[-1].dim() == 2:
        return max(1, int(operands[-1].shape[0]))
    largest: int = max((operand.numel() for operand in operands), default=1)
    return max(1, largest // max(1, int(result.numel())))


def independent(args: Any, terms: int) -> float:
    """By how many roundings of its sum of magnitudes a sum of so many terms is off.

    sqrt(n) where roundings are independent. Equal terms are rounded alike while the sum stays between two powers of
    two: of n terms with d values the errors of n / d add up in full, and d of these at random. How many values there
    are is read from the first terms, by their leading bits: those behind are the noise's own.
    """
    seen: list[Any] = []
    _mapped(args[:1], seen.append)
    if terms < 2 or not seen:
        return math.sqrt(terms)
    mantissa, exponent = torch.frexp(seen[0].flatten()[:SAMPLE])
    values = len(torch.unique(torch.ldexp((mantissa * 2.0**12).round(), exponent)))
    return terms / math.sqrt(min(terms, values)) if 2 * values <= len(mantissa) else math.sqrt(terms)


def spread(
    run: Callable[[Any], dict[str, Any]], values: dict[str, Any], inner: float, stored: float, tiny: float = 0.0
) -> dict[str, Any]:
    """The largest move of each element over the trials, by name; infinite where a trial was not finite.

    `run` computes the operator under a mode and gives float64 arrays; `values` are its unperturbed results.
    """
    scale = max(inner, stored, SMALLEST) / max(inner, stored)
    found: dict[str, Any] = {}
    for trial in range(TRIALS):
        for name, moved in run(Noise(inner * scale, stored * scale, tiny * scale, trial)).items():
            with np.errstate(invalid="ignore", over="ignore"):
                away = np.abs(moved - values[name]) / scale
            away = np.where(np.isnan(away), np.inf, away)
            found[name] = np.maximum(found[name], away) if name in found else away
    return found


def _mapped(item: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure with `change` applied to its floating tensors."""
    if isinstance(item, torch.Tensor):
        return change(item) if item.is_floating_point() and item.numel() else item
    if isinstance(item, (list, tuple)):
        return type(item)([_mapped(each, change) for each in item])
    if isinstance(item, dict):
        return {key: _mapped(each, change) for key, each in item.items()}
    return item
