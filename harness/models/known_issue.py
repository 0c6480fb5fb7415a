"""A finding about models that is known and accepted for now."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core import Acceptance, matches
from harness.models.model import ModelExample


@dataclass(frozen=True, kw_only=True)
class ModelKnownIssue(Acceptance):
    """One entry of `golden/models.yaml`: a finding about models that is known and accepted for now.

    It matches a finding of that oracle whose tensor is one of `tensors` (patterns), in an item (a pattern such as
    ``eval-*``) of a model of `models` (ids, patterns too), for an example of which `when` is true. `cells` are
    patterns as well. The models themselves are its reproducer: an entry that accepts nothing in an item where its
    condition held is stale.
    """

    models: tuple[str, ...]
    items: tuple[str, ...]

    def holds(self, example: ModelExample) -> bool:
        """Whether the example is of one of its items, and the condition is true of it."""
        return matches(str(example.way), self.items) and self.is_true_of({**example.sizes, "threads": example.threads})
