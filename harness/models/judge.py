"""Judge one model: every tensor of every run against float64, and the converted runs against the unconverted one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np

from harness.core import Judgement, TensorRecord
from harness.core.finding import FindingKind, Oracle
from harness.core.observation import Array
from harness.models.format_loss import format_losses
from harness.models.model import BASELINE, CONVERSIONS, FULL_CONVERSION, ModelObservation, ModelReference
from harness.oracles import KIND_BY_ORACLE, Fault, Place, merge_faults
from harness.portable import tensor_name
from harness.portable.dtypes import finfo

SAFETY: Final = 8.0
"""How many times its measured sensitivity a tensor may be off.

Over the suites here, on correct kernels, the worst is 1.9, in tensors of a few elements: the sensitivity is that to one
random perturbation and its opposite.
"""

RELATIVE: Final = 4.0
"""How many times the unconverted run's error, or the sensitivity if that is larger, a converted run may be off."""


class PlacedFault(NamedTuple):
    """A fault of one cell: the oracle and the tensor that it is about, and the conversion in which it shows."""

    oracle: Oracle
    tensor: str
    conversion: str
    fault: Fault


class ModelComparison(NamedTuple):
    """A tensor against its reference: error over allowance (NaN where nothing can be said), and both of them.

    Of floats the error is the largest absolute difference; of other numbers it is how many differ.
    """

    ratio: float
    error: float
    allowance: float


def judge_model(reference: ModelReference, observations: Sequence[ModelObservation]) -> Judgement:
    """All that the oracles say about one model.

    `values`: the largest error of a tensor is at most `SAFETY` times what float64 itself moves by when modules round,
    and, converted, at most `RELATIVE` times the error without conversion, that movement being the floor. `strides`: no
    module turns channels-last into contiguous. `shape`, `error`, `crash` and `hang` as for operators.
    """
    places: dict[tuple[Oracle, str], dict[Place, Fault]] = {}
    judge = _CellJudge(reference)
    for cell in dict.fromkeys(run.cell for run in observations):
        for oracle, tensor, conversion, fault in judge.faults([run for run in observations if run.cell == cell]):
            places.setdefault((oracle, tensor), {})[cell, conversion] = fault
    judged = {(run.cell, run.conversion) for run in observations}
    findings = [
        merge_faults(oracle, tensor, faults, _kind(oracle, faults, judged), (BASELINE, *CONVERSIONS))
        for (oracle, tensor), faults in places.items()
    ]
    returned = dict.fromkeys(run.cell for run in observations if run.status == "ok")
    blind = tuple(cell for cell in returned if cell not in judge.decisive_cells)
    return Judgement(tuple(findings), {"too sensitive to judge": blind} if blind else {}, judge.ratios)


@dataclass
class _CellJudge:
    """Judges cell by cell, and keeps the worst ratio by cell and tensor, and the cells whose check can have failed."""

    reference: ModelReference
    ratios: dict[tuple[str, str], float] = field(default_factory=dict)
    decisive_cells: set[str] = field(default_factory=set)

    def faults(self, runs: Sequence[ModelObservation]) -> Iterator[PlacedFault]:
        """The faults of the runs of one cell."""
        plain = next((run for run in runs if run.conversion == BASELINE and run.status == "ok"), None)
        plain_errors: dict[str, float] = {}
        for run in runs:
            if fault := _ending_fault(run):
                yield fault
                continue
            yield from _shape_faults(self.reference, run)
            for tensor, comparison, record in self._comparisons(run, plain_errors):
                if run is plain:
                    plain_errors[tensor] = comparison.error
                if comparison.ratio > 1.0:
                    value = self.reference.values[tensor]
                    yield PlacedFault("values", tensor, run.conversion, _value_fault(tensor, record, value, comparison))
            if run.conversion == FULL_CONVERSION:
                yield from _format_faults(run)

    def _comparisons(
        self, run: ModelObservation, plain_errors: Mapping[str, float]
    ) -> Iterator[tuple[str, ModelComparison, TensorRecord]]:
        """Each tensor of a run that has the shape of its reference, compared with it and with the unconverted run."""
        for tensor, record in _comparable_tensors(self.reference, run):
            comparison = _compare(self.reference, tensor, record, plain_errors.get(tensor))
            if not math.isnan(comparison.ratio):
                place = run.cell, tensor
                self.ratios[place] = max(comparison.ratio, self.ratios.get(place, 0.0))
                if is_decisive(self.reference, tensor, record):
                    self.decisive_cells.add(run.cell)
            yield tensor, comparison, record


def _ending_fault(run: ModelObservation) -> PlacedFault | None:
    """What is wrong with a run that did not return."""
    oracle: Oracle
    match run.status:
        case "ok":
            return None
        case "died":
            oracle, message = "crash", f"the worker died: {run.message}"
        case "hung":
            oracle, message = "hang", f"the worker hung: {run.message}"
        case _:
            oracle, message = "error", f"raised {run.error}: {run.message}"
    return PlacedFault(oracle, "", run.conversion, Fault(1.0, message))


def _format_faults(run: ModelObservation) -> Iterator[PlacedFault]:
    """The modules that lost channels-last in a converted run."""
    for loss in format_losses(run.modules):
        yield PlacedFault("strides", tensor_name.module(loss.path), run.conversion, Fault(1.0, loss.message))


def _comparable_tensors(reference: ModelReference, run: ModelObservation) -> Iterator[tuple[str, TensorRecord]]:
    """The tensors that are there in the right shape."""
    for tensor, value in reference.values.items():
        record = run.tensors.get(tensor)
        if record is not None and record.shape == value.shape:
            yield tensor, record


def _shape_faults(reference: ModelReference, run: ModelObservation) -> Iterator[PlacedFault]:
    """The tensors that are not, but for detections whose number changes in float64 too when modules round."""
    for tensor, value in reference.values.items():
        record = run.tensors.get(tensor)
        if math.isinf(reference.sensitivity.get(tensor, 0.0)) or (record is not None and record.shape == value.shape):
            continue
        problem = "is missing" if record is None else f"has shape {list(record.shape)}, not {list(value.shape)}"
        yield PlacedFault("shape", tensor, run.conversion, Fault(1.0, f"{tensor} {problem}"))


def rounding_floor(reference: ModelReference, tensor: str, record: TensorRecord) -> float:
    """How far a tensor may move: what was measured, and one rounding of its largest element in its own dtype."""
    rounding = finfo(record.dtype).unit_roundoff * _largest(reference.values[tensor])
    return reference.sensitivity.get(tensor, 0.0) + rounding


def is_decisive(reference: ModelReference, tensor: str, record: TensorRecord) -> bool:
    """Whether a wrong tensor would show: the allowance is smaller than the tensor itself.

    What is zero but for rounding, such as the gradient of a bias in front of a batch norm, is judged all the same.
    """
    value = reference.values[tensor]
    if value.dtype.kind != "f":
        return record.values.size > 0
    return record.values.size > 0 and RELATIVE * rounding_floor(reference, tensor, record) < _largest(value)


def _compare(
    reference: ModelReference, tensor: str, record: TensorRecord, plain_error: float | None
) -> ModelComparison:
    """A tensor against its reference; `plain_error` is that of the unconverted run (None: this is that run)."""
    value = reference.values[tensor]
    if value.dtype.kind != "f":
        return _compare_whole_numbers(reference, tensor, record)
    floor = rounding_floor(reference, tensor, record)
    error = float(_differences(record.values, value).max(initial=0.0))
    allowance = SAFETY * floor if plain_error is None else RELATIVE * max(plain_error, floor)
    if not value.size or not math.isfinite(floor):
        return ModelComparison(math.nan, error, allowance)
    return ModelComparison(error / allowance if allowance else math.inf if error else 0.0, error, allowance)


def _compare_whole_numbers(reference: ModelReference, tensor: str, record: TensorRecord) -> ModelComparison:
    """Numbers that are no floats (labels, indices, masks) are equal, unless rounding changes them in float64 too."""
    if not math.isfinite(reference.sensitivity.get(tensor, 0.0)) or not record.values.size:
        return ModelComparison(math.nan, 0.0, 0.0)
    differing = float(np.count_nonzero(record.values != reference.values[tensor]))
    return ModelComparison(math.inf if differing else 0.0, differing, 0.0)


def _largest(value: Array) -> float:
    return float(np.abs(value).max(initial=0.0))


def _differences(returned: Array, value: Array) -> Array:
    """Absolute differences; 0 where both are the same infinity or both no number, infinite where one alone is."""
    with np.errstate(invalid="ignore"):
        absolute = np.abs(returned.astype(np.float64) - value)
    agree = (returned == value) | (np.isnan(returned) & np.isnan(value))
    differences: Array = np.where(agree, 0.0, np.where(np.isnan(absolute), np.inf, absolute))
    return differences


def _value_fault(tensor: str, record: TensorRecord, value: Array, comparison: ModelComparison) -> Fault:
    """What is said of a tensor that is off by more than its allowance."""
    _, error, allowance = comparison
    scale = _largest(value) or 1.0
    ratio = error / allowance if allowance else math.inf
    differing = int(np.count_nonzero(_differences(record.values, value) > allowance))
    times = f"{ratio:.2g} times" if math.isfinite(ratio) else "beyond"
    message = (
        f"{tensor} is off by {error / scale:.2g} of its largest element, {times} the allowance "
        f"({allowance / scale:.2g}), in {differing} of {value.size} elements"
    )
    return Fault(ratio, message)


def _kind(oracle: Oracle, faults: Mapping[Place, Fault], judged: set[Place]) -> FindingKind:
    """`layout` where some cell fails converted and not otherwise; else `universal` or `isa` by the cells."""
    if oracle in KIND_BY_ORACLE:
        return KIND_BY_ORACLE[oracle]
    cells = {cell for cell, _ in faults}
    if any((cell, BASELINE) not in faults for cell in cells):
        return "layout"
    return "universal" if cells == {cell for cell, _ in judged} else "isa"
