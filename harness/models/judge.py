"""Judge one model: every tensor of every run against float64, and the converted runs against the unconverted one."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple, cast

from harness.core import Judgement, TensorRecord
from harness.core.finding import FindingKind, Oracle
from harness.models.compare import ModelComparison, compare_tensor, is_decisive, value_fault
from harness.models.format_loss import format_losses
from harness.models.model import BASELINE, CONVERSIONS, FULL_CONVERSION, ModelObservation, ModelReference
from harness.oracles import KIND_BY_ORACLE, Fault, Place, merge_faults
from harness.portable import tensor_name


class PlacedFault(NamedTuple):
    """A fault of one cell: the oracle and the tensor that it is about, and the conversion in which it shows."""

    oracle: Oracle
    tensor: str
    conversion: str
    fault: Fault


def judge_model(reference: ModelReference, observations: Sequence[ModelObservation]) -> Judgement:
    """All that the oracles say about one model.

    `values`: the largest error of a tensor is at most `SAFETY` times what float64 itself moves by when modules round,
    and, converted, at most `RELATIVE` times the error without conversion, that movement being the floor. `strides`: no
    module turns channels-last into contiguous. `shape`, `error`, `crash` and `hang` as for operators. A way to convert
    the model that is wrong is a finding about that way, ``conversion:to``.
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
                    yield PlacedFault("values", tensor, run.conversion, value_fault(tensor, record, value, comparison))
            if run.conversion == FULL_CONVERSION:
                yield from _format_faults(run)
                yield from _conversion_faults(run)

    def _comparisons(
        self, run: ModelObservation, plain_errors: Mapping[str, float]
    ) -> Iterator[tuple[str, ModelComparison, TensorRecord]]:
        """Each tensor of a run that has the shape of its reference, compared with it and with the unconverted run."""
        for tensor, record in _comparable_tensors(self.reference, run):
            comparison = compare_tensor(self.reference, tensor, record, plain_errors.get(tensor))
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
    for loss in format_losses(run.image_calls):
        yield PlacedFault("strides", tensor_name.module(loss.path), run.conversion, Fault(1.0, loss.message))


def _conversion_faults(run: ModelObservation) -> Iterator[PlacedFault]:
    """The ways to convert the model that raise, or come to other parameters than the harness's own conversion."""
    for way, oracle, message in run.conversion_faults:
        tensor, fault = tensor_name.conversion_way(way), Fault(1.0, f"converted by {way}: {message}")
        yield PlacedFault(cast("Oracle", oracle), tensor, run.conversion, fault)


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


def _kind(oracle: Oracle, faults: Mapping[Place, Fault], judged: set[Place]) -> FindingKind:
    """`layout` where some cell fails converted and not otherwise; else `universal` or `isa` by the cells."""
    if oracle in KIND_BY_ORACLE:
        return KIND_BY_ORACLE[oracle]
    cells = {cell for cell, _ in faults}
    if any((cell, BASELINE) not in faults for cell in cells):
        return "layout"
    return "universal" if cells == {cell for cell, _ in judged} else "isa"
