"""Observation: what one cell returned for one Example and one layout."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import numpy.typing as npt

from harness.portable.argument_kinds import ArgumentKinds
from harness.portable.operator_protocol import CallPhase
from harness.portable.protocol import LostStatus, Outcome

Array = npt.NDArray[Any]
Status = Outcome | LostStatus
ObservedLayout = Literal["drawn", "contiguous"]
OBSERVED_LAYOUTS: Final[tuple[ObservedLayout, ...]] = ("drawn", "contiguous")
"""Each example runs in the layouts that it draws, and once more with everything contiguous."""


@dataclass(frozen=True)
class TensorRecord:
    """One output or gradient as it came back.

    `values` is C-ordered with the logical shape, in the dtype's own NumPy type, bfloat16 widened to float32 (exact).
    `strides` are in elements. `dtype` is torch's name without the prefix.
    """

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]
    values: Array = field(compare=False, repr=False)


@dataclass(frozen=True)
class TensorLayout:
    """A tensor without its values; the fields are those of `TensorRecord`."""

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]


@dataclass(frozen=True)
class Observation:
    """One run of one Example in one cell.

    `layout` is ``drawn`` (the example's layouts) or ``contiguous`` (all of it freshly laid out NCHW). `tensors` is
    keyed ``output[0]``, ``grad:weight``, ``buffer:running_mean``; `inputs` holds the strides each input really had.
    `written`: inputs the call changed. `unrepeated`: tensors whose bits differ when the same call runs again. `kernels`
    are oneDNN implementations that ran, such as ``convolution:jit:avx2``, with counts, and `primitives` how they ran,
    each way once: ``convolution:jit:avx2 backward_data acdb Acdb8a acdb``. `operators` are the ATen ones when traced,
    with the kinds that `arguments` had of those that the call names and `inner_arguments` of those within others, and
    `foreign` those of them that neither PyTorch nor torchvision has. An observation whose `status` is ``raised`` has
    the tensors that were computed all the same; `phase` is what the call was doing when it raised.
    `counterparts` are the layouts that FakeTensorMode takes the tensors to have, on the path ``meta``, and those that
    the call gives which is not compiled, on the path ``compile``.
    `omitted`: tensors that were not asked for, because a known issue says that computing them ends the worker.
    """

    cell: str
    layout: ObservedLayout
    status: Status
    tensors: Mapping[str, TensorRecord] = field(default_factory=dict)
    inputs: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    written: tuple[str, ...] = ()
    unrepeated: tuple[str, ...] = ()
    kernels: Mapping[str, int] = field(default_factory=dict)
    primitives: tuple[str, ...] = ()
    operators: tuple[str, ...] = ()
    arguments: ArgumentKinds = field(default_factory=dict)
    inner_arguments: ArgumentKinds = field(default_factory=dict)
    foreign: tuple[str, ...] = ()
    counterparts: Mapping[str, TensorLayout] = field(default_factory=dict)
    phase: CallPhase | None = None
    omitted: tuple[str, ...] = ()
    error: str = ""
    message: str = ""
    signal: int = 0


@dataclass(frozen=True)
class Reference:
    """The float64 answer on contiguous copies, with what the a-priori bounds need. Arrays are float64 or complex128.

    `values`, `bound` (the operator on magnitudes) and `terms` (the number of summands) share the keys of
    `Observation.tensors`; so do `inner_sensitivity` and `storage_sensitivity`: how far roundings within operators, and
    of what one operator hands to the next, move the result of a `normwise` case. Of a `resampling` one the former says
    how far a coordinate that is off by a whole size would move it. So does `scaled`, for float64 filled `special`: the
    magnitudes of operands so small that no sum overflows; what is not finite there comes of an operand. Integer outputs
    (indices) appear in `values` in their own type.
    `inputs` and `grad_outputs` are the numbers that went in. `dtypes` are those of the outputs where the same call is
    given the example's own dtypes, in torch's names; empty where that raises. `is_independent`: nothing but PyTorch's
    own operators had a part in it, and not the one that is judged. `status` ``raised`` carries `error` and `message`,
    and the outputs with all that bounds them, where only their derivatives raise.
    """

    status: Status
    values: Mapping[str, Array] = field(default_factory=dict, repr=False)
    bound: Mapping[str, Array] = field(default_factory=dict, repr=False)
    terms: Mapping[str, Array] = field(default_factory=dict, repr=False)
    scaled: Mapping[str, Array] = field(default_factory=dict, repr=False)
    inner_sensitivity: Mapping[str, Array] = field(default_factory=dict, repr=False)
    storage_sensitivity: Mapping[str, Array] = field(default_factory=dict, repr=False)
    inputs: Mapping[str, Array] = field(default_factory=dict, repr=False)
    grad_outputs: Mapping[str, Array] = field(default_factory=dict, repr=False)
    dtypes: Mapping[str, str] = field(default_factory=dict)
    is_independent: bool = True
    error: str = ""
    message: str = ""
