"""Which examples become snapshots: those whose results are exact by their numbers, whatever computes them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from harness.core import Case, KnownIssue
from harness.core.observation import Array
from harness.execution import Executor, Result
from harness.generation import argument_examples, snapshot_candidates
from harness.golden import LEVELS, Digest, Snapshot, describe_misfit, fingerprint
from harness.oracles import CONSTANT_OUTPUT, EMPTY
from harness.portable.dtypes import FLOATING, finfo
from harness.trial.digest import digest_bytes
from harness.trial.judged_result import JudgedResult, judge_result
from harness.trial.snapshots import excuses

FRACTIONS: Final = tuple(2.0**power for power in range(9))
"""Exact values are multiples of one over one of these: sums of integers, and averages of a power of two of them."""


def choose_snapshots(  # noqa: PLR0913, PLR0917 - all that a run of examples needs, and the snapshots of before
    case: Case,
    dtype: str,
    count: int,
    before: Sequence[Snapshot],
    executor: Executor,
    known_issues: Sequence[KnownIssue],
) -> list[Snapshot]:
    """At least `count` snapshots for a case in a dtype: those of before that still do, pairs of arguments, new ones.

    A snapshot is an example that no known issue is about, of which every cell gives the reference bit for bit in both
    layouts, and whose sums are exact in any order. They are fewer where the values of too few candidates are exact.
    """
    kept = {entry.example.to_json(): entry.example for entry in before if not describe_misfit(case, entry.example)}
    due = {**kept, **{example.to_json(): example for example in (argument_examples(case, dtype) if count else ())}}
    fresh = (example for example in snapshot_candidates(case, dtype) if example.to_json() not in due)
    snapshots: list[Snapshot] = []
    for example in (*due.values(), *fresh):
        if len(snapshots) >= count and example.to_json() not in due:
            break
        if any(excuses(known_issue, example) for known_issue in known_issues):
            continue
        result = next(iter(executor.run(case, [example])))
        if _is_exact(case, judge_result(case, result, known_issues)):
            snapshots.append(Snapshot(example, _digests(result)))
    return snapshots


def _is_exact(case: Case, judged: JudgedResult) -> bool:
    """Whether nothing is wrong, and every tensor is exact by its numbers and not by luck."""
    result, reference = judged.result, judged.result.reference
    if (
        judged.judgement.findings
        or reference.status != "ok"
        or not {EMPTY, CONSTANT_OUTPUT}.isdisjoint(judged.judgement.untrusted)
    ):
        return False
    return all(_tensor_is_exact(case, result, tensor) for tensor in reference.values)


def _tensor_is_exact(case: Case, result: Result, tensor: str) -> bool:
    values = result.reference.values[tensor]
    dtype = _dtype_of_equal_records(result, tensor, values)
    if not dtype or not np.all(np.isfinite(values)):  # the bits of a NaN are not fixed
        return False
    rule, bound = case.numerics.rule(tensor), result.reference.bound.get(tensor)
    if dtype not in FLOATING or rule == "exact":
        return rule != "resampling" or not np.any(bound)
    terms = result.reference.terms.get(tensor)
    if rule == "selection" and terms is not None and np.all(terms <= 1):
        return True  # grad_output's own element, or zero
    return bound is not None and _sums_are_exact(values, bound, dtype)


def _dtype_of_equal_records(result: Result, tensor: str, values: Array) -> str:
    """The dtype in which every run returned the tensor with just these values; nothing where one did not."""
    records = [run.tensors[tensor] for run in result.observations if tensor in run.tensors]
    dtype = records[0].dtype if records else ""
    if len(records) != len(result.observations) or {record.dtype for record in records} != {dtype}:
        return ""
    expected = digest_bytes(dtype, values)
    return dtype if all(digest_bytes(dtype, record.values) == expected for record in records) else ""


def _sums_are_exact(values: Array, bound: Array, dtype: str) -> bool:
    """Whether every partial sum, in any order, fits the dtype: it stays one even where sums are kept in a half type."""
    for scale in FRACTIONS:
        if _are_whole(values * scale) and _are_whole(bound * scale):
            return bool(np.all(bound * scale <= 2.0 ** finfo(dtype).precision))
    return False


def _are_whole(values: Array) -> bool:
    return bool(np.array_equal(values, np.rint(values)))


def _digests(result: Result) -> dict[str, Digest]:
    """What came out, by tensor in the reference's order; strides where the levels of the contract agree."""
    drawn = [observation for observation in result.observations if observation.layout == "drawn"]
    digests: dict[str, Digest] = {}
    for tensor in result.reference.values:
        record = drawn[0].tensors[tensor]
        strides = {observation.tensors[tensor].strides for observation in drawn if observation.cell in LEVELS}
        agreed = strides.pop() if len(strides) == 1 else None
        sha256 = fingerprint(digest_bytes(record.dtype, record.values))
        digests[tensor] = Digest(record.dtype, record.shape, agreed, sha256)
    return digests
