"""What a trial runs, and in which order."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from harness.core import Case, Example
from harness.generation import (
    corner_examples,
    declared_examples,
    has_own_layout,
    is_quickly_judged,
    larger_examples,
    random_examples,
    stratified_examples,
)
from harness.profiles import Profile


@dataclass(frozen=True)
class Plan:
    """The examples of a trial in the order they run, each once, under the first phase that has it.

    `phases` are the names of all phases, those without an example included; `phase_by_json` maps the text of an
    example to its own.
    """

    examples: tuple[Example, ...]
    phases: tuple[str, ...]
    phase_by_json: Mapping[str, str]

    def number(self, example: Example) -> int:
        """The place of one of the examples in their order, from 1."""
        return self._numbers[example.to_json()]

    @cached_property
    def _numbers(self) -> dict[str, int]:
        return {text: number for number, text in enumerate(map(Example.to_json, self.examples), 1)}

    def phase(self, example: Example) -> str:
        """The phase of one of the examples."""
        return self.phase_by_json[example.to_json()]


def make_plan(  # noqa: PLR0913 - all but two by keyword
    case: Case, dtype: str, *, profile: Profile, saved: Sequence[Example], seed: int, arrays: Path | None
) -> Plan:
    """Saved failures, declared examples, corners, then drawn examples, as many as the profile asks for.

    `arrays` is a directory in which covering arrays are kept.
    """
    phases = {"saved": list(saved), "declared": declared_examples(case, dtype)}
    if not profile.saved_only:
        rows = corner_examples(case, dtype, profile.strength, arrays)
        phases["corners"] = _spread_rows(case, rows, profile.rows) if profile.rows else rows
        phases["drawn"] = _drawn_examples(case, dtype, profile, seed)
    planned: dict[str, Example] = {}
    phase_by_json: dict[str, str] = {}
    for phase, examples in phases.items():
        for example in examples:
            planned.setdefault(example.to_json(), example)
            phase_by_json.setdefault(example.to_json(), phase)
    return Plan(tuple(planned.values()), tuple(phases), phase_by_json)


def _drawn_examples(case: Case, dtype: str, profile: Profile, seed: int) -> list[Example]:
    """Stratified examples, and freely drawn ones; where judging costs little, more, and some larger than a grain."""
    is_quick = is_quickly_judged(case)
    stratified = stratified_examples(case, dtype, profile.random * 3 // 5 + (profile.extra if is_quick else 0), seed)
    larger = larger_examples(case, stratified, profile.larger if is_quick else 0)
    return [*stratified, *larger, *random_examples(case, dtype, profile.random - profile.random * 3 // 5, seed)]


def _spread_rows(case: Case, rows: Sequence[Example], most: int) -> list[Example]:
    """At most that many of the rows, evenly over them all: in the first, the simplest, two formats hardly differ.

    Of those that lie as in the contiguous run throughout, which is run with every row, one is enough.
    """
    if len(rows) <= most:
        return list(rows)
    kept = [rows[0], *(row for row in rows[1:] if has_own_layout(case, row))]
    return kept if len(kept) <= most else [kept[index * len(kept) // most] for index in range(most)]
