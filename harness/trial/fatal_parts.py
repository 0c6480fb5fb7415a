"""The parts of a call: which of them a known crash or hang is about, and what the others come to without them.

A part is the call itself, or the gradient of one tensor. Which part ends the worker is learnt from the reproducer of
the known issue, part by part, each in a fork whose death costs nothing; the others then run, in forks too, and are
judged as always.
"""

from __future__ import annotations

import functools
import operator
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from harness.core import Case, Example, KnownIssue, Observation
from harness.execution import Executor, Result
from harness.generation import resolve_example
from harness.golden import complete_layouts
from harness.portable.dtypes import is_differentiable
from harness.trial.known_issues import fatal_known_issues

LOST: Final = ("died", "hung")

MOST_ATTEMPTS: Final = 3
"""From so many examples is learnt what a known issue is about, where its reproducer is of another case."""

REPEATS: Final = 24
"""How often a part runs that does not end its worker at once; one call in ten shows with probability 0.92."""

HASTE: Final = 10
"""What hangs is known to: a part whose end is looked for gets this part of the time limit."""


@dataclass(frozen=True)
class FatalParts:
    """What ends the worker: the call itself (`forward`), or the gradients of these tensors. False: nothing."""

    forward: bool = False
    gradients: frozenset[str] = frozenset()

    def __bool__(self) -> bool:
        return self.forward or bool(self.gradients)

    def __or__(self, other: FatalParts) -> FatalParts:
        return FatalParts(self.forward or other.forward, self.gradients | other.gradients)

    def __str__(self) -> str:
        """What they are called in a sentence."""
        gradients = [f"the gradient of {name}" for name in sorted(self.gradients)]
        return " and ".join([*(["the call itself"] if self.forward else []), *gradients]) or "something else"


@dataclass
class PartwiseRunner:
    """Runs examples where a known issue says that they crash or hang, without the part that does.

    Nothing runs there where it is not known which part that is, where it is the call itself, and in pytest's own
    process. `notes` are sentences about parts that ended a worker and were not known to; the known issue accepts them.
    """

    case: Case
    executor: Executor
    known_issues: Sequence[KnownIssue]
    notes: list[str] = field(default_factory=list)
    _parts: dict[str, FatalParts] = field(default_factory=dict, init=False)
    _attempts: Counter[str] = field(default_factory=Counter, init=False)

    def issues(self, example: Example, cell: str) -> list[KnownIssue]:
        """The known issues by which the example crashes or hangs in that cell."""
        return [issue for issue in fatal_known_issues(self.known_issues, example) if issue.covers(cell)]

    def fatal_cells(self, example: Example) -> list[str]:
        """The cells here in which it does."""
        return [cell.name for cell in self.executor.cells if self.issues(example, cell.name)]

    def add_observations(self, result: Result) -> Result:
        """The result, with observations of the cells in which its example must not be run as a whole, or died of it."""
        answering = {observation.cell for observation in result.observations if observation.status not in LOST}
        cells = [cell for cell in self.fatal_cells(result.example) if cell not in answering]
        observations = self.observe(result.example, cells)
        return replace(result, observations=(*result.observations, *observations))

    def run(self, example: Example, cells: Iterable[str], *, repeats: int = 1) -> Result | None:
        """The result in cells in which the example must not be run as a whole; None where no part of it can be.

        The reference runs in a fork as well: it may die of the same.
        """
        cells_by_parts = self._cells_by_parts(example, cells)
        if not cells_by_parts:
            return None
        reference = self.executor.send_isolated(self.case, example, cells=())
        observations = self._observe_by_parts(example, cells_by_parts, repeats)
        result = reference()
        if not observations or result.reference.status in LOST:
            return None
        return replace(result, observations=observations)

    def observe(self, example: Example, cells: Iterable[str], *, repeats: int = 1) -> tuple[Observation, ...]:
        """Both observations of each of these cells in which a part of the example can be run."""
        return self._observe_by_parts(example, self._cells_by_parts(example, cells), repeats)

    def _observe_by_parts(
        self, example: Example, cells_by_parts: Mapping[frozenset[str], Collection[str]], repeats: int
    ) -> tuple[Observation, ...]:
        observations: list[Observation] = []
        for without, alike in cells_by_parts.items():
            for observation in self._observe(example, alike, without, repeats=repeats):
                if observation.status not in LOST:
                    observations.append(observation)
                elif observation.layout == "drawn" and self._learn_from_death(example, observation.cell):
                    observations += self.observe(example, [observation.cell], repeats=repeats)
        return tuple(observations)

    def _cells_by_parts(self, example: Example, cells: Iterable[str]) -> dict[frozenset[str], list[str]]:
        """The cells in which the example can be run without the gradients of some tensors, by these."""
        cells_by_parts: dict[frozenset[str], list[str]] = {}
        for cell in cells if self.executor.is_isolating else ():
            parts = [self._parts_of(issue, example, cell) for issue in self.issues(example, cell)]
            together = functools.reduce(operator.or_, parts, FatalParts())
            if all(parts) and not together.forward:
                cells_by_parts.setdefault(together.gradients & self._gradients(example), []).append(cell)
        return cells_by_parts

    def _parts_of(self, issue: KnownIssue, example: Example, cell: str) -> FatalParts:
        """What the known issue is about, learnt from its reproducer, or, where that is of another case, from examples.

        Nothing where that could not be learnt.
        """
        is_own = issue.reproducer.case == self.case.id
        if not self._parts.get(issue.name) and self._attempts[issue.name] < (1 if is_own else MOST_ATTEMPTS):
            self._attempts[issue.name] += 1
            shown_by = complete_layouts(self.case, issue.reproducer) if is_own else example
            parts = self._parts_that_die(shown_by, cell, 1) or self._parts_that_die(shown_by, cell, REPEATS)
            self._parts[issue.name] = parts
        return self._parts[issue.name]

    def _learn_from_death(self, example: Example, cell: str) -> bool:
        """Whether something is learnt from parts that ended a worker together, though none was known to."""
        parts = self._parts_that_die(example, cell, 1) if self._gradients(example) else FatalParts()
        is_new = False
        for issue in self.issues(example, cell):
            note = f"known issue {issue.name}: {parts} ends the worker too"
            if not any(earlier.startswith(note) for earlier in self.notes):
                self.notes.append(f"{note}: {example.to_json()}")
            is_new |= parts | self._parts[issue.name] != self._parts[issue.name]
            self._parts[issue.name] |= parts
        return is_new

    def _parts_that_die(self, example: Example, cell: str, repeats: int) -> FatalParts:
        """Which parts of the example end a worker of that cell, each run by itself."""
        own = self._gradients(example)
        if self._dies(example, cell, own, repeats):
            return FatalParts(forward=True)
        return FatalParts(gradients=frozenset(name for name in own if self._dies(example, cell, own - {name}, repeats)))

    def _dies(self, example: Example, cell: str, without: Collection[str], repeats: int) -> bool:
        limit = max(self.executor.limit / HASTE, 1.0)
        observations = self._observe(example, [cell], without, repeats=repeats, limit=limit)
        return any(observation.status in LOST for observation in observations)

    def _observe(
        self,
        example: Example,
        cells: Collection[str],
        without: Collection[str],
        *,
        repeats: int,
        limit: float | None = None,
    ) -> tuple[Observation, ...]:
        return self.executor.observe_isolated(
            self.case, example, cells=cells, without=sorted(without), repeats=repeats, limit=limit
        )

    def _gradients(self, example: Example) -> frozenset[str]:
        """The tensors of which the example asks for a gradient."""
        tensors = resolve_example(self.case, example).tensors if example.path == "plain" else ()
        present = [tensor for tensor in tensors if tensor.shape is not None]
        return frozenset(tensor.name for tensor in present if tensor.gradient and is_differentiable(tensor.dtype))
