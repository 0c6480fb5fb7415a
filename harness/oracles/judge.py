"""Judge one Example: every oracle over every cell and layout."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from harness.core import Case, Example, Judgement, Observation, Reference, TensorRecord, matches
from harness.core.finding import Oracle
from harness.oracles import special_values
from harness.oracles.aggregate import Faults
from harness.oracles.compare import Comparison, Fault, compare, differing, outdone
from harness.oracles.expected import Expected, expected_dtype, standard_of
from harness.oracles.invariants import ended, errors, misshapen, refusals, strayed, unrepeated, written
from harness.oracles.layout import judge_strides
from harness.oracles.vacuity import vacuity_reasons
from harness.portable.dtypes import FLOATING

Accumulators = Mapping[str, Mapping[str, str]]


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
    not judged. Values are read and never changed.
    """
    faults, ratios = Faults(), dict[tuple[str, str], float]()
    _lost_workers(observations, faults)
    refused = example.dtype in case.unsupported
    raised, reasons = (refusals if refused else errors)(reference, observations)
    for place, fault in raised.items():
        faults.add("error", "", place, fault)
    why = dict(reasons)
    if refused:
        return Judgement(faults.findings(observations), why, ratios)
    returned = [seen for seen in observations if seen.status == "ok"]
    for seen in returned:
        _side_effects(case, example, seen, faults)
    if reference.status == "ok" and not why:
        why |= vacuity_reasons(case, reference, returned)
        _metadata(case, example, reference, returned, faults)
        blind = _Values(case, example, reference, accumulators or {}).judge(returned, faults, ratios)
        if blind and "empty" not in why:
            why["nothing judged"] = () if len(blind) == len({seen.cell for seen in returned}) else blind
    return Judgement(faults.findings(observations), why, ratios)


def _lost_workers(observations: Sequence[Observation], faults: Faults) -> None:
    for seen in observations:
        if fault := ended(seen):
            faults.add("hang" if seen.status == "hung" else "crash", "", (seen.cell, seen.layout), fault)


def _side_effects(case: Case, example: Example, seen: Observation, faults: Faults) -> None:
    place = (seen.cell, seen.layout)
    for tensor, message in strayed(case, example, seen):
        faults.add("range", tensor, place, Fault(1.0, message))
    for tensor, message in written(case, example, seen):
        faults.add("written", tensor, place, Fault(1.0, message))
    for tensor, message in unrepeated(case, seen):
        faults.add("repeat", tensor, place, Fault(1.0, message))


def _metadata(
    case: Case, example: Example, reference: Reference, returned: Sequence[Observation], faults: Faults
) -> None:
    for seen in returned:
        place = (seen.cell, seen.layout)
        for oracle, tensor, message in misshapen(case, example, reference, seen):
            faults.add(cast("Oracle", oracle), tensor, place, Fault(1.0, message))
        for tensor, message in judge_strides(case, example, reference, seen):
            faults.add("strides", tensor, place, Fault(1.0, message))


class _Values:
    """The values oracle over one example. Arrays with the same bytes are judged once: most cells agree."""

    def __init__(self, case: Case, example: Example, reference: Reference, accumulators: Accumulators) -> None:
        self._case, self._example, self._reference = case, example, reference
        self._accumulators = accumulators
        self._promised = case.channels_last or case.preserves != ()
        self._dtypes = {tensor: expected_dtype(case, example, reference, tensor) for tensor in reference.values}
        self._standards: dict[tuple[str, str | None], Expected] = {}
        self._judges: dict[tuple[str, str | None], bool] = {}
        self._compared: dict[tuple[str, str | None, bytes], Comparison] = {}

    def judge(
        self, returned: Sequence[Observation], faults: Faults, ratios: dict[tuple[str, str], float]
    ) -> tuple[str, ...]:
        """Add the faults and the worst ratios; return the cells in which no element could have failed."""
        self._unlike(returned, faults)
        self._bytes(returned, faults)  # what is outside the bound is told instead
        typical: dict[tuple[str, str], dict[str, Comparison]] = {}
        for seen in returned:
            for tensor in self._reference.values:
                record = seen.tensors.get(tensor)
                if record is None or not self._comparable(tensor, record):
                    continue
                found = self._comparison(tensor, seen.cell, record)
                if found.fault:
                    faults.add("values", tensor, (seen.cell, seen.layout), found.fault)
                if found.headroom is not None:
                    key = (seen.cell, tensor)
                    ratios[key] = max(found.headroom, ratios.get(key, 0.0))
                    typical.setdefault(key, {})[seen.layout] = found
        self._peers(typical, faults)
        return tuple(cell for cell in dict.fromkeys(seen.cell for seen in returned) if self._blind(cell))

    def _peers(self, typical: Mapping[tuple[str, str], Mapping[str, Comparison]], faults: Faults) -> None:
        """Compare the accuracy of the two layouts of each cell, where the bound is not an a-priori one."""
        for (cell, tensor), found in typical.items():
            if len(found) < 2 or self._case.numerics.rule(tensor) != "normwise":
                continue
            for layout, other in (("drawn", "contiguous"), ("contiguous", "drawn")):
                if fault := outdone(tensor, found[layout], found[other], layout):
                    faults.add("values", tensor, (cell, layout), fault)

    def _bytes(self, returned: Sequence[Observation], faults: Faults) -> None:
        """Compare resampled bytes of the two layouts: sums of integers are the same in any order."""
        for tensor, dtype in self._dtypes.items():
            if dtype in FLOATING or self._case.numerics.rule(tensor) != "resampling":
                continue
            found: dict[str, dict[str, TensorRecord]] = {}
            for seen in returned:
                if (record := seen.tensors.get(tensor)) and self._comparable(tensor, record):
                    found.setdefault(seen.cell, {})[seen.layout] = record
            for cell, records in found.items():
                if len(records) == 2 and (fault := differing(tensor, **{k: v.values for k, v in records.items()})):
                    faults.add("values", tensor, (cell, "drawn"), fault)

    def _unlike(self, returned: Sequence[Observation], faults: Faults) -> None:
        """What only the format decides, where the reference does not."""
        if self._example.fill != special_values.FILL:
            return
        standards = {tensor: self._standard(tensor, None) for tensor in self._reference.values}
        for tensor, place, fault in special_values.unlike(standards, returned):
            faults.add("values", tensor, place, fault)

    def _comparable(self, tensor: str, record: TensorRecord) -> bool:
        return record.shape == self._reference.values[tensor].shape and record.dtype == self._dtypes[tensor]

    def _comparison(self, tensor: str, cell: str, record: TensorRecord) -> Comparison:
        accumulator = self._accumulator(tensor, cell)
        key = (tensor, accumulator, record.values.tobytes())
        if key not in self._compared:
            self._compared[key] = compare(tensor, record.values, self._standard(tensor, accumulator))
        return self._compared[key]

    def _standard(self, tensor: str, accumulator: str | None) -> Expected:
        key = (tensor, accumulator)
        if key not in self._standards:
            expected = standard_of(self._case, self._example, self._reference, tensor, accumulator)
            self._standards[key] = special_values.adapted(expected, self._case, self._example, self._reference, tensor)
            self._judges[key] = expected.judges or (expected.free and self._promised)
        return self._standards[key]

    def _accumulator(self, tensor: str, cell: str) -> str | None:
        """The accepted accumulator, if any."""
        for pattern, cells in self._accumulators.items():
            if cell in cells and matches(tensor, [pattern]):
                return cells[cell]
        return None

    def _blind(self, cell: str) -> bool:
        keys = [(tensor, self._accumulator(tensor, cell)) for tensor in self._reference.values]
        return not any(self._judges.get(key, True) for key in keys)
