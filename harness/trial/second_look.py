"""A build that is asked again for what another one shows: memory that is not the call's own shows by chance."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

from harness.core import Example
from harness.core.finding import Oracle

Mark = tuple[Oracle, str, str]
"""An oracle, a tensor and a cell: what an example breaks."""

MOST_ASKED_AGAIN: Final = 3
"""So often a build is asked again for what it did not show, before that is taken for granted."""


@dataclass
class SecondLook:
    """Asks a build, by `ask`, for what it did not show and the other one did; a few times for each oracle and tensor.

    What it has once been seen not to show is not asked about again.
    """

    ask: Callable[[Example, Mark], bool]
    _absent: set[tuple[str, str]] = field(default_factory=set, init=False)
    _present: Counter[tuple[str, str]] = field(default_factory=Counter, init=False)

    def shows(self, example: Example, mark: Mark) -> bool:
        """Whether it shows it after all."""
        key = mark[:2]
        if key in self._absent or self._present[key] >= MOST_ASKED_AGAIN:
            return key not in self._absent
        if self.ask(example, mark):
            self._present[key] += 1
            return True
        self._absent.add(key)
        return False
