"""Judge one model: every tensor of every run against float64, and the converted runs against the unconverted one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np

from harness.core import Judgement, TensorRecord
from harness.core.finding import FindingKind, Oracle
from harness.core.observation import Array
from harness.models.format_loss import losses
from harness.models.model import BASELINE, CONVERSIONS, ModelObservation, ModelReference
from harness.oracles import KIND_BY_ORACLE, Fault, Place, merge_faults
from harness.portable.dtypes import finfo

SAFETY: Final = 8.0
"""How many times its measured spread a tensor may be off.

Over the suites here, on correct kernels, the worst is 1.9, in tensors of a few elements: the spread is that of one
random perturbation and its opposite.
"""

RELATIVE: Final = 4.0
"""How many times the unconverted run's error, or the spread if that is larger, a converted run may be off."""


def judge_model(reference: ModelReference, observations: Sequence[ModelObservation]) -> Judgement:
    """All that the oracles say about one model.

    `values`: the largest error of a tensor is at most `SAFETY` times what float64 itself moves by when modules round,
    and, converted, at most `RELATIVE` times the error without conversion, that movement being the floor. `strides`: no
    module turns channels-last into contiguous. `shape`, `error`, `crash` and `hang` as for operators.
    """
    found: dict[tuple[Oracle, str], dict[Place, Fault]] = {}
    cells = _Cells(reference)
    for cell in dict.fromkeys(seen.cell for seen in observations):
        mine = [seen for seen in observations if seen.cell == cell]
        for oracle, tensor, conversion, fault in cells.faults(mine):
            found.setdefault((oracle, tensor), {})[cell, conversion] = fault
    judged = {(seen.cell, seen.conversion) for seen in observations}
    findings = [
        merge_faults(oracle, tensor, faults, _kind(oracle, faults, judged), (BASELINE, *CONVERSIONS))
        for (oracle, tensor), faults in found.items()
    ]
    returned = dict.fromkeys(seen.cell for seen in observations if seen.status == "ok")
    blind = tuple(cell for cell in returned if cell not in cells.judging)
    return Judgement(tuple(findings), {"too sensitive to judge": blind} if blind else {}, cells.ratios)


@dataclass
class _Cells:
    """Judges cell by cell. `ratios`: the worst by cell and tensor; `judging`: the cells whose check can have failed."""

    reference: ModelReference
    ratios: dict[tuple[str, str], float] = field(default_factory=dict)
    judging: set[str] = field(default_factory=set)

    def faults(self, runs: Sequence[ModelObservation]) -> Iterator[tuple[Oracle, str, str, Fault]]:
        """The faults of the runs of one cell: oracle, tensor, conversion, fault."""
        plain = next((seen for seen in runs if seen.conversion == BASELINE and seen.status == "ok"), None)
        errors: dict[str, float] = {}
        for seen in runs:
            if ending := _ending(seen):
                oracle, message = ending
                yield oracle, "", seen.conversion, Fault(1.0, message)
                continue
            yield from _misshapen(self.reference, seen)
            for tensor, error, fault in self._values(seen, errors):
                if seen is plain:
                    errors[tensor] = error
                if fault is not None:
                    yield "values", tensor, seen.conversion, fault
            if seen.conversion == "both":
                for loss in losses(seen.modules):
                    yield "strides", f"module:{loss.path}", seen.conversion, Fault(1.0, loss.message)

    def _values(self, seen: ModelObservation, plain: Mapping[str, float]) -> Iterator[tuple[str, float, Fault | None]]:
        """Each tensor of a run with its error, and what is wrong with it; `plain` are the errors without conversion."""
        for tensor, record in _judged(self.reference, seen):
            ratio, error, allowed = _ratio(self.reference, tensor, record, plain.get(tensor))
            if not math.isnan(ratio):
                self.ratios[seen.cell, tensor] = max(ratio, self.ratios.get((seen.cell, tensor), 0.0))
                self.judging.update([seen.cell] if decisive(self.reference, tensor, record) else [])
            value = self.reference.values[tensor]
            yield tensor, error, _fault(tensor, record, value, error, allowed) if ratio > 1.0 else None


def _ending(seen: ModelObservation) -> tuple[Oracle, str] | None:
    match seen.status:
        case "ok":
            return None
        case "died":
            return "crash", f"the worker died: {seen.message}"
        case "hung":
            return "hang", f"the worker hung: {seen.message}"
        case _:
            return "error", f"raised {seen.error}: {seen.message}"


def _judged(reference: ModelReference, seen: ModelObservation) -> Iterator[tuple[str, TensorRecord]]:
    """The tensors that are there in the right shape."""
    for tensor, value in reference.values.items():
        record = seen.tensors.get(tensor)
        if record is not None and record.shape == value.shape:
            yield tensor, record


def _misshapen(reference: ModelReference, seen: ModelObservation) -> Iterator[tuple[Oracle, str, str, Fault]]:
    """The tensors that are not, but for detections whose number changes in float64 too when modules round."""
    for tensor, value in reference.values.items():
        record = seen.tensors.get(tensor)
        if math.isinf(reference.sensitivity.get(tensor, 0.0)) or (record is not None and record.shape == value.shape):
            continue
        said = "is missing" if record is None else f"has shape {list(record.shape)}, not {list(value.shape)}"
        yield "shape", tensor, seen.conversion, Fault(1.0, f"{tensor} {said}")


def floor(reference: ModelReference, tensor: str, record: TensorRecord) -> float:
    """How far a tensor may move: what was measured, and one rounding of its largest element in its own dtype."""
    largest = float(np.abs(reference.values[tensor]).max(initial=0.0))
    return reference.sensitivity.get(tensor, 0.0) + finfo(record.dtype).unit_roundoff * largest


def decisive(reference: ModelReference, tensor: str, record: TensorRecord) -> bool:
    """Whether a wrong tensor would be seen: the allowance is smaller than the tensor itself.

    What is zero but for rounding, such as the gradient of a bias in front of a batch norm, is judged all the same.
    """
    if reference.values[tensor].dtype.kind != "f":
        return record.values.size > 0
    largest = float(np.abs(reference.values[tensor]).max(initial=0.0))
    return record.values.size > 0 and RELATIVE * floor(reference, tensor, record) < largest


def _ratio(
    reference: ModelReference, tensor: str, record: TensorRecord, plain: float | None
) -> tuple[float, float, float]:
    """Error over allowance, the error, and the allowance; NaN where nothing can be said."""
    value = reference.values[tensor]
    if value.dtype.kind != "f":
        return _whole(reference, tensor, record)
    moved = floor(reference, tensor, record)
    error = _error(record.values, value)
    allowed = SAFETY * moved if plain is None else RELATIVE * max(plain, moved)
    if not value.size or not math.isfinite(moved):
        return math.nan, error, allowed
    return (error / allowed if allowed else math.inf if error else 0.0), error, allowed


def _whole(reference: ModelReference, tensor: str, record: TensorRecord) -> tuple[float, float, float]:
    """Numbers that are no floats (labels, indices, masks) are equal, unless rounding changes them in float64 too."""
    if not math.isfinite(reference.sensitivity.get(tensor, 0.0)) or not record.values.size:
        return math.nan, 0.0, 0.0
    differing = float(np.count_nonzero(record.values != reference.values[tensor]))
    return (math.inf if differing else 0.0), differing, 0.0


def _error(got: Array, value: Array) -> float:
    return float(_differences(got, value).max(initial=0.0))


def _differences(got: Array, value: Array) -> Array:
    """Absolute differences; 0 where both are the same infinity or both no number, infinite where one alone is."""
    with np.errstate(invalid="ignore"):
        differences = np.abs(got.astype(np.float64) - value)
    agree = (got == value) | (np.isnan(got) & np.isnan(value))
    found: Array = np.where(agree, 0.0, np.where(np.isnan(differences), np.inf, differences))
    return found


def _fault(tensor: str, record: TensorRecord, value: Array, error: float, allowed: float) -> Fault:
    scale = float(np.abs(value).max(initial=0.0)) or 1.0
    ratio = error / allowed if allowed else math.inf
    share = int(np.count_nonzero(_differences(record.values, value) > allowed))
    message = (
        f"{tensor} is off by {error / scale:.2g} of its largest element, {_times(ratio)} the allowance "
        f"({allowed / scale:.2g}), in {share} of {value.size} elements"
    )
    return Fault(ratio, message)


def _times(ratio: float) -> str:
    return f"{ratio:.2g} times" if math.isfinite(ratio) else "beyond"


def _kind(oracle: Oracle, faults: Mapping[Place, Fault], judged: set[Place]) -> FindingKind:
    """`layout` where some cell fails converted and not otherwise; else `universal` or `isa` by the cells."""
    if fixed := KIND_BY_ORACLE.get(oracle):
        return fixed
    cells = {cell for cell, _ in faults}
    if any((cell, BASELINE) not in faults for cell in cells):
        return "layout"
    return "universal" if cells == {cell for cell, _ in judged} else "isa"
