"""Layout rules: how the memory format of a result follows from the formats of what goes in."""

from __future__ import annotations

import enum
import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.portable.memory_format import MEMORY_FORMATS

FormatCombination = frozenset[str]
"""The tensors (and ``grad_output``) that are channels-last; all others are contiguous."""


class RuleKind(enum.Enum):
    """What a layout rule says; the value is what `LayoutRule.text` looks like."""

    ONE_FORMAT = "contiguous"
    """The same format, whatever comes in: ``contiguous`` or ``channels_last``."""
    LIKE = "like <tensor>"
    """The format of one tensor."""
    ANY = "channels_last if any of <tensors>"
    """Channels-last where at least one of these is."""
    ALL = "channels_last if all of <tensors>"
    """Channels-last where all of these are."""
    SPELLED_OUT = "<result> from <combinations>; ..."
    """What was observed of each combination of formats, where no shorter rule is true of all."""
    RAISES = "raises <error>"
    """As SPELLED_OUT, of the call itself: for which combinations it raises, and for which it returns."""
    DENSE = "dense"
    """The strides of a new tensor, of one whose rank has one memory format only."""


_BY_TENSORS: Final = {
    RuleKind.LIKE: "like ",
    RuleKind.ANY: "channels_last if any of ",
    RuleKind.ALL: "channels_last if all of ",
}
_CALL: Final = re.compile(r"returns|raises .*")
_ALL_CONTIGUOUS: Final = "NCHW"


@dataclass(frozen=True)
class LayoutRule:
    """The memory format of a result for every combination of formats. Its spelling is `text`, which `parse` reads.

    `tensors` are those that LIKE, ANY and ALL speak of. `results` are what ONE_FORMAT, SPELLED_OUT and RAISES say came
    out, each with the combinations of which it is true; none where it is true of all.
    """

    kind: RuleKind
    tensors: tuple[str, ...] = ()
    results: tuple[tuple[str, tuple[FormatCombination, ...]], ...] = ()

    @property
    def text(self) -> str:
        """As golden/contract has it."""
        if self.kind is RuleKind.DENSE:
            return RuleKind.DENSE.value
        if self.kind in _BY_TENSORS:
            return _BY_TENSORS[self.kind] + ", ".join(self.tensors)
        return "; ".join(_result_text(result, combinations) for result, combinations in self.results)

    @property
    def has_format(self) -> bool:
        """Whether it is about a tensor that could be channels-last, and was there."""
        return self.kind not in (RuleKind.DENSE, RuleKind.RAISES)

    def format_of(self, combination: Collection[str]) -> str:
        """``contiguous`` or ``channels_last`` for this combination; nothing where the rule does not say.

        A spelled-out rule may also say what else was observed, such as ``strides [6, 1, 2] of [1, 2, 3]``.
        """
        if self.kind in (RuleKind.LIKE, RuleKind.ANY, RuleKind.ALL):
            enough = all if self.kind is RuleKind.ALL else any
            return MEMORY_FORMATS[enough(name in combination for name in self.tensors)]
        if self.kind is RuleKind.ONE_FORMAT:
            return self.results[0][0]
        return next((result for result, some in self.results if frozenset(combination) in some), "")

    @classmethod
    def parse(cls, text: str) -> LayoutRule:
        """The rule that is spelled so. What has no known form is taken for a result that is always the same."""
        if text == RuleKind.DENSE.value:
            return cls(RuleKind.DENSE)
        if text in MEMORY_FORMATS:
            return cls(RuleKind.ONE_FORMAT, results=((text, ()),))
        for kind, beginning in _BY_TENSORS.items():
            tensors = tuple(text.removeprefix(beginning).split(", ")) if text.startswith(beginning) else ()
            if (
                tensors
                and not any(" " in name for name in tensors)
                and (kind is not RuleKind.LIKE or len(tensors) == 1)
            ):
                return cls(kind, tensors)
        results = tuple(_parse_result(part) for part in text.split("; "))
        of_call = all(_CALL.fullmatch(result) for result, _ in results)
        return cls(RuleKind.RAISES if of_call else RuleKind.SPELLED_OUT, results=results)


def candidate_rules(tensors: Sequence[str]) -> Iterator[LayoutRule]:
    """Every rule over these tensors but the spelled-out ones, the plainest first."""
    yield from (LayoutRule(RuleKind.ONE_FORMAT, results=((name, ()),)) for name in MEMORY_FORMATS)
    yield from (LayoutRule(RuleKind.LIKE, (name,)) for name in tensors)
    for count in range(2, len(tensors) + 1):
        for some in itertools.combinations(tensors, count):
            yield LayoutRule(RuleKind.ANY, some)
            yield LayoutRule(RuleKind.ALL, some)


def spell_out(observed: Mapping[FormatCombination, str], kind: RuleKind = RuleKind.SPELLED_OUT) -> LayoutRule:
    """The rule that says what was observed of each combination; `kind` is SPELLED_OUT, or RAISES for a call.

    A result that is the same for all combinations stands without them.
    """
    grouped: dict[str, list[FormatCombination]] = {}
    for combination, result in observed.items():
        grouped.setdefault(result, []).append(combination)
    alike = len(grouped) == 1
    return LayoutRule(kind, results=tuple((result, () if alike else tuple(some)) for result, some in grouped.items()))


def _result_text(result: str, combinations: Sequence[FormatCombination]) -> str:
    """One result as `_parse_result` reads it: the channels-last tensors of a combination are joined by ``+``."""
    spelled = ["+".join(sorted(combination)) or _ALL_CONTIGUOUS for combination in combinations]
    return f"{result} from {' or '.join(spelled)}" if spelled else result


def _parse_result(text: str) -> tuple[str, tuple[FormatCombination, ...]]:
    """One result and its combinations."""
    result, _, combinations = text.partition(" from ")
    names = combinations.split(" or ") if combinations else []
    return result, tuple(frozenset(() if name == _ALL_CONTIGUOUS else name.split("+")) for name in names)
