"""What long sums are off by in a model, as perturbations of the sums themselves: in pools, norms, gradients of biases.

A kernel rounds each partial sum S_k, so a sum of n terms is off by the sum of delta_k S_k with |delta_k| <= u: at most
u sum |S_k| (Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., equation 4.3), which grows with n. Where
the roundings are independent it is about u sqrt(n) rms(S) (Higham and Mary, SISC 41(5), 2019). They are not where terms
are equal: while S stays between two powers of two its last place is the same, and adding x is rounded by an amount that
depends on x alone. So of m equal terms the errors add up in full, and the variance has m^2 for them instead of m. Over
all terms that is n + n^2 p, where p is the share of pairs of terms that are equal. Behind a global pool every position
has the same gradient: p is 1, or 1/4 behind a ReLU, and no average over positions makes the error small. The bound
u sum |S_k| holds for these as well, and no sum is moved by more than what makes it the allowance of a converted run.

What a sum is off by is one number for all that is computed from it: the mean of a channel, or of its gradient, shifts
each of its pixels to the same side, and the sum of these by n times that. Noise of random signs in each pixel
(`rounding_hooks`) averages out there and does not show it. So norms are taken apart here, and their sums perturbed.
"""

from __future__ import annotations

import math
from collections import Counter
from typing import Any, Dict, List, Mapping, NamedTuple, Sequence, Tuple

import torch

from ...portable import dtypes
from ..reference import decompositions, normalisations
from .operator_mode import OperatorMode

UNIT = dtypes.finfo("float32").unit_roundoff
"""Unit roundoff of the accumulators, of bfloat16's as well."""

DEVIATION = 0.5
"""What a rounding comes to, in unit roundoffs, as a standard deviation. Uniform in one unit it is 1/sqrt(3), times what
the last place of a partial sum is between two powers of two: 0.42 to 0.58."""

ALLOWED = 4.0
"""How many times a perturbation may be reached by a converted run (`RELATIVE` in models/compare.py)."""

NORMS: Dict[str, decompositions.Decomposition] = {
    "native_batch_norm": normalisations.native_batch_norm,
    "native_batch_norm_backward": normalisations.native_batch_norm_backward,
    "native_layer_norm": normalisations.native_layer_norm,
    "native_layer_norm_backward": normalisations.native_layer_norm_backward,
    "native_group_norm": normalisations.native_group_norm,
    "native_group_norm_backward": normalisations.group_norm_backward_by_sums,
}
"""Operators that are taken apart, with the sums that their kernels have."""

SAMPLE, PIVOTS = 64, 8
"""Of so many terms, chosen at random, so many are compared with the others: some hundred values among them are many."""

SAME = 2.0**-40
"""Relative difference below which two terms are one, in float64, that has roundings of its own."""

CONVOLUTION = "convolution_backward"

PLAIN_SUMS = {("sum", "dim_IntList"), ("mean", "dim")}
"""Operators and their overloads. A sum of all there is goes into a loss, which is no sum of a kernel's own."""

Place = Tuple[str, Tuple[int, ...], Tuple[int, ...]]
"""A sum by its operator, the shape of its terms, and the dimensions it runs over."""

Sizes = Dict[Place, List[torch.Tensor]]
"""What the sums of a run may be off by, in the order of the calls at each place."""


class Summation(NamedTuple):
    """A sum that an operator has computed: of `terms` over `dims`, in `result`, where it was divided by `divisor`."""

    operator: str
    terms: torch.Tensor
    dims: Tuple[int, ...]
    result: torch.Tensor
    divisor: int

    @property
    def place(self) -> Place:
        """By what it is found again in another run."""
        return self.operator, tuple(self.terms.shape), self.dims


def rounding_sizes(terms: torch.Tensor, dims: Sequence[int]) -> torch.Tensor:
    """What each sum of `terms` over `dims` may be off by, as one standard deviation; in the shape without `dims`."""
    kept = [dim for dim in range(terms.dim()) if dim not in dims]
    lines = terms.detach().permute(*kept, *dims).reshape(*(terms.shape[dim] for dim in kept), -1)
    count = lines.shape[-1]
    if count < 2 or not lines.numel():
        return lines.new_zeros(lines.shape[:-1])
    partial_sums = lines.cumsum(-1)
    likely = (
        DEVIATION * (count + count**2 * _share_of_equal_pairs(lines)).sqrt() * partial_sums.square().mean(-1).sqrt()
    )
    largest = partial_sums.abs().sum(-1) / ALLOWED
    return torch.minimum(likely, largest) * UNIT


def _share_of_equal_pairs(lines: torch.Tensor) -> torch.Tensor:
    """The share of pairs of terms in each line that are equal and not zero: adding zero rounds nothing."""
    generator = torch.Generator().manual_seed(0)
    chosen = torch.randperm(lines.shape[-1], generator=generator)[:SAMPLE]
    sample = lines.index_select(-1, chosen)
    pivots = sample[..., :PIVOTS, None]
    is_equal = ((pivots - sample[..., None, :]).abs() <= SAME * pivots.abs()) & (pivots != 0)
    pairs = is_equal.sum((-2, -1)) - (pivots != 0).sum((-2, -1))
    return pairs.to(lines.dtype) / (pivots.shape[-2] * max(sample.shape[-1] - 1, 1))


def _name(func: torch._ops.OpOverload) -> str:
    """An operator's name without its namespace and overload."""
    return str(func._schema.name.rpartition("::")[2])


def _summation(func: torch._ops.OpOverload, args: Sequence[Any], result: Any) -> Summation | None:
    """The sum in what an operator has computed, if it is one: a sum, a mean, the gradient of a convolution's bias."""
    name, overload = _name(func), func._schema.overload_name
    if name == CONVOLUTION and result[2] is not None:
        return Summation(name, args[0], (0, *range(2, args[0].dim())), result[2], 1)
    if (name, overload) not in PLAIN_SUMS or not args[0].is_floating_point():
        return None
    terms = args[0]
    dims = tuple(sorted(dim % terms.dim() for dim in args[1] or range(terms.dim()))) if terms.dim() else ()
    count = math.prod(terms.shape[dim] for dim in dims)
    return Summation(name, terms, dims, result, max(count, 1) if name == "mean" else 1)


class SumRecorder(OperatorMode):
    """Changes nothing, and keeps in `sizes` what each sum of the run may be off by."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: Sizes = {}

    def intercept(self, func: torch._ops.OpOverload, args: Sequence[Any], keywords: Mapping[str, Any]) -> object:
        """The operator as it is; a norm is taken apart as well, with copies of the statistics that it updates."""
        apart = NORMS.get(_name(func))
        if apart is not None:
            with self:
                apart(*map(_copy_of_vector, args), **keywords)
        result = func(*args, **keywords)
        summation = _summation(func, args, result)
        if summation is not None:
            sizes = rounding_sizes(summation.terms, summation.dims)
            self.sizes.setdefault(summation.place, []).append(sizes)
        return result


def _copy_of_vector(part: Any) -> Any:
    return part.clone() if isinstance(part, torch.Tensor) and part.dim() == 1 else part


class SumNoise(OperatorMode):
    """Moves each sum by `scale` times what it may be off by, with random signs, drawn anew for each `draw`.

    `sizes` are those of a `SumRecorder`: what is equal there is not where all is perturbed. What cancels there leaves
    noise here, whose own sums are rounded: the larger of both is what counts.
    """

    def __init__(self, sizes: Mapping[Place, Sequence[torch.Tensor]], draw: int, scale: float) -> None:
        super().__init__()
        self._sizes = sizes
        self._scale = scale
        self._generator = torch.Generator().manual_seed(40 + draw)
        self._calls: Counter[Place] = Counter()

    def intercept(self, func: torch._ops.OpOverload, args: Sequence[Any], keywords: Mapping[str, Any]) -> object:
        """The operator with its sums moved; a norm is taken apart."""
        apart = NORMS.get(_name(func))
        if apart is not None:
            with self:
                return apart(*args, **keywords)
        result: Any = func(*args, **keywords)
        summation = _summation(func, args, result)
        if summation is not None:
            self._move(summation.result, self._size(summation) / summation.divisor)
        if _name(func) == CONVOLUTION and result[1] is not None:
            self._move(result[1], _weight_sizes(args, result[1]))
        return result

    def _size(self, summation: Summation) -> torch.Tensor:
        """What that sum may be off by."""
        place, number = summation.place, self._calls[summation.place]
        self._calls[place] += 1
        recorded = self._sizes.get(place, ())
        here = rounding_sizes(summation.terms, summation.dims)
        return torch.maximum(recorded[number], here) if number < len(recorded) else here

    def _move(self, sums: torch.Tensor, sizes: torch.Tensor) -> None:
        """Add the sizes with random signs."""
        bits = torch.randint(0, 2, sums.shape, generator=self._generator, dtype=torch.int8)
        sums.add_(sizes.reshape(sums.shape) * (bits * 2 - 1), alpha=self._scale)


def _weight_sizes(args: Sequence[Any], gradient: torch.Tensor) -> torch.Tensor:
    """What the gradient of a convolution's weight may be off by because its partial sums drift to what they come to.

    They grow evenly, with a root mean square of 1/sqrt(3) of it. The other part, of terms of random signs, is in the
    floors (`rounding_hooks.GradientFloors`).
    """
    grad_output, image, is_transposed = args[0], args[1], args[7]
    placed = image if is_transposed else grad_output
    count = placed.numel() / max(placed.shape[1], 1)
    return gradient.abs() * (UNIT * DEVIATION * math.sqrt(count / 3.0))
