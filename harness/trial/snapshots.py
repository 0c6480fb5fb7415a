"""Snapshots: what must come out of them bit for bit, in every cell, both layouts and the reference."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from harness.core import Case, Example, KnownIssue, Observation, TensorRecord
from harness.execution import Executor, Result
from harness.generation import snapshot_candidates
from harness.golden import LEVELS, Digest, Snapshot, fingerprint, misfit
from harness.oracles import round_to
from harness.portable.dtypes import FLOATING, carrier_of, finfo
from harness.trial.judged_result import JudgedResult, rule

Array = npt.NDArray[Any]

FRACTIONS: Final = tuple(2.0**power for power in range(9))
"""Exact values are multiples of one over one of these: sums of integers, and averages of a power of two of them."""

_REFERENCE: Final = "reference"
_BYTES: Final = "bytes"


def differences(
    case: Case,
    snapshots: Sequence[Snapshot],
    executor: Executor,
    known_issues: Sequence[KnownIssue],
    *,
    values_only: bool,
) -> Iterator[tuple[Snapshot, str]]:
    """Each snapshot that gives something else now, with a sentence for each tensor; what a known issue is about is left out.

    Raises nothing for what a kernel does. A snapshot that is no example of its case any more says so. With `values_only` a
    result is compared where there is one, of that dtype and shape: its numbers are arithmetic, all else is a release's.
    """
    for snapshot in snapshots:
        if problem := misfit(case, snapshot.example):
            yield snapshot, f"it is no example of {case.name} any more: {problem}"
            continue
        cells = _judged(executor, snapshot.example, known_issues)
        for result in executor.run(case, [snapshot.example], cells=cells) if cells else ():
            yield from ((snapshot, message) for message in _unlike(snapshot, result, values_only=values_only))


def chosen(  # noqa: PLR0913, PLR0917 - all that a run of examples needs, and the snapshots of before
    case: Case,
    dtype: str,
    count: int,
    kept: Sequence[Snapshot],
    executor: Executor,
    known_issues: Sequence[KnownIssue],
) -> list[Snapshot]:
    """`count` snapshots for a case in a dtype: those of before that still do, then new ones; fewer if values are not exact.

    A snapshot is an example that no known issue is about, of which every cell gives the reference bit for bit in both
    layouts, and whose sums are exact in any order.
    """
    found: list[Snapshot] = []
    before = [snapshot.example for snapshot in kept if not misfit(case, snapshot.example)]
    taken = {example.to_json() for example in before}
    fresh = (one for one in snapshot_candidates(case, dtype) if one.to_json() not in taken)
    for example in (*before, *fresh):
        if len(found) == count:
            break
        if any(_spares(one, example) for one in known_issues):
            continue
        result = next(iter(executor.run(case, [example])))
        if _is_exact(case, rule(case, result, known_issues)):
            found.append(Snapshot(example, _digests(result)))
    return found


def _judged(executor: Executor, example: Example, known_issues: Sequence[KnownIssue]) -> list[str]:
    """The cells in which nothing is known to be wrong with the example."""
    known = {cell for one in known_issues if _spares(one, example) for cell in one.cells}
    return [cell.name for cell in executor.cells if cell.name not in known]


def _spares(known_issue: KnownIssue, example: Example) -> bool:
    """Whether the known issue excuses something of the example. A wider bound does not: what is exact stays exact."""
    return not known_issue.accumulates_in and known_issue.holds(example)


def _unlike(snapshot: Snapshot, result: Result, *, values_only: bool) -> Iterator[str]:
    """One sentence for each tensor and kind of difference, with the cells that show it."""
    seen: dict[str, list[str]] = {}
    for where, tensor, message in (*_of_reference(snapshot, result), *_of_cells(snapshot, result)):
        if not values_only or message.startswith(_BYTES):
            seen.setdefault(f"{tensor}: {message}", []).append(where)
    for message, places in seen.items():
        yield f"{message} ({', '.join(places)})"


def _of_reference(snapshot: Snapshot, result: Result) -> Iterator[tuple[str, str, str]]:
    reference = result.reference
    if reference.status != "ok":
        yield _REFERENCE, "call", f"{reference.status} {reference.error}".strip()
        return
    for tensor, digest in snapshot.results.items():
        values = reference.values.get(tensor)
        if values is None:
            yield _REFERENCE, tensor, "is missing"
        elif (now := fingerprint(_bytes(digest.dtype, values))) != digest.sha256:
            yield _REFERENCE, tensor, f"{_BYTES}: was: {digest.sha256}; now: {now}"
    yield from ((_REFERENCE, tensor, "is not pinned") for tensor in reference.values if tensor not in snapshot.results)


def _of_cells(snapshot: Snapshot, result: Result) -> Iterator[tuple[str, str, str]]:
    for seen in result.observations:
        where = f"{seen.cell}, {seen.layout}"
        if seen.status != "ok":
            yield where, "call", f"{seen.status} {seen.error}".strip()
            continue
        for tensor, digest in snapshot.results.items():
            record = seen.tensors.get(tensor)
            for message in ["is missing"] if record is None else _changes(digest, record, seen):
                yield where, tensor, message


def _changes(digest: Digest, record: TensorRecord, seen: Observation) -> Iterator[str]:
    pairs: list[tuple[str, object, object]] = [("dtype", digest.dtype, record.dtype)]
    pairs.append(("shape", list(digest.shape), list(record.shape)))
    if seen.layout == "drawn" and seen.cell in LEVELS and digest.strides is not None:
        pairs.append(("strides", list(digest.strides), list(record.strides)))
    if (record.dtype, record.shape) == (digest.dtype, digest.shape):
        pairs.append((_BYTES, digest.sha256, fingerprint(_bytes(record.dtype, record.values))))
    for name, was, now in pairs:
        if was != now:
            yield f"{name}: was: {was}; now: {now}"


def _is_exact(case: Case, judged: JudgedResult) -> bool:
    """Whether nothing was found, and every tensor is exact by its numbers and not by luck."""
    result, reference = judged.result, judged.result.reference
    if (
        judged.judgement.findings
        or reference.status != "ok"
        or not {"empty", "constant output"}.isdisjoint(judged.judgement.untrusted)
    ):
        return False
    return all(_tensor_is_exact(case, result, tensor) for tensor in reference.values)


def _tensor_is_exact(case: Case, result: Result, tensor: str) -> bool:
    values, bound = result.reference.values[tensor], result.reference.bound.get(tensor)
    records = [seen.tensors[tensor] for seen in result.observations if tensor in seen.tensors]
    dtype = records[0].dtype if records else ""
    if len(records) != len(result.observations) or {record.dtype for record in records} != {dtype}:
        return False
    if any(_bytes(dtype, record.values) != _bytes(dtype, values) for record in records):
        return False
    if not np.all(np.isfinite(values)):  # the bits of a NaN are not fixed
        return False
    if dtype not in FLOATING or case.numerics.rule(tensor) == "exact":
        return case.numerics.rule(tensor) != "resampling" or not np.any(bound)
    terms = result.reference.terms.get(tensor)
    if case.numerics.rule(tensor) == "selection" and terms is not None and np.all(terms <= 1):
        return True  # grad_output's own element, or zero
    return bound is not None and _sums_are_exact(values, bound, dtype)


def _sums_are_exact(values: Array, bound: Array, dtype: str) -> bool:
    """Whether every partial sum, in any order, fits the dtype: it stays one even where sums are kept in a half type."""
    for scale in FRACTIONS:
        if _whole(values * scale) and _whole(bound * scale):
            return bool(np.all(bound * scale <= 2.0 ** finfo(dtype).precision))
    return False


def _whole(values: Array) -> bool:
    return bool(np.array_equal(values, np.rint(values)))


def _digests(result: Result) -> dict[str, Digest]:
    """What came out, by tensor in the reference's order; strides where the levels of the contract agree."""
    drawn = [seen for seen in result.observations if seen.layout == "drawn"]
    found: dict[str, Digest] = {}
    for tensor in result.reference.values:
        record = drawn[0].tensors[tensor]
        strides = {seen.tensors[tensor].strides for seen in drawn if seen.cell in LEVELS}
        agreed = strides.pop() if len(strides) == 1 else None
        found[tensor] = Digest(record.dtype, record.shape, agreed, fingerprint(_bytes(record.dtype, record.values)))
    return found


def _bytes(dtype: str, values: Array) -> bytes:
    """The bytes that a digest is of."""
    stored = np.dtype(carrier_of(dtype)).newbyteorder("<")
    rounded = round_to(dtype, values) if dtype in FLOATING else values
    return np.ascontiguousarray(rounded + 0 if stored.kind in "fc" else rounded, dtype=stored).tobytes()
