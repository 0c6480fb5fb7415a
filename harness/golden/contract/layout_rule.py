"""The words of the layout contract: how the format of a result follows from the formats that go in."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

FORMATS: Final = ("contiguous", "channels_last")
DENSE: Final = "dense"
"""The law of a tensor whose rank has one format only: the strides of a new one."""

FormatCombination = frozenset[str]
"""The tensors (and ``grad_output``) that are channels-last; all others are contiguous."""

_LAW: Final = re.compile(r"like (?P<one>\S+)|channels_last (?P<how>if any|if all) of (?P<several>.+)")


@dataclass(frozen=True)
class LayoutRule:
    """The format of a result in every mixture of formats, as one phrase.

    ``contiguous`` and ``channels_last`` whatever comes in; ``like input``; ``channels_last if any of input, weight``;
    ``channels_last if all of input, grad_output``. Anything else is a law only by its text: what was seen, mixture by
    mixture.
    """

    text: str

    @property
    def has_format(self) -> bool:
        """Whether it is about a tensor that could be channels-last, and was there."""
        return self.text != DENSE and "raises" not in self.text

    def format(self, combination: Collection[str]) -> str:
        """``contiguous`` or ``channels_last`` in this mixture; nothing where the phrase does not say."""
        if self.text in FORMATS:
            return self.text
        if found := _LAW.fullmatch(self.text):
            names = [found["one"]] if found["one"] else found["several"].split(", ")
            enough = any if found["how"] == "if any" else all
            return FORMATS[enough(name in combination for name in names)]
        return _listed(self.text).get(_spelled(combination), "")


def phrases(tensors: Sequence[str]) -> Iterator[LayoutRule]:
    """Every law over these tensors, the plainest first."""
    yield from (LayoutRule(name) for name in FORMATS)
    yield from (LayoutRule(f"like {name}") for name in tensors)
    for count in range(2, len(tensors) + 1):
        for some in itertools.combinations(tensors, count):
            yield LayoutRule(f"channels_last if any of {', '.join(some)}")
            yield LayoutRule(f"channels_last if all of {', '.join(some)}")


def spelled_out(seen: Mapping[FormatCombination, str]) -> LayoutRule:
    """What was seen, mixture by mixture; one word where it is the same in all: ``raises ValueError``."""
    words = {
        word: [_spelled(combination) for combination, found in seen.items() if found == word] for word in seen.values()
    }
    if len(words) == 1:
        return LayoutRule(next(iter(words)))
    return LayoutRule("; ".join(f"{word} from {' or '.join(combinations)}" for word, combinations in words.items()))


def _spelled(combination: Collection[str]) -> str:
    """A mixture in a phrase: the channels-last tensors, ``NCHW`` where there is none."""
    return "+".join(sorted(combination)) or "NCHW"


def _listed(text: str) -> dict[str, str]:
    """The phrase of `spelled_out`, read again: mixture → word."""
    parts = [part.partition(" from ") for part in text.split("; ")]
    return {
        combination: word
        for word, _, combinations in parts
        for combination in combinations.split(" or ")
        if combinations
    }
