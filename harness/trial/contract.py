"""The layout contract as observed: a few phrases for each result of a case, from probes of one call each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import Case, KnownIssue, Observation, TensorRecord
from harness.execution import Laboratory
from harness.generation import ORDINARY, RANKS, Probe, probes
from harness.golden import DENSE, FORMATS, LEVELS, Element, Facts, Law, phrases, spelled_out
from harness.portable.layouts import dense
from harness.trial.known_issues import fatal_cells

CALL: Final = "call"
"""Under this name is kept what the call itself did, where it raised."""

Seen = Mapping[frozenset[str], Observation]
"""What one shape came to, by the tensors that were channels-last."""


@dataclass(frozen=True)
class Observed:
    """The facts of one case in one dtype, and a sentence for each probe that ended its worker."""

    facts: Facts
    deaths: tuple[str, ...] = ()


def levels(laboratory: Laboratory) -> list[str]:
    """The contract's levels that run here, and whose caps hold."""
    return [cell.name for cell in laboratory.cells if cell.name in LEVELS and cell.name not in laboratory.ineffective]


def observed(case: Case, dtype: str, laboratory: Laboratory, known_issues: Sequence[KnownIssue]) -> Observed:
    """What the contract's levels that are here hand back. Probes known to crash or hang at one of them are left out."""
    asked = [
        probe for probe in probes(case, dtype) if not fatal_cells(known_issues, probe.example).intersection(LEVELS)
    ]
    returned = laboratory.outlines(case, [probe.example for probe in asked], cells=levels(laboratory))
    facts: dict[Element, Law] = {}
    deaths = []
    for cell, observations in returned.items():
        for probe, seen in zip(asked, observations, strict=True):
            if seen.status in ("died", "hung"):
                deaths.append(f"the worker {seen.status} at {cell}: {seen.message}: {probe.example.to_json()}")
        facts |= {(tensor, shape, cell): law for tensor, shape, law in _laws(case, asked, observations)}
    return Observed(facts, tuple(deaths))


def _laws(case: Case, asked: Sequence[Probe], observations: Sequence[Observation]) -> Iterator[tuple[str, str, Law]]:
    """The laws of one cell. A shape at which that of ordinary ones holds too gets the same: it says no more."""
    shapes: dict[str, dict[frozenset[str], Observation]] = {}
    for probe, observation in zip(asked, observations, strict=True):
        shapes.setdefault(probe.shape, {})[probe.channels_last] = observation
    ordinary: dict[str, Law] = {}
    for shape, seen in shapes.items():
        for tensor in dict.fromkeys(name for one in seen.values() for name in one.tensors):
            law = _law(case, tensor, seen, ordinary.get(tensor))
            if shape == ORDINARY:
                ordinary[tensor] = law
            yield tensor, shape, law
        if any(one.status == "raised" for one in seen.values()):
            yield CALL, shape, spelled_out({mixture: _end(one) for mixture, one in seen.items()})


def _end(observation: Observation) -> str:
    return f"raises {observation.error}" if observation.status == "raised" else "returns"


def _law(case: Case, tensor: str, seen: Seen, likely: Law | None) -> Law:
    """The first phrase that is true of every mixture; else what was seen."""
    records = {mixture: one.tensors[tensor] for mixture, one in seen.items() if tensor in one.tensors}
    if not any(len(record.shape) in RANKS for record in records.values()):
        dense_ = all(_has_format(record, FORMATS[0]) for record in records.values())
        return Law(DENSE) if dense_ else spelled_out({mixture: _word(record) for mixture, record in records.items()})
    free = [spec.name for spec in case.tensors if spec.channels_last]
    if tensor.startswith("grad:"):
        free.append("grad_output")
    for law in (*([likely] if likely else []), *phrases(free)):
        if all(_has_format(record, law.format(mixture)) for mixture, record in records.items()):
            return law
    return spelled_out({mixture: _word(record) for mixture, record in records.items()})


def _has_format(record: TensorRecord, memory_format: str) -> bool:
    """Whether the strides are exactly those of a new tensor of that format, sizes of 1 and 0 included."""
    return memory_format in FORMATS and record.strides == dense(memory_format, record.shape)


def _word(record: TensorRecord) -> str:
    named = [name for name in FORMATS if _has_format(record, name)]
    return named[0] if named else f"strides {list(record.strides)} of {list(record.shape)}"
