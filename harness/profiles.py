"""How much a run does. One place for every number; the options of the command line override single fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final


@dataclass(frozen=True)
class Profile:
    """How many examples one item (a case in one dtype) runs, and how long it may take.

    `strength` is that of the covering array (2: every pair of corner values); `rows` caps how many of its rows run
    (0: all); `random` is the number of examples Hypothesis draws; `limit` the seconds one example may take in one
    cell; `attempts` the candidates a shrink may try; `fresh`: a new seed for each run, printed;
    `recalls`: failures saved by earlier runs go first (not in the gate, which is the same every time); `saved_only`:
    nothing but witnesses, saved failures and declared examples; `networks`: also those declared for the nightly
    profile.
    """

    name: str
    strength: int
    rows: int
    random: int
    limit: float
    attempts: int
    fresh: bool = False
    recalls: bool = True
    saved_only: bool = False
    networks: bool = False

    def with_examples(self, count: int | None) -> Profile:
        """The same profile with about `count` examples an item: at most half of them from the covering array."""
        if count is None or self.saved_only:
            return self
        rows = min(self.rows or count // 2, count // 2)
        return replace(self, rows=rows, random=count - rows)

    def for_refusals(self) -> Profile:
        """The same profile with few examples, for a dtype that an operator must refuse before it looks at sizes."""
        rows = min(self.rows or REFUSALS, REFUSALS)
        return replace(self, strength=2, rows=rows, random=min(self.random, REFUSALS))


REFUSALS: Final = 12
"""Rows, and draws, of an item of which every call must raise."""

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("quick", strength=2, rows=30, random=10, limit=5.0, attempts=200),
        Profile("gate", strength=2, rows=0, random=40, limit=20.0, attempts=400, recalls=False),
        Profile("nightly", strength=3, rows=0, random=400, limit=30.0, attempts=800, fresh=True, networks=True),
        Profile("replay", strength=2, rows=0, random=0, limit=30.0, attempts=400, saved_only=True),
    )
}
