"""The corpus that records make: the fewest examples of a case that reach all that any of its examples reached."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from harness.core import Example
from harness.golden import CorpusCase, can_be_kept, corpus_entry
from harness.reporting.record import Record
from harness.trial import MOST_KEPT


@dataclass
class _Reached:
    """What the records have of one case: each example with the ways that it was the first to reach in some item."""

    kernels: set[str] = field(default_factory=set)
    ways: dict[str, set[str]] = field(default_factory=dict)
    examples: dict[str, Example] = field(default_factory=dict)


def corpus_of(records: Iterable[Record]) -> Mapping[str, CorpusCase]:
    """The id of each case in the records -> what the corpus keeps of it."""
    cases: dict[str, _Reached] = {}
    for record in records:
        for item in record.operators.values():
            reached = cases.setdefault(item.case, _Reached())
            reached.kernels.update(kernel for kernel in item.novelty.kernels if ":" in kernel)
            for each in item.novelty.reached:
                if can_be_kept(each.example):
                    _add(reached, each.example, each.ways)
    return {case: CorpusCase(tuple(sorted(each.kernels)), _fewest_examples(each)) for case, each in cases.items()}


def _add(reached: _Reached, example: Example, ways: str) -> None:
    """Take the same example in two dtypes for one."""
    key = example.but(dtype="", seed=0).to_json()
    reached.examples.setdefault(key, example)
    reached.ways.setdefault(key, set()).update(ways[at : at + 8] for at in range(0, len(ways), 8))


def _fewest_examples(reached: _Reached) -> tuple[Mapping[str, object], ...]:
    """Greedily the example that adds the most, until nothing is added or there are enough."""
    covered: set[str] = set()
    chosen: list[str] = []
    while len(chosen) < min(MOST_KEPT, len(reached.ways)):
        best = max(reached.ways, key=lambda key: len(reached.ways[key] - covered))
        if not reached.ways[best] - covered:
            break
        covered |= reached.ways[best]
        chosen.append(best)
    return tuple(corpus_entry(reached.examples[key]) for key in chosen)
