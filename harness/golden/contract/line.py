"""A line of the layout contract: what it is about, and the layout rule that is true of that."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.golden.contract.layout_rule import LayoutRule
from harness.golden.release import EVERY_RELEASE, ReleaseRange

LEVELS: Final = ("sse41", "avx2", "avx512_core")
"""The levels that the contract is about.

Which kernel runs, and so which format comes back, depends on the caps of oneDNN and ATen. With these caps every x86-64
CPU that has the level dispatches alike, whatever it could do without one: a CPU with AMX is held to the same lines as
one without. What oneDNN does with newer instructions is judged by the oracles, not by the contract.
"""

Element = tuple[str, str, str]
"""Tensor, shape class, level."""

Facts = Mapping[Element, LayoutRule]
"""What was observed of one case in one dtype."""

_KEY: Final = re.compile(
    r"(?P<tensor>\S+)(?: of (?P<shapes>.+?)| but (?P<others>.+?))?"
    r"(?: in (?P<dtypes>\w+(?:, \w+)*))?(?: at (?P<levels>\w+(?:, \w+)*))?(?: with torch (?P<releases>\S+))?"
)


@dataclass(frozen=True)
class ContractLine:
    """One line: what it is about, its layout rule, and where it stands.

    `shapes`, `dtypes` and `levels` None: every one that there is. `others`: every shape but these. `releases` are those
    of PyTorch of which the line is true, among those that the contract is of.
    """

    tensor: str
    shapes: tuple[str, ...] | None
    others: tuple[str, ...]
    dtypes: tuple[str, ...] | None
    levels: tuple[str, ...] | None
    rule: LayoutRule
    place: int = 0
    releases: ReleaseRange = EVERY_RELEASE

    @property
    def key(self) -> str:
        """The text before the colon."""
        parts = ((" of ", self.shapes), (" but ", self.others), (" in ", self.dtypes), (" at ", self.levels))
        axes = "".join(word + ", ".join(names) for word, names in parts if names)
        return self.tensor + axes + (f" with torch {self.releases.specifier}" if self.releases.specifier else "")

    def is_about(self, dtype: str) -> bool:
        """Whether the line is about that dtype."""
        return self.dtypes is None or dtype in self.dtypes

    def covers(self, element: Element, dtype: str) -> bool:
        """Whether the line is about this element in this dtype."""
        tensor, shape, level = element
        axes = ((self.shapes, shape), (self.dtypes, dtype), (self.levels, level))
        may_cover = tensor == self.tensor and shape not in self.others
        return may_cover and all(names is None or name in names for names, name in axes)

    @classmethod
    def parse(cls, key: str, rule: str, place: int = 0) -> ContractLine | None:
        """The line of that key and the text of its rule; None where the key is no such text as `key` gives."""
        match = _KEY.fullmatch(key)
        releases = ReleaseRange.parse(match["releases"] or "") if match else None
        if match is None or releases is None:
            return None
        shapes, others, dtypes, levels = (
            tuple(match[name].split(", ")) if match[name] else None for name in ("shapes", "others", "dtypes", "levels")
        )
        return cls(match["tensor"], shapes, others or (), dtypes, levels, LayoutRule.parse(rule), place, releases)
