"""How much a run does. One place for every number; the options of the command line override single fields."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Literal

Tier = Literal["quick", "gate", "nightly"]
TIERS: Final[tuple[Tier, ...]] = ("quick", "gate", "nightly")
"""How early models are run: in every run, in a whole gate, at night."""

SHORT: Final = 80
"""A gate asked for fewer examples an item than this is a short one, in which only the quick models are run."""


@dataclass(frozen=True)
class Profile:
    """How many examples one item (a case in one dtype) runs, and how long it may take.

    `strength` is that of the covering array (2: every pair of corner values); `rows` caps how many of its rows run
    (0: all), and `shares` deals these, and what is drawn, out over the dtypes of a case; `random` is how many are
    drawn, most of them stratified, for a space of few arguments, and more for a larger one if `by_space`; fewer or more
    by what they reach if `follows`; `larger` is about how many have grown beyond a grain; `limit` the CPU seconds one
    example may take in one cell; `attempts` the candidates a shrink may try; `fresh`: a new seed for each run, printed;
    `recalls`: failures saved by earlier runs go first (not in the gate, which is the same every time); `saved_only`:
    nothing but reproducers, saved failures and declared examples; `models` is the largest tier of them that is run.
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
    models: Tier = "quick"
    by_space: bool = False
    larger: int = 0
    follows: bool = True
    shares: bool = False

    def with_examples(self, count: int | None) -> Profile:
        """The same profile with about `count` examples an item: at most half of them from the covering array.

        What is asked for is run in each dtype, and shared by none.
        """
        if count is None or self.saved_only:
            return self
        rows = min(self.rows or count // 2, count // 2)
        short = count < SHORT and self.models == "gate"
        models = "quick" if short else self.models
        return replace(self, rows=rows, random=count - rows, by_space=False, larger=0, models=models, shares=False)

    def includes(self, tier: Tier) -> bool:
        """Whether models of that tier are run."""
        return TIERS.index(tier) <= TIERS.index(self.models)

    def draws(self, declared: int) -> int:
        """How many examples of a model are run where it declares so many for a whole gate."""
        return {"quick": -(-declared // 2), "gate": declared, "nightly": 4 * declared}[self.models]

    def for_refusals(self) -> Profile:
        """The same with few examples.

        They are for a dtype that an operator must refuse before it looks at sizes, for calls with nothing in them, and
        for images without a batch axis, which an operator gives to its kernels as a batch of one.
        """
        rows = min(self.rows or REFUSALS, REFUSALS)
        few = min(self.random, REFUSALS)
        return replace(self, strength=2, rows=rows, random=few, by_space=False, larger=0, follows=False)


REFUSALS: Final = 12
"""Rows, and draws, of an item of which every call must raise."""

PROFILES: Final[dict[str, Profile]] = {
    profile.name: profile
    for profile in (
        Profile("quick", strength=2, rows=30, random=10, limit=5.0, attempts=200),
        Profile(
            "gate",
            strength=2,
            rows=0,
            random=40,
            by_space=True,
            larger=3,
            limit=20.0,
            attempts=400,
            recalls=False,
            models="gate",
            shares=True,
        ),
        Profile(
            "nightly",
            strength=3,
            rows=0,
            random=300,
            by_space=True,
            larger=8,
            limit=30.0,
            attempts=800,
            fresh=True,
            models="nightly",
        ),
        Profile("replay", strength=2, rows=0, random=0, limit=30.0, attempts=400, saved_only=True),
    )
}
