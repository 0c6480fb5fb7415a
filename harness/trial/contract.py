"""The layout contract as observed: a few phrases for each result of a case, from probes of one call each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import Case, KnownIssue, Observation, TensorRecord
from harness.execution import Executor
from harness.generation import ORDINARY, LayoutProbe, layout_probes
from harness.golden import DENSE, FORMATS, LEVELS, Element, Facts, LayoutRule, phrases, spelled_out
from harness.portable.memory_format import CHANNELS_LAST_RANKS, dense_strides
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


def levels(executor: Executor) -> list[str]:
    """The contract's levels that run here, and whose caps hold."""
    return [cell.name for cell in executor.cells if cell.name in LEVELS and cell.name not in executor.ineffective]


def observed(case: Case, dtype: str, executor: Executor, known_issues: Sequence[KnownIssue]) -> Observed:
    """What the contract's levels that are here hand back. Probes known to crash or hang at one of them are left out."""
    asked = [
        probe
        for probe in layout_probes(case, dtype)
        if not fatal_cells(known_issues, probe.example).intersection(LEVELS)
    ]
    returned = executor.metadata(case, [probe.example for probe in asked], cells=levels(executor))
    facts: dict[Element, LayoutRule] = {}
    deaths = []
    for cell, observations in returned.items():
        for probe, seen in zip(asked, observations, strict=True):
            if seen.status in ("died", "hung"):
                deaths.append(f"the worker {seen.status} at {cell}: {seen.message}: {probe.example.to_json()}")
        facts |= {(tensor, shape, cell): layout_rule for tensor, shape, layout_rule in _laws(case, asked, observations)}
    return Observed(facts, tuple(deaths))


def _laws(
    case: Case, asked: Sequence[LayoutProbe], observations: Sequence[Observation]
) -> Iterator[tuple[str, str, LayoutRule]]:
    """The laws of one cell. A shape at which that of ordinary ones holds too gets the same: it says no more."""
    shapes: dict[str, dict[frozenset[str], Observation]] = {}
    for probe, observation in zip(asked, observations, strict=True):
        shapes.setdefault(probe.shape, {})[probe.channels_last] = observation
    ordinary: dict[str, LayoutRule] = {}
    for shape, seen in shapes.items():
        for tensor in dict.fromkeys(name for one in seen.values() for name in one.tensors):
            layout_rule = _law(case, tensor, seen, ordinary.get(tensor))
            if shape == ORDINARY:
                ordinary[tensor] = layout_rule
            yield tensor, shape, layout_rule
        if any(one.status == "raised" for one in seen.values()):
            yield CALL, shape, spelled_out({combination: _end(one) for combination, one in seen.items()})


def _end(observation: Observation) -> str:
    return f"raises {observation.error}" if observation.status == "raised" else "returns"


def _law(case: Case, tensor: str, seen: Seen, likely: LayoutRule | None) -> LayoutRule:
    """The first phrase that is true of every mixture; else what was seen."""
    records = {combination: one.tensors[tensor] for combination, one in seen.items() if tensor in one.tensors}
    if not any(len(record.shape) in CHANNELS_LAST_RANKS for record in records.values()):
        dense_ = all(_has_format(record, FORMATS[0]) for record in records.values())
        return (
            LayoutRule(DENSE)
            if dense_
            else spelled_out({combination: _word(record) for combination, record in records.items()})
        )
    free = [spec.name for spec in case.tensors if spec.channels_last]
    if tensor.startswith("grad:"):
        free.append("grad_output")
    for layout_rule in (*([likely] if likely else []), *phrases(free)):
        if all(_has_format(record, layout_rule.format(combination)) for combination, record in records.items()):
            return layout_rule
    return spelled_out({combination: _word(record) for combination, record in records.items()})


def _has_format(record: TensorRecord, memory_format: str) -> bool:
    """Whether the strides are exactly those of a new tensor of that format, sizes of 1 and 0 included."""
    return memory_format in FORMATS and record.strides == dense_strides(memory_format, record.shape)


def _word(record: TensorRecord) -> str:
    named = [name for name in FORMATS if _has_format(record, name)]
    return named[0] if named else f"strides {list(record.strides)} of {list(record.shape)}"
