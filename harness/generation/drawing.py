"""The random phase: Hypothesis draws indices, and an example is what they select."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from harness.core.case import RARE_PATHS
from harness.generation.layout_choice import layout_pool, with_own_layout
from harness.generation.shapes import mistake, unsatisfiable_mistake
from harness.generation.sizes import Domain, UnsatisfiableError
from harness.generation.space import Factor, assemble, factors

if TYPE_CHECKING:
    from harness.core import Case, Example

Draw = Callable[[int], int]
"""Draws an index below n."""

_BASE = 3 * 10**18
"""Indices are drawn above this and it is taken off again. Hypothesis would else mix in constants that it finds in the
source of whatever local modules are loaded, and skew small ranges: the same seed has to give the same examples in every
process, and indices have to be uniform."""

_RARITY = 100  # examples of which one goes a way that costs seconds
_ROUNDS = 4  # times that missing examples are drawn again, with some to spare, to make up for duplicates
_TOLERATED = (5, 0.05)  # that many rejected draws, and that share of them, before a case is called mis-declared


_USUAL = 7
"""How many times as often as all others together the usual settings are drawn."""


@dataclass
class ExampleSource:
    """The examples of a case in a dtype, drawn as they are asked for, no two of which differ in the seed alone.

    `seed` fixes all of them, for the same requests.
    """

    case: Case
    dtype: str
    seed: int
    _free: tuple[Factor, ...] = field(init=False)
    _examples: dict[str, Example] = field(default_factory=dict, init=False)
    _rounds: int = field(default=0, init=False)
    _draws: int = field(default=0, init=False)
    _rejected: int = field(default=0, init=False)
    _problem: str = field(default="", init=False)

    def __post_init__(self) -> None:
        self._free = factors(self.case, self.dtype)

    def draw(self, count: int) -> list[Example]:
        """`count` examples that have not been drawn before, or fewer where the space is small.

        Raises UserError where more than a few percent of the draws break `require` or meet an empty range.
        """
        if count < 1:
            return []
        before = len(self._examples)
        for _ in range(_ROUNDS):
            missing = before + count - len(self._examples)
            if missing <= 0:
                break
            self._collect(missing + missing // 8 + 4)
            self.check_rejections()
        drawn = list(self._examples.items())[before:]
        for text, _ in drawn[count:]:  # they may be drawn again
            del self._examples[text]
        return [example for _, example in drawn[:count]]

    def sample(self, count: int) -> list[Example]:
        """What `count` draws without Hypothesis give."""
        source = random.Random(self.seed)  # noqa: S311 - not for secrets
        for _ in range(count):
            self._add(source.randrange)
        return list(self._examples.values())

    def _collect(self, count: int) -> None:
        """Let Hypothesis draw `count` examples; nothing fails inside, so there is nothing to shrink."""
        # Imported here: it takes longer than all the rest of the package, and collecting tests does not need it.
        import hypothesis  # noqa: PLC0415
        from hypothesis import strategies  # noqa: PLC0415

        @cache
        def below(options: int) -> Any:
            """The strategy of an index, made once for each count."""
            return strategies.integers(_BASE, _BASE + options - 1)

        @hypothesis.seed(f"{self.seed}/{self._rounds}")
        @hypothesis.settings(
            max_examples=count,
            database=None,
            deadline=None,
            derandomize=False,
            phases=[hypothesis.Phase.generate],
            suppress_health_check=list(hypothesis.HealthCheck),
            verbosity=hypothesis.Verbosity.quiet,
        )
        @hypothesis.given(strategies.data())
        def collect(data: Any) -> None:
            """One draw of Hypothesis's, which calls this as often as it likes."""

            def draw(options: int) -> int:
                """An index below `options`."""
                return int(data.draw(below(options))) - _BASE

            self._add(draw)

        collect()
        self._rounds += 1

    def _add(self, draw: Draw) -> None:
        self._draws += 1
        try:
            example = draw_example(self.case, self.dtype, self._free, draw)
        except UnsatisfiableError as error:
            self._rejected += 1
            self._problem = str(error)
        else:
            self._examples.setdefault(example.json_without_seed(), example)

    def check_rejections(self) -> None:
        """Raise UserError where so many draws were not legal that the case is declared wrongly."""
        if not self._examples:
            raise unsatisfiable_mistake(self.case, self._problem)
        if self._rejected > _TOLERATED[0] and self._rejected > _TOLERATED[1] * self._draws:
            share = f"{self._rejected} of {self._draws} draws ({100 * self._rejected / self._draws:.0f} %)"
            advice = "declare sizes whose bounds make every draw legal"
            raise mistake(self.case, f"the case rejects {share}: {self._problem}; {advice}")


def random_examples(case: Case, dtype: str, count: int, seed: int) -> list[Example]:
    """`count` examples that differ in more than the seed, or fewer where the space is small. `seed` fixes them.

    Raises UserError where more than a few percent of the draws break `require` or meet an empty range.
    """
    return ExampleSource(case, dtype, seed).draw(count)


def sampled_examples(case: Case, dtype: str, count: int) -> list[Example]:
    """What `count` draws give, always the same, without Hypothesis: to see before a run whether a case can be drawn.

    Raises UserError as `random_examples` does.
    """
    source = ExampleSource(case, dtype, 0)
    examples = source.sample(count)
    source.check_rejections()
    return examples


def draw_example(case: Case, dtype: str, free: tuple[Factor, ...], draw: Draw) -> Example:
    """One example. How its sizes are drawn is drawn first: degenerate ones meet each other more often than by chance.

    It differs from its contiguous run where the case can at these sizes. Index 0 of every draw is the simplest. Raises
    UnsatisfiableError where the sizes are not legal.
    """
    bias = draw(4)

    def pick(factor: Factor, allowed: Domain) -> Any:
        """The value of one factor, from a pool in which what matters comes up more often."""
        pool = _size_pool(bias, allowed) if factor.kind == "size" else free_pool(factor, allowed)
        return pool[draw(len(pool))]

    return with_own_layout(case, free, assemble(case, dtype, free, pick, draw(2**16)))


def free_pool(factor: Factor, allowed: Domain) -> tuple[Any, ...]:
    """What a factor that is no size is drawn from.

    One thread and not in place come three times of four, the plain path two of three or more, the usual settings seven
    of eight, and what costs seconds once in a hundred.
    """
    if factor.kind == "layout":
        return layout_pool(factor, allowed)
    if factor.kind == "fill":
        return allowed.values
    if factor.kind == "setting":
        return (*allowed.values[:1] * (_USUAL * (len(allowed.values) - 1)), *allowed.values[1:])
    rare = [value for value in allowed.values if value in RARE_PATHS]
    usual = allowed.values[: len(allowed.values) - len(rare)]
    pool = (*usual[:1] * 2 * (len(usual) - 1), *usual)
    return (*pool * -(-_RARITY // len(pool)), "compile") if "compile" in rare else pool


def _size_pool(bias: int, allowed: Domain) -> tuple[Any, ...]:
    """What a size is drawn from: with bias 0 mostly the least values, 1 corners, 2 half of each, 3 anything."""
    corners, values = allowed.corners, allowed.values
    if bias == 0:
        return corners[:2] * (3 * len(corners) // 2) + corners
    if bias == 1:
        return corners
    return corners * (len(values) // len(corners)) + values if bias == 2 else values
