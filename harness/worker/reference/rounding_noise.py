"""Roundings as perturbations: a mode in which every ATen operation is off at random by about a unit roundoff.

Fused operators are taken apart, so that what cancels in exact arithmetic (the gradient of a group of one element)
leaves the noise that it leaves in a kernel. A sum of n terms is perturbed by sqrt(n) u times the sum of magnitudes:
Higham and Mary, A new approach to probabilistic rounding error analysis, SISC 41(5), 2019, which holds for any order of
summation where roundings are independent. Those of terms below u times the sum are not: added one after the other, as
channels-last kernels do it, they are lost, always to the same side. The rounding of a + b is never larger than either
(Shewchuk, Adaptive precision floating-point arithmetic, 1997, lemma 1), so what such terms come to is added to the
perturbation.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Mapping, Sequence, Tuple

import torch
from torch.utils._python_dispatch import TorchDispatchMode

from .. import pytree
from ..tensors import as_numpy
from . import decompositions
from .patterns import Patterns
from .selections import Selections
from .sum_length import effective_terms, floating_tensors, is_perturbable, term_counts
from .trial_batch import TrialBatch, address, batched_call, repeat_for, rows_of

Args = Tuple[Any, ...]
"""What an ATen operator is given by position: anything."""
Keywords = Mapping[str, Any]
"""What it is given by keyword."""

EXACT = frozenset(
    """
    _to_copy _unsafe_view abs alias amax amin arange argmax argmin as_strided bitwise_and cat clamp clamp_max
    clamp_min clone constant_pad_nd copy detach empty empty_like empty_strided eq expand fill flip floor full
    full_like gather ge gt hardtanh hardtanh_backward index index_select isinf isnan le lift_fresh logical_and
    logical_not lt masked_fill max max_pool2d_with_indices max_pool2d_with_indices_backward max_pool3d_with_indices
    max_pool3d_with_indices_backward maximum min minimum ne neg new_empty new_full new_ones new_zeros ones ones_like
    permute relu repeat reshape resize roll round scalar_tensor scatter select select_backward sgn sign slice
    slice_backward split squeeze stack threshold_backward transpose tril triu unbind unfold unsqueeze view where
    zero zeros zeros_like
    """.split()  # noqa: SIM905 - sixty names in quotes are no easier to read
)
"""Operators that select, move or compare: nothing is rounded, and a perturbed operand would select something else."""

FRESH = frozenset(
    """
    clone empty empty_like empty_strided full full_like new_empty new_full new_ones new_zeros ones ones_like zeros
    zeros_like
    """.split()  # noqa: SIM905 - as above
)
"""Operators whose result is often written into, so that each trial needs its own."""

SUMS = frozenset(
    """
    _adaptive_avg_pool2d _adaptive_avg_pool2d_backward _adaptive_avg_pool3d _adaptive_avg_pool3d_backward addmm
    avg_pool1d avg_pool2d avg_pool2d_backward avg_pool3d avg_pool3d_backward baddbmm bmm convolution
    convolution_backward cumsum dot mean mm nll_loss2d_forward nll_loss_forward scatter_add sum
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
relative to the coordinate itself (`_operands_with_places`)."""

FLOAT32 = {"_scaled_dot_product_flash_attention_for_cpu": 1}
"""Operators of which all results from that one on are kept in float32, whatever the dtype of the others."""


class RoundingNoise(TorchDispatchMode):  # type: ignore[misc] # torch is not there where types are checked
    """Perturb every operation by `inner`, and what one operator hands to the next by `stored`; both are relative.

    What is stored moves by `tiny` at least: half the smallest subnormal of a dtype that underflows. `trials` is a seed,
    or several: then what is computed is a `TrialBatch`, each row of which moves as it would alone. `selections` notes
    the numbers by which something is decided, and may push them.
    """

    def __init__(
        self,
        inner: float,
        stored: float,
        tiny: float,
        trials: int | Sequence[int],
        selections: Selections | None = None,
    ) -> None:
        super().__init__()
        self.selections = selections or Selections()
        self._patterns = Patterns(trials)
        self._inner, self._stored, self._tiny = inner, stored, tiny
        self._depth = 0  # of the decompositions that are being run
        self._unrounded: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """No: torch would import its compiler, to keep it from looking into each call of this mode."""
        return False

    def __torch_dispatch__(
        self, func: Any, types: Sequence[type], args: Args = (), kwargs: Keywords | None = None
    ) -> object:
        """Run one operator, perturbed."""
        name, keywords = func._schema.name.rpartition("::")[2], kwargs or {}
        run = batched_call(func) if self._patterns.is_batch else func
        decide = self.selections.watch(run, name, args)
        if name.rstrip("_") in EXACT or getattr(func, "is_view", False):
            result = decide(*args, **keywords)
            return self.repeat(result) if name in FRESH else result
        composition = decompositions.composition(name)
        if composition is not None:
            with self:
                return composition(*args, **keywords)
        decomposition = decompositions.decomposition(name, func)
        if decomposition is None and name.endswith("_") and name not in PLACES:
            others = _map_floating(args[1:], self._perturb)  # a product that is added is rounded before the sum is
            return _map_floating(run(args[0], *others, **keywords), self._store_in_place)
        result = self._compute(decide, name, args, keywords, decomposition)
        return self._hand_over(name, result)

    def _compute(
        self,
        func: Any,
        name: str,
        args: Args,
        keywords: Keywords,
        decomposition: decompositions.Decomposition | None,
    ) -> Any:
        """The result of an operator with the roundings inside it, not yet stored."""
        if decomposition is not None and not self._inner and name not in decompositions.DECIDING:
            result: Any = decomposition(*args, **keywords)  # nothing in it is perturbed, nor looked at
        elif decomposition is not None:
            result = self._run_apart(decomposition, args, keywords)
        elif name in PLACES:
            result = func(*self._operands_with_places(PLACES[name], args), **keywords)
        else:
            result = func(*_map_floating(args, self._perturb), **_map_floating(keywords, self._perturb))
        if name in SUMS and self._inner:
            result = self._perturb_sum(func, name, args, keywords, result)
        if name in _PLAIN_SUMS and self._inner and args[0].is_floating_point():  # not a count of what a mask has
            pattern = self._patterns.draw(result)
            lost = self._lost_terms(func, args, keywords)
            result = result if lost is None else result + lost * pattern
        return result

    def _hand_over(self, name: str, result: Any) -> object:
        """The result as it is stored: in the example's dtype, or in float32."""
        if name in FLOAT32 and not self._depth:
            first = FLOAT32[name]
            stored, kept = result[:first], result[first:]
            return (*_map_floating(stored, self._store), *_map_floating(kept, self._perturb))
        return _map_floating(result, self._store)

    def _run_apart(self, decomposition: decompositions.Decomposition, args: Args, keywords: Keywords) -> object:
        self._depth += 1
        try:
            with self:
                return decomposition(*args, **keywords)
        finally:
            self._depth -= 1

    def _operands_with_places(self, place: int, args: Args) -> Args:
        """The operands of an operator of PLACES (csrc/ops/cpu, deform_conv2d_kernel.cpp and roi_align_common.h).

        An offset is added to a pixel's own place, and rounded relative to that. A place in a region is made from its
        corners by four roundings, and half a pixel is taken away; each region begins with the number of its image.
        """
        places = args[place]
        if places.dim() > 2:
            reach = torch.full_like(places, sum(places.shape[-2:]))
        else:
            reach = math.sqrt(4) * (1 + places.abs())
            reach[:, 0] = 0
        moved = places + self._inner * reach * self._patterns.draw(places)
        before, after = args[:place], args[place + 1 :]
        return (*_map_floating(before, self._perturb), moved, *_map_floating(after, self._perturb))

    def _perturb(self, tensor: torch.Tensor) -> torch.Tensor:
        return self._patterns.scale(tensor, self._inner) if self._inner else tensor

    def _store(self, tensor: torch.Tensor) -> torch.Tensor:
        if self._depth:
            return self._perturb(tensor)
        if not (self._stored or self._tiny):
            return tensor
        rounded = self._patterns.store(tensor, self._stored, self._tiny)
        self._unrounded[address(rounded)] = rounded, tensor
        return rounded

    def _store_in_place(self, tensor: torch.Tensor) -> torch.Tensor:
        """What an operator wrote into a tensor was computed there, and is stored there."""
        tensor.copy_(self._perturb(tensor))
        if self._depth or not (self._stored or self._tiny):
            return tensor
        self._unrounded[address(tensor)] = tensor, tensor.clone()
        return tensor.copy_(self._patterns.store(tensor, self._stored, self._tiny))

    def repeat(self, tensor: torch.Tensor) -> torch.Tensor:
        """What is used in place of `tensor`: of several trials a `TrialBatch`."""
        is_plain = self._patterns.is_batch and not isinstance(tensor, TrialBatch)
        return repeat_for(tensor, self._patterns.trials) if is_plain else tensor

    def before_rounding(self, tensor: torch.Tensor) -> torch.Tensor:
        """`tensor` before the last operator's result was perturbed as a whole, where that can be told.

        Of several trials a row for each.
        """
        clean = self._clean(tensor)
        return rows_of(clean) if self._patterns.is_batch else clean

    def _clean(self, tensor: torch.Tensor) -> torch.Tensor:
        rounded, clean = self._unrounded.get(address(tensor), (tensor, tensor))
        dense = tensor.is_contiguous() and clean.is_contiguous() and tensor.numel() == rounded.numel()
        return clean.reshape(tensor.shape) if dense else tensor

    def _perturb_sum(self, func: Any, name: str, args: Args, keywords: Keywords, result: Any) -> Any:
        """The result with each sum off by the roundings of its length."""
        magnitudes = func(*_map_floating(args, torch.abs), **_map_floating(keywords, torch.abs))
        totals, counts = iter(floating_tensors(magnitudes)), iter(term_counts(name, args, result))
        dims = _summed_dims(args) if name in _PLAIN_SUMS else None

        def move(tensor: torch.Tensor) -> torch.Tensor:
            """One of the sums; they come in order."""
            weights = [self._inner * terms for terms in effective_terms(args, next(counts), dims)]
            return tensor + self._patterns.weigh(next(totals).abs() * self._patterns.draw(tensor), weights)

        return _map_floating(result, move)

    def _lost_terms(self, func: Any, args: Args, keywords: Keywords) -> torch.Tensor | None:
        """The sum of the terms that a sum as large as theirs would not feel, for `sum` and `mean`; None without any."""
        terms = args[0].abs()
        dims = _summed_dims(args) or list(range(terms.dim()))
        small = terms <= self._inner * terms.sum(dims, keepdim=True)
        if not (as_numpy(rows_of(small)) & (as_numpy(rows_of(terms)) != 0)).any():
            return None
        return func(terms.where(small, torch.zeros_like(terms)), *args[1:], **keywords)


def _summed_dims(args: Args) -> list[int]:
    """The dimensions that a `sum` or `mean` is told to add up; none where it adds up all."""
    return list(args[1]) if len(args) > 1 and args[1] else []


def _map_floating(part: Any, change: Callable[[torch.Tensor], torch.Tensor]) -> Any:
    """The same arguments or results with `change` applied to the floating tensors that are not empty."""
    return pytree.map_tensors(part, lambda tensor: change(tensor) if is_perturbable(tensor) else tensor)
