"""The guide: which examples a trial draws next, and when it has seen enough, by what those before have reached."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import count, islice
from operator import itemgetter
from typing import Final

from harness.core import Case, Example
from harness.generation import ExampleSource, has_own_layout, is_within_budget, neighbours
from harness.trial.judged_result import JudgedResult
from harness.trial.ways import ATEN, formats_of, kernels_of, traits_of, ways

STRATIFIED: Final = 3
"""Fifths of the examples that a profile has for a case which are stratified, and do not follow from anything."""

MOST_SHARE: Final = 1.5
"""Of the examples that a profile has for a case: drawn where something new goes on coming."""

BATCH_SHARE: Final = 0.25
"""So much of them is drawn before it is seen what they reached."""

NEWS_SHARE: Final = 0.1
"""Where less than this of the last half of a profile's examples reached something new, a case has come to its end."""

MOST_KEPT: Final = 16
"""Examples of an item of which it is kept what they reached, and of a case in the corpus, of which each runs in every
dtype."""

RECENT: Final = 100
"""Examples of which a record says how many reached something new."""

VARIED: Final = "varied"
DRAWN: Final = "drawn"


@dataclass(frozen=True)
class Novelty:
    """What a trial reached: the kernels, the number of ways, and the examples that were the first to reach one.

    `corpus_kernels` are those of oneDNN that the corpus has of the case, in any of its dtypes.
    `recently_new` of the last `recent` examples reached something new.
    """

    kernels: tuple[str, ...] = ()
    corpus_kernels: tuple[str, ...] = ()
    ways: int = 0
    recent: int = 0
    recently_new: int = 0
    reached: tuple[Reached, ...] = ()


@dataclass(frozen=True)
class Reached:
    """An example that reached what its case had not: the kernels that it ran, and the ways that were new."""

    example: Example
    kernels: frozenset[str]
    ways: frozenset[str]


@dataclass
class Guide:
    """Draws examples, and varies by one step those that reached something new, until nothing new comes.

    `usual` is how many examples an item is given; from four fifths of them to half more are drawn, the stratified
    ones included, if it `follows` what those have reached. `sharers` items of the case run the same code of ATen's
    kernels: each is given its share of them, and all only where oneDNN runs, which has a kernel for each dtype. The
    same answers of the same kernels give the same examples.
    """

    case: Case
    dtype: str
    usual: int
    seed: int
    follows: bool = True
    sharers: int = 1
    _pioneers: list[Reached] = field(default_factory=list, init=False)
    _known_ways: set[str] = field(default_factory=set, init=False)
    _source: ExampleSource = field(init=False)
    _random: random.Random = field(init=False)
    _count: int = field(default=0, init=False)
    _news: list[bool] = field(default_factory=list, init=False)
    _queue: list[tuple[int, int, Reached]] = field(default_factory=list, init=False)
    _order: Iterator[int] = field(default_factory=count, init=False)
    _texts: set[str] = field(default_factory=set, init=False)

    def __post_init__(self) -> None:
        self._source = ExampleSource(self.case, self.dtype, self.seed)
        self._random = random.Random(self.seed)  # noqa: S311 - not for secrets

    @property
    def novelty(self) -> Novelty:
        """What the examples have reached so far."""
        news = self._news[-RECENT:]
        kernels = frozenset[str]().union(*(reached.kernels for reached in self._pioneers))
        return Novelty(
            kernels=tuple(sorted(kernels)),
            ways=len(self._known_ways),
            recent=len(news),
            recently_new=sum(news),
            reached=tuple(sorted(self._pioneers, key=lambda each: -len(each.ways))[:MOST_KEPT]),
        )

    @property
    def share(self) -> int:
        """How many examples the item is given by what is known so far."""
        is_of_aten = all(reached.kernels == {ATEN} for reached in self._pioneers)
        return -(-self.usual // self.sharers) if is_of_aten else self.usual

    @property
    def stratified_count(self) -> int:
        """How many of the share, as it is before anything is known, are stratified; the others are drawn freely."""
        return self.share * STRATIFIED // 5

    def first_examples(self) -> list[Example]:
        """What is drawn freely before anything is known."""
        free = self.share - self.stratified_count
        self._count += self.stratified_count
        return self._draw(free // 2 if self.follows else free)

    def note(self, judged: JudgedResult) -> None:
        """Learn what an example reached."""
        observations = judged.result.observations
        kernels = kernels_of(observations)
        reached = ways(kernels, traits_of(self.case, judged.example)) | formats_of(observations)
        fresh = reached - self._known_ways
        self._known_ways |= fresh
        self._texts.add(judged.example.json_without_seed())
        self._news.append(bool(fresh))
        if fresh:
            pioneer = Reached(judged.example, kernels, fresh)
            self._pioneers.append(pioneer)
            heapq.heappush(self._queue, (-len(fresh), next(self._order), pioneer))

    def next_examples(self) -> Mapping[str, list[Example]]:
        """By phase what is to run next; nothing where the case has had its share."""
        share = self.share
        size = min(max(2, round(share * BATCH_SHARE)), round(share * MOST_SHARE) - self._count)
        if not self.follows or size <= 0 or self._is_at_its_end:
            return {}
        varied = self._vary(size // 2)
        self._count += len(varied)
        return {VARIED: varied, DRAWN: self._draw(size - len(varied))}

    @property
    def _is_at_its_end(self) -> bool:
        window = self._news[-max(2, self.share // 2) :]
        return sum(window) < NEWS_SHARE * len(window)

    def _draw(self, size: int) -> list[Example]:
        self._count += size
        return [example for example in self._source.draw(size) if example.json_without_seed() not in self._texts]

    def _vary(self, size: int) -> list[Example]:
        """Neighbours of the examples that reached the most new, two of each, which promise to reach more."""
        varied: list[Example] = []
        while self._queue and len(varied) < size:
            _, _, reached = heapq.heappop(self._queue)
            varied += self._best_neighbours(reached, min(2, size - len(varied)))
        return varied

    def _best_neighbours(self, reached: Reached, most: int) -> list[Example]:
        """Of some neighbours that would reach something new, if they ran the same kernels, the `most` that do most.

        Twice as many are looked for: what all of fifty promise takes as long to find out as to run one.
        """
        around = [each.example for each in neighbours(self.case, reached.example)]
        self._random.shuffle(around)
        promises = ((self._promise(reached, example), example) for example in filter(self._is_worth, around))
        promising = islice((each for each in promises if each[0]), 2 * most)
        best = [example for _, example in heapq.nlargest(most, promising, key=itemgetter(0))]
        kept = [example.but(seed=self._random.randrange(2**16)) for example in best]
        self._texts.update(example.json_without_seed() for example in kept)
        return kept

    def _is_worth(self, example: Example) -> bool:
        """Whether it has not been run, is as large as what is drawn, and can tell formats apart."""
        return (
            example.json_without_seed() not in self._texts
            and is_within_budget(self.case, example)
            and has_own_layout(self.case, example)
        )

    def _promise(self, reached: Reached, example: Example) -> int:
        return len(ways(reached.kernels, traits_of(self.case, example)) - self._known_ways)
