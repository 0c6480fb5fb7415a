"""An item that runs the operator of a mutant."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from harness.core import Case, KnownIssue
from harness.golden import CorpusCase


@dataclass(frozen=True)
class MutantItem:
    """A case in one dtype that runs the operator of a mutant, and what is known of it.

    `name` is ``relu[float32]``, `seed` that of its drawn examples in a gate, `corpus` what a gate runs first.
    """

    name: str
    case: Case
    dtype: str
    known_issues: Sequence[KnownIssue]
    seed: int
    corpus: CorpusCase = field(default_factory=CorpusCase)
