"""Judge one Example: every oracle over every cell and layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.core import Case, Example, Judgement, Observation, Reference, TensorRecord, matches
from harness.core.finding import Oracle
from harness.oracles import special_values
from harness.oracles.aggregate import Faults
from harness.oracles.compare import Comparison, Fault, accuracy_fault, compare, difference_fault
from harness.oracles.counterparts import counterpart_faults
from harness.oracles.expected import Expected, expected_dtype, expected_values
from harness.oracles.invariants import (
    index_faults,
    judge_errors,
    judge_unsupported,
    metadata_faults,
    repetition_faults,
    worker_fault,
    write_faults,
)
from harness.oracles.layout import judge_strides
from harness.oracles.vacuity import NOTHING_JUDGED, has_empty_outputs, vacuity_reasons
from harness.portable.dtypes import FLOATING
from harness.portable.tensor_name import DERIVED, TensorKind, kind_of

Accumulators = Mapping[str, Mapping[str, str]]
Ratios = dict[tuple[str, str], float]
"""(cell, tensor) to the worst error over allowance."""


def judge(
    case: Case,
    example: Example,
    reference: Reference,
    observations: Sequence[Observation],
    *,
    accumulators: Accumulators | None = None,
) -> Judgement:
    """All that the oracles say about one example.

    `accumulators` maps a pattern of tensor names (``grad:*``) to {cell: dtype}: sums of those tensors are judged in
    those cells as if kept in that dtype. Observations of both layouts of every cell are expected; missing ones are
    not judged. What a call computed before it raised is judged as if it had returned, by what the reference has, which
    may have raised likewise. Values are read and never changed.
    """
    faults, ratios = Faults(), Ratios()
    _judge_workers(observations, faults)
    is_unsupported = example.dtype in case.unsupported
    errors, reasons = (judge_unsupported if is_unsupported else judge_errors)(reference, observations)
    for place, fault in errors.items():
        faults.add("error", "", place, fault)
    if is_unsupported:
        return Judgement(faults.findings(observations), reasons, ratios)
    results = [observation for observation in observations if observation.status == "ok" or observation.tensors]
    for observation in results:
        _judge_side_effects(case, example, observation, faults)
    if reference.values and (reference.status == "raised" or not reasons):
        reasons = {**reasons, **vacuity_reasons(case, example, reference, results)}
        _judge_metadata(case, example, reference, results, faults)
        blind = _ValuesOracle(case, example, reference, accumulators or {}).judge(results, faults, ratios)
        if blind and not has_empty_outputs(reference):
            everywhere = len(blind) == len({observation.cell for observation in results})
            reasons[NOTHING_JUDGED] = () if everywhere else blind
    return Judgement(faults.findings(observations), reasons, ratios)


def _judge_workers(observations: Sequence[Observation], faults: Faults) -> None:
    for observation in observations:
        if fault := worker_fault(observation):
            oracle: Oracle = "hang" if observation.status == "hung" else "crash"
            faults.add(oracle, "", (observation.cell, observation.layout), fault)


def _judge_side_effects(case: Case, example: Example, observation: Observation, faults: Faults) -> None:
    place = (observation.cell, observation.layout)
    for tensor, message in index_faults(case, example, observation):
        faults.add("range", tensor, place, Fault(1.0, message))
    for tensor, message in write_faults(case, example, observation):
        faults.add("written", tensor, place, Fault(1.0, message))
    for tensor, message in repetition_faults(case, observation):
        faults.add("repeat", tensor, place, Fault(1.0, message))


def _judge_metadata(
    case: Case, example: Example, reference: Reference, results: Sequence[Observation], faults: Faults
) -> None:
    for observation in results:
        place = (observation.cell, observation.layout)
        for oracle, tensor, message in metadata_faults(case, example, reference, observation):
            faults.add(oracle, tensor, place, Fault(1.0, message))
        for oracle, tensor, message in counterpart_faults(example, observation):
            faults.add(oracle, tensor, place, Fault(1.0, message))
        for tensor, message in judge_strides(case, example, reference, observation):
            faults.add("strides", tensor, place, Fault(1.0, message))


class _ValuesOracle:
    """The values oracle over one example. Arrays with the same bytes are judged once: most cells agree."""

    def __init__(self, case: Case, example: Example, reference: Reference, accumulators: Accumulators) -> None:
        self._case, self._example, self._reference = case, example, reference
        self._accumulators = accumulators
        self._promises_strides = case.channels_last or case.preserves != ()
        self._dtypes = {tensor: expected_dtype(case, example, reference, tensor) for tensor in reference.values}
        self._expectations: dict[tuple[str, str | None], Expected] = {}
        self._can_fail: dict[tuple[str, str | None], bool] = {}
        self._comparisons: dict[tuple[str, str | None, bytes], Comparison] = {}

    def judge(self, results: Sequence[Observation], faults: Faults, ratios: Ratios) -> tuple[str, ...]:
        """Add the faults and the worst ratios; return the cells in which no element could have failed."""
        self._compare_non_finite(results, faults)
        self._compare_bytes(results, faults)  # a fault outside the bound replaces one of these
        by_layout: dict[tuple[str, str], dict[str, Comparison]] = {}
        for observation in results:
            for tensor in self._reference.values:
                record = observation.tensors.get(tensor)
                if record is None or not self._is_comparable(tensor, record):
                    continue
                if kind_of(tensor) in DERIVED and self._has_other_outputs(observation):
                    continue  # its grad_output is another one than the reference's
                comparison = self._comparison(tensor, observation.cell, record)
                if comparison.fault:
                    faults.add("values", tensor, (observation.cell, observation.layout), comparison.fault)
                if comparison.headroom is not None:
                    key = (observation.cell, tensor)
                    ratios[key] = max(comparison.headroom, ratios.get(key, 0.0))
                    by_layout.setdefault(key, {})[observation.layout] = comparison
        self._compare_accuracies(by_layout, faults)
        return tuple(cell for cell in dict.fromkeys(each.cell for each in results) if self._is_blind(cell))

    def _compare_accuracies(
        self, by_layout: Mapping[tuple[str, str], Mapping[str, Comparison]], faults: Faults
    ) -> None:
        """Compare the accuracy of the two layouts of each cell, where the bound is not an a-priori one."""
        for (cell, tensor), comparisons in by_layout.items():
            if len(comparisons) < 2 or self._case.numerics.rule(tensor) != "normwise":
                continue
            for layout, other in (("drawn", "contiguous"), ("contiguous", "drawn")):
                if fault := accuracy_fault(tensor, comparisons[layout], comparisons[other], layout):
                    faults.add("values", tensor, (cell, layout), fault)

    def _compare_bytes(self, results: Sequence[Observation], faults: Faults) -> None:
        """Compare resampled bytes of the two layouts: sums of integers are the same in any order."""
        for tensor, dtype in self._dtypes.items():
            if dtype in FLOATING or self._case.numerics.rule(tensor) != "resampling":
                continue
            by_cell: dict[str, dict[str, TensorRecord]] = {}
            for observation in results:
                record = observation.tensors.get(tensor)
                if record is not None and self._is_comparable(tensor, record):
                    by_cell.setdefault(observation.cell, {})[observation.layout] = record
            for cell, records in by_cell.items():
                if len(records) < 2:
                    continue
                if fault := difference_fault(tensor, records["drawn"].values, records["contiguous"].values):
                    faults.add("values", tensor, (cell, "drawn"), fault)

    def _compare_non_finite(self, results: Sequence[Observation], faults: Faults) -> None:
        """What only the format decides, where the reference does not."""
        if self._example.fill != special_values.FILL:
            return
        expectations = {tensor: self._expectation(tensor, None) for tensor in self._reference.values}
        for tensor, place, fault in special_values.format_faults(expectations, results):
            faults.add("values", tensor, place, fault)

    def _is_comparable(self, tensor: str, record: TensorRecord) -> bool:
        return record.shape == self._reference.values[tensor].shape and record.dtype == self._dtypes[tensor]

    def _has_other_outputs(self, observation: Observation) -> bool:
        """Whether an output has another shape than the reference's, so that backward was given something else."""
        return any(
            kind_of(name) is TensorKind.OUTPUT and record.shape != self._reference.values[name].shape
            for name, record in observation.tensors.items()
            if name in self._reference.values
        )

    def _comparison(self, tensor: str, cell: str, record: TensorRecord) -> Comparison:
        accumulator = self._accumulator(tensor, cell)
        key = (tensor, accumulator, record.values.tobytes())
        if key not in self._comparisons:
            self._comparisons[key] = compare(tensor, record.values, self._expectation(tensor, accumulator))
        return self._comparisons[key]

    def _expectation(self, tensor: str, accumulator: str | None) -> Expected:
        key = (tensor, accumulator)
        if key not in self._expectations:
            expected = expected_values(self._case, self._example, self._reference, tensor, accumulator)
            self._can_fail[key] = expected.judges or (expected.free and self._promises_strides)
            self._expectations[key] = special_values.adjust_for_special_fill(
                expected, self._case, self._example, self._reference, tensor
            )
        return self._expectations[key]

    def _accumulator(self, tensor: str, cell: str) -> str | None:
        """The accepted accumulator, if any."""
        for pattern, cells in self._accumulators.items():
            if cell in cells and matches(tensor, [pattern]):
                return cells[cell]
        return None

    def _is_blind(self, cell: str) -> bool:
        """Whether no element of any tensor could have failed there."""
        keys = [(tensor, self._accumulator(tensor, cell)) for tensor in self._reference.values]
        return not any(self._can_fail.get(key, True) for key in keys)
