"""Snapshots: what must come out of them bit for bit, in every cell, both layouts and the reference."""

from __future__ import annotations

import enum
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import Case, Example, KnownIssue, Observation, TensorRecord
from harness.core.finding import Oracle
from harness.execution import Executor, Result
from harness.golden import LEVELS, Digest, Snapshot, describe_misfit, fingerprint
from harness.portable.tensor_name import TensorKind, TensorName
from harness.trial.digest import digest_bytes
from harness.trial.known_issues import fatal_cells

_REFERENCE: Final = "reference"
_CALL: Final = str(TensorName(TensorKind.CALL))


class Aspect(enum.Enum):
    """In what a tensor differs from its snapshot; the value is the word in the message."""

    EXAMPLE = "example"
    """It is no example of its case any more, so that there is nothing to compare."""
    CALL = "call"
    """The call did not return."""
    PRESENCE = "presence"
    """The snapshot has the tensor and the call does not, or the other way round."""
    DTYPE = "dtype"
    SHAPE = "shape"
    STRIDES = "strides"
    BYTES = "bytes"
    """The numbers, which are the same in every release of PyTorch."""


VALUE_ASPECTS: Final = (Aspect.EXAMPLE, Aspect.BYTES)
"""What does not depend on the release of PyTorch."""

_ACCEPTED_ASPECTS: Final[dict[Oracle, tuple[Aspect, ...]]] = {
    "values": (Aspect.BYTES,),
    "repeat": (Aspect.BYTES,),
    "range": (Aspect.BYTES,),
    "strides": (Aspect.STRIDES,),
    "shape": (Aspect.SHAPE, Aspect.PRESENCE),
    "dtype": (Aspect.DTYPE,),
    "written": (),
    "error": (Aspect.CALL,),
    "crash": (Aspect.CALL,),
    "hang": (Aspect.CALL,),
}
"""In what a snapshot may differ where that property of the tensor is known to be broken."""


@dataclass(frozen=True)
class Difference:
    """One tensor of one run that is otherwise than in the snapshot. `where` is the run: a cell and layout."""

    aspect: Aspect
    where: str
    tensor: str
    message: str


def compare_snapshots(
    case: Case,
    snapshots: Sequence[Snapshot],
    executor: Executor,
    known_issues: Sequence[KnownIssue],
) -> Iterator[tuple[Snapshot, Aspect, str]]:
    """Each snapshot that gives something else now, with aspect and sentence for each tensor that differs.

    What a known issue is about is left out. Raises nothing for what a kernel does. A snapshot that is no example of its
    case any more says so.
    """
    for snapshot in snapshots:
        if problem := describe_misfit(case, snapshot.example):
            yield snapshot, Aspect.EXAMPLE, f"it is no example of {case.name} any more: {problem}"
            continue
        excusing = [known_issue for known_issue in known_issues if excuses(known_issue, snapshot.example)]
        cells = _safe_cells(executor, snapshot.example, known_issues)
        for result in executor.run(case, [snapshot.example], cells=cells) if cells else ():
            differences = [*_reference_differences(snapshot, result), *_cell_differences(snapshot, result, excusing)]
            yield from ((snapshot, aspect, sentence) for aspect, sentence in _sentences(differences))


def excuses(known_issue: KnownIssue, example: Example) -> bool:
    """Whether the known issue excuses something of the example. A wider bound does not: what is exact stays exact."""
    return not known_issue.accumulates_in and known_issue.holds(example)


def _safe_cells(executor: Executor, example: Example, known_issues: Sequence[KnownIssue]) -> list[str]:
    """The cells in which the example is not known to crash or hang."""
    fatal = fatal_cells(known_issues, example)
    return [cell.name for cell in executor.cells if cell.name not in fatal]


def _sentences(differences: Sequence[Difference]) -> Iterator[tuple[Aspect, str]]:
    """One sentence for each tensor and kind of difference, with the runs that show it."""
    runs: dict[tuple[Aspect, str], list[str]] = {}
    for difference in differences:
        message = f"{difference.tensor}: {difference.message}"
        runs.setdefault((difference.aspect, message), []).append(difference.where)
    for (aspect, message), places in runs.items():
        yield aspect, f"{message} ({', '.join(places)})"


def _reference_differences(snapshot: Snapshot, result: Result) -> Iterator[Difference]:
    reference = result.reference
    if reference.status != "ok":
        yield Difference(Aspect.CALL, _REFERENCE, _CALL, f"{reference.status} {reference.error}".strip())
        return
    for tensor, digest in snapshot.results.items():
        values = reference.values.get(tensor)
        if values is None:
            yield Difference(Aspect.PRESENCE, _REFERENCE, tensor, "is missing")
        elif (sha256 := fingerprint(digest_bytes(digest.dtype, values))) != digest.sha256:
            yield Difference(Aspect.BYTES, _REFERENCE, tensor, _change(Aspect.BYTES, digest.sha256, sha256))
    for tensor in reference.values:
        if tensor not in snapshot.results:
            yield Difference(Aspect.PRESENCE, _REFERENCE, tensor, "is not in the snapshot")


def _cell_differences(snapshot: Snapshot, result: Result, excusing: Sequence[KnownIssue]) -> Iterator[Difference]:
    """What differs in the cells, and no known issue accepts: of one tensor it says nothing about the others."""
    for observation in result.observations:
        entries = [known_issue for known_issue in excusing if known_issue.covers(observation.cell)]
        yield from (
            difference
            for difference in _observation_differences(snapshot, observation)
            if not any(_accepts(entry, difference) for entry in entries)
        )


def _accepts(known_issue: KnownIssue, difference: Difference) -> bool:
    """Whether the known issue, of the same cell and example, is about that tensor in that aspect."""
    return difference.aspect in _ACCEPTED_ASPECTS[known_issue.oracle] and known_issue.names(difference.tensor)


def _observation_differences(snapshot: Snapshot, observation: Observation) -> Iterator[Difference]:
    where = f"{observation.cell}, {observation.layout}"
    if observation.status != "ok":
        yield Difference(Aspect.CALL, where, _CALL, f"{observation.status} {observation.error}".strip())
    for tensor, digest in snapshot.results.items():
        record = observation.tensors.get(tensor)
        if record is None and observation.status != "ok":
            continue
        if record is None:
            yield Difference(Aspect.PRESENCE, where, tensor, "is missing")
            continue
        for aspect, before, now in _aspects(digest, record, observation):
            if before != now:
                yield Difference(aspect, where, tensor, _change(aspect, before, now))


def _aspects(digest: Digest, record: TensorRecord, observation: Observation) -> Iterator[tuple[Aspect, object, object]]:
    """What is compared of one tensor: the aspect, what the snapshot has and what came out."""
    yield Aspect.DTYPE, digest.dtype, record.dtype
    yield Aspect.SHAPE, list(digest.shape), list(record.shape)
    if observation.layout == "drawn" and observation.cell in LEVELS and digest.strides is not None:
        yield Aspect.STRIDES, list(digest.strides), list(record.strides)
    if (record.dtype, record.shape) == (digest.dtype, digest.shape):
        yield Aspect.BYTES, digest.sha256, fingerprint(digest_bytes(record.dtype, record.values))


def _change(aspect: Aspect, before: object, now: object) -> str:
    return f"{aspect.value}: was: {before}; now: {now}"
