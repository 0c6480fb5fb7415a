"""What a trial runs, and in which order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.core import Case, Example
from harness.core.case import RARE_PATHS
from harness.generation import (
    corner_examples,
    declared_examples,
    has_own_layout,
    larger_examples,
    space_bits,
    stratified_examples,
    sums_products,
)
from harness.golden import CorpusCase
from harness.portable.dtypes import kernel_class
from harness.profiles import Profile
from harness.trial.guide import DRAWN, Guide
from harness.trial.judged_result import JudgedResult

USUAL_BITS: Final = 8.0
"""Of the space of an operator with an image and hardly an argument, such as relu: what a profile's number is of."""

LEAST_SHARE: Final = 24
"""Rows of a covering array that an item runs at least where dtypes share them. With so many, evenly from all over the
array, and seed 0, the conditions of every known fault but one that were true of some planned example still were."""


@dataclass
class Plan:
    """The examples of a trial in the order they are to run, each once, under the first phase that has it.

    `phases` are the names of all phases, those without an example included.
    """

    examples: list[Example] = field(default_factory=list)
    phases: list[str] = field(default_factory=list)
    _phase_by_json: dict[str, str] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)

    def add(self, phase: str, examples: Iterable[Example]) -> list[Example]:
        """Plan these as well, and return those that were not planned before."""
        if phase not in self.phases:
            self.phases.append(phase)
        added = []
        for example in examples:
            if (text := example.to_json()) not in self._numbers:
                self.examples.append(example)
                self._phase_by_json[text] = phase
                self._numbers[text] = len(self.examples)
                added.append(example)
        return added

    def number(self, example: Example) -> int:
        """The place of one of the examples in their order, from 1."""
        return self._numbers[example.to_json()]

    def phase(self, example: Example) -> str:
        """The phase of one of the examples."""
        return self._phase_by_json[example.to_json()]


def make_plan(  # noqa: PLR0913 - all but two by keyword
    case: Case,
    dtype: str,
    *,
    profile: Profile,
    saved: Sequence[Example],
    corpus: CorpusCase,
    seed: int,
    arrays: Path | None,
) -> GuidedPlan:
    """Saved failures, the corpus, declared examples, corners, then drawn ones, as many as the profile asks for.

    Of the corpus no more are taken than half of what is usually drawn: what reached the most stands first in it. Dtypes
    that run the same code take turns with it, except where oneDNN ran.
    `arrays` is a directory in which covering arrays are kept.
    """
    usual = 0 if profile.saved_only else _usual_count(case, dtype, profile)
    alike = _alike_dtypes(case, dtype) if profile.shares else [dtype]
    guide = Guide(case, dtype, usual, seed, profile.follows, len(alike))
    turn, turns = (0, 1) if corpus.kernels else (alike.index(dtype), len(alike))
    plan = Plan()
    plan.add("saved", saved)
    plan.add("corpus", corpus.examples_in(case, dtype)[: usual // 2][turn::turns])
    plan.add("declared", declared_examples(case, dtype))
    if not profile.saved_only:
        plan.add("corners", _corner_rows(case, dtype, profile, arrays))
        plan.add(DRAWN, _stratified_examples(guide, profile))
        plan.add(DRAWN, guide.first_examples())
    return GuidedPlan(plan, guide)


@dataclass
class GuidedPlan:
    """What is planned, and the guide that goes on from there."""

    plan: Plan
    guide: Guide

    def judge_examples(
        self, judge: Callable[[Sequence[Example]], Iterator[JudgedResult]], may_go_on: Callable[[], bool]
    ) -> Iterator[JudgedResult]:
        """Judge what is planned, then, while that may go on, what the guide plans by what those examples reached."""
        batch = list(self.plan.examples)
        while batch:
            for judged in judge(batch):
                self.guide.note(judged)
                yield judged
            following = self.guide.next_examples() if may_go_on() else {}
            batch = [example for phase, examples in following.items() for example in self.plan.add(phase, examples)]


def _usual_count(case: Case, dtype: str, profile: Profile) -> int:
    """How many examples are usually drawn: in proportion to the bits of the case's space, where the profile says so.

    A corner in which one more size or choice has to have one of two values is half as likely, and a fault of a kernel
    needs more of them the more its operator has.
    """
    if not profile.by_space:
        return profile.random
    return max(1, round(profile.random * space_bits(case, dtype) / USUAL_BITS))


def _alike_dtypes(case: Case, dtype: str) -> list[str]:
    """The dtypes of the case that run the same code of a kernel as that one, itself among them."""
    alike = [other for other in case.dtypes if kernel_class(other) == kernel_class(dtype)]
    return alike if dtype in alike else [dtype]  # one that must be refused is none of the case


def _stratified_examples(guide: Guide, profile: Profile) -> list[Example]:
    """Stratified examples, and some larger than a grain: one less where products are summed, which takes long."""
    case = guide.case
    stratified = stratified_examples(case, guide.dtype, guide.stratified_count, guide.seed)
    most = max(0, profile.larger - 1) if sums_products(case) else profile.larger
    return [*stratified, *larger_examples(case, stratified, most)]


def _corner_rows(case: Case, dtype: str, profile: Profile, arrays: Path | None) -> list[Example]:
    """The rows of the covering array that an item runs: all, as many as the profile says, or its dtype's share.

    Where the dtypes of a case share them each row is run in one of them, and in more where a share would be small. A
    row that costs seconds is of one dtype anyhow, and is left out where the profile says how many there are.
    """
    every = corner_examples(case, dtype, profile.strength, arrays)
    rows = [row for row in every if row.path not in RARE_PATHS]
    if profile.rows:
        return _spread_rows(case, rows, profile.rows)
    if not profile.shares or len(rows) <= LEAST_SHARE:
        return every
    turn, dtypes = case.dtypes.index(dtype), len(case.dtypes)
    share = rows[turn::dtypes]
    if len(share) < LEAST_SHARE:
        others = [row for index, row in enumerate(rows) if index % dtypes != turn]
        share += _spread_rows(case, others, LEAST_SHARE - len(share))
    costly = [row for row in every if row.path in RARE_PATHS]
    return [*share, *_missing_empty_rows(case, rows, share), *costly]


def _spread_rows(case: Case, rows: Sequence[Example], most: int) -> list[Example]:
    """At most that many of the rows, evenly over them all: in the first, the simplest, two formats hardly differ.

    Of those that lie as in the contiguous run throughout, which is run with every row, one is enough. Each size that
    may be 0 is so in one of them: there are few such rows, and most of what is drawn has other sizes.
    """
    if len(rows) <= most:
        return list(rows)
    kept = [rows[0], *(row for row in rows[1:] if has_own_layout(case, row))]
    spread = kept if len(kept) <= most else [kept[index * len(kept) // most] for index in range(most)]
    empty = _missing_empty_rows(case, rows, spread)
    return [*spread[: max(1, most - len(empty))], *empty][:most]


def _missing_empty_rows(case: Case, rows: Sequence[Example], spread: Sequence[Example]) -> list[Example]:
    """For each size that may be 0, and is so in no row of `spread`, the first row in which it is."""
    names = [size.name for size in case.sizes if size.empty and all(row.sizes[size.name] != 0 for row in spread)]
    first = (next((row for row in rows if row.sizes[name] == 0), None) for name in names)
    return [row for row in first if row is not None]
