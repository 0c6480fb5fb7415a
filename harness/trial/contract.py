"""The layout contract as observed: a layout rule for each result of a case, from probes of one call each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from harness.core import Case, KnownIssue, Observation, TensorRecord
from harness.execution import Executor
from harness.generation import ORDINARY, LayoutProbe, layout_probes
from harness.golden import (
    LEVELS,
    Element,
    Facts,
    FormatCombination,
    LayoutRule,
    RuleKind,
    candidate_rules,
    spell_out,
)
from harness.portable.layouts import loaded_strides
from harness.portable.memory_format import CHANNELS_LAST_RANKS, MEMORY_FORMATS, dense_strides
from harness.portable.tensor_name import TensorKind, TensorName, kind_of, parse
from harness.trial.known_issues import fatal_cells

_CALL = str(TensorName(TensorKind.CALL))
"""Under this name is kept what the call itself did, where it raised."""

ByCombination = Mapping[FormatCombination, Observation]
"""What one shape came to, by the tensors that were channels-last."""


@dataclass(frozen=True)
class LayoutFacts:
    """The facts of one case in one dtype, and a sentence for each probe that ended its worker."""

    facts: Facts
    deaths: tuple[str, ...] = ()


def contract_levels(executor: Executor) -> list[str]:
    """The contract's levels that run here, and whose caps hold."""
    return [cell.name for cell in executor.cells if cell.name in LEVELS and cell.name not in executor.ineffective]


def observe_layouts(case: Case, dtype: str, executor: Executor, known_issues: Sequence[KnownIssue]) -> LayoutFacts:
    """What the contract's levels that are here hand back. Probes known to crash or hang at one of them are left out."""
    probes = [
        probe
        for probe in layout_probes(case, dtype)
        if not fatal_cells(known_issues, probe.example).intersection(LEVELS)
    ]
    by_cell = executor.metadata(case, [probe.example for probe in probes], cells=contract_levels(executor))
    facts: dict[Element, LayoutRule] = {}
    deaths = []
    for cell, observations in by_cell.items():
        for probe, observation in zip(probes, observations, strict=True):
            if observation.status in ("died", "hung"):
                end = f"the worker {observation.status} at {cell}: {observation.message}"
                deaths.append(f"{end}: {probe.example.to_json()}")
        facts |= {(tensor, shape, cell): rule for tensor, shape, rule in _layout_rules(case, probes, observations)}
    return LayoutFacts(facts, tuple(deaths))


def _layout_rules(
    case: Case, probes: Sequence[LayoutProbe], observations: Sequence[Observation]
) -> Iterator[tuple[str, str, LayoutRule]]:
    """Tensor, shape and rule of one cell. A shape of which the rule of ordinary ones is true gets the same one."""
    shapes: dict[str, dict[FormatCombination, Observation]] = {}
    for probe, observation in zip(probes, observations, strict=True):
        shapes.setdefault(probe.shape, {})[probe.channels_last] = observation
    ordinary: dict[str, LayoutRule] = {}
    for shape, by_combination in shapes.items():
        tensors = dict.fromkeys(name for observation in by_combination.values() for name in observation.tensors)
        for tensor in tensors:
            rule = _layout_rule(case, tensor, by_combination, ordinary.get(tensor))
            if shape == ORDINARY:
                ordinary[tensor] = rule
            yield tensor, shape, rule
        if any(observation.status == "raised" for observation in by_combination.values()):
            ends = {combination: _end(observation) for combination, observation in by_combination.items()}
            yield _CALL, shape, spell_out(ends, RuleKind.RAISES)


def _end(observation: Observation) -> str:
    return f"raises {observation.error}" if observation.status == "raised" else "returns"


def _layout_rule(case: Case, tensor: str, observations: ByCombination, likely: LayoutRule | None) -> LayoutRule:
    """The first rule that is true of every combination; else what was observed of each."""
    records = {
        combination: observation.tensors[tensor]
        for combination, observation in observations.items()
        if tensor in observation.tensors
    }
    unbatched = _is_unbatched(case, tensor)
    if unbatched or any(len(record.shape) in CHANNELS_LAST_RANKS for record in records.values()):
        first = [likely] if likely and likely.kind is not RuleKind.DENSE else []  # said of ranks with one format only
        rules = [*first, *candidate_rules(_free_tensors(case, tensor))]
    else:
        rules = [LayoutRule(RuleKind.DENSE)]
    for rule in rules:
        if all(_is_true_of(rule, combination, record, unbatched) for combination, record in records.items()):
            return rule
    return spell_out({combination: _format_text(record, unbatched) for combination, record in records.items()})


def _is_unbatched(case: Case, tensor: str) -> bool:
    """Whether it is an image or a volume without a batch axis, of which channels-last is how it would be loaded."""
    name = parse(tensor)
    by_name = {spec.name: spec.unbatched for spec in case.tensors}
    return by_name.get(name.of, False) if name.kind is TensorKind.GRADIENT else case.has_unbatched_results


def _free_tensors(case: Case, tensor: str) -> list[str]:
    """What the format of that result may follow: the tensors that have one, for a gradient ``grad_output`` too."""
    free = [spec.name for spec in case.tensors if spec.last_layout]
    return [*free, "grad_output"] if kind_of(tensor) is TensorKind.GRADIENT else free


def _is_true_of(rule: LayoutRule, combination: FormatCombination, record: TensorRecord, unbatched: bool) -> bool:
    memory_format = MEMORY_FORMATS[0] if rule.kind is RuleKind.DENSE else rule.format_of(combination)
    return _has_format(record, memory_format, unbatched)


def _has_format(record: TensorRecord, memory_format: str, unbatched: bool) -> bool:
    """Whether the strides are exactly those of a new tensor of that format, sizes of 1 and 0 included."""
    if unbatched and memory_format == MEMORY_FORMATS[1]:
        return record.strides == loaded_strides(record.shape)
    return memory_format in MEMORY_FORMATS and record.strides == dense_strides(memory_format, record.shape)


def _format_text(record: TensorRecord, unbatched: bool) -> str:
    formats = [name for name in MEMORY_FORMATS if _has_format(record, name, unbatched)]
    return formats[0] if formats else f"strides {list(record.strides)} of {list(record.shape)}"
