"""Reading `golden/contract/<suite>.yaml`, the layout contract, and comparing it with what was observed."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from harness.golden.contract.layout_rule import LayoutRule
from harness.suites import DeclarationError, Mistake, Strict, read_document, suggestion, validate

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
    r"(?: in (?P<dtypes>\w+(?:, \w+)*))?(?: at (?P<levels>\w+(?:, \w+)*))?"
)


class ContractSchema(Strict):
    """The whole file: case → line → law, and the release of PyTorch of which they are true."""

    suite: str
    torch: str
    cases: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Line:
    """One line: what it is about, its law, and where it stands.

    `shapes`, `dtypes` and `levels` None: every one that there is. `others`: every shape but these.
    """

    tensor: str
    shapes: tuple[str, ...] | None
    others: tuple[str, ...]
    dtypes: tuple[str, ...] | None
    levels: tuple[str, ...] | None
    layout_rule: LayoutRule
    place: int = 0

    @property
    def key(self) -> str:
        """The text before the colon."""
        parts = ((" of ", self.shapes), (" but ", self.others), (" in ", self.dtypes), (" at ", self.levels))
        return self.tensor + "".join(word + ", ".join(names) for word, names in parts if names)

    def covers(self, element: Element, dtype: str) -> bool:
        """Whether the line is about this element in this dtype."""
        tensor, shape, level = element
        named = ((self.shapes, shape), (self.dtypes, dtype), (self.levels, level))
        here = tensor == self.tensor and shape not in self.others
        return here and all(names is None or name in names for names, name in named)


@dataclass(frozen=True)
class Contract:
    """The lines of one suite by case. `file` is what messages call it, empty where there is none.

    `torch` is the release (``2.15``) whose operators they are about: another one may hand back other formats.
    """

    file: str = ""
    torch: str = ""
    cases: Mapping[str, tuple[Line, ...]] = field(default_factory=dict)

    def lines(self, case: str) -> tuple[Line, ...]:
        """The lines of one case, by its name."""
        return self.cases.get(case, ())

    def compare(self, case: str, dtype: str, facts: Facts) -> list[str]:
        """What differs: one sentence for each line that is changed, missing or unknown. Levels not run are not judged.

        A case without any line is not compared: that the whole of it is missing is said once, of the suite.
        """
        lines = [line for line in self.lines(case) if line.dtypes is None or dtype in line.dtypes]
        return [*self._changed(case, dtype, lines, facts), *self._unknown(case, lines, facts)] if lines else []

    def _changed(self, case: str, dtype: str, lines: Sequence[Line], facts: Facts) -> Iterator[str]:
        differing: dict[tuple[tuple[Line, ...], str, LayoutRule], list[Element]] = {}
        for element, layout_rule in facts.items():
            covering = tuple(line for line in lines if line.covers(element, dtype))
            if [line.layout_rule for line in covering] != [layout_rule]:
                differing.setdefault((covering, element[0], layout_rule), []).append(element)
        for (covering, tensor, layout_rule), elements in differing.items():
            about = f"{case}: {tensor}{_where(elements)} in {dtype}"
            written = " and ".join(f"{line.layout_rule.text} (line {line.place}: {line.key})" for line in covering)
            if not covering:
                yield f"{self.file}: no line: {about}: observed: {layout_rule.text}"
            elif len(covering) == 1:
                yield f"{self.file}: changed: {about}: was: {written}; observed: {layout_rule.text}"
            else:
                yield f"{self.file}: several lines: {about}: {written}; observed: {layout_rule.text}"

    def _unknown(self, case: str, lines: Sequence[Line], facts: Facts) -> Iterator[str]:
        levels, every = {level for _, _, level in facts}, {shape for _, shape, _ in facts}
        for line in lines:
            if not levels.intersection(line.levels or levels):
                continue
            shapes = {shape for tensor, shape, _ in facts if tensor == line.tensor}
            where = f"{self.file}:{line.place}: unknown line: {line.key}: {case}"
            if not shapes:
                known = sorted({tensor for tensor, _, _ in facts})
                yield f"{where} has no {line.tensor!r}{suggestion(line.tensor, known)}"
            # an exception may have no fact of its own: a call that returns in all layouts has no line
            for named, probed in ((line.shapes or (), shapes), (line.others, every)) if shapes else ():
                for shape in (shape for shape in named if shape not in probed):
                    yield f"{where} is not probed with {shape!r}{suggestion(shape, sorted(probed))}"


def load_contract(path: Path, suite: str, shown: str) -> Contract:
    """Read the file of a suite; none is an empty contract. `shown` names it in messages.

    Raises DeclarationError for what does not parse, a level that is not the contract's, or the file of another suite.
    """
    if not path.is_file():
        return Contract()
    document = read_document(path, "layout contract", shown)
    schema = validate(document, ContractSchema)
    positions = document.positions
    mistakes = [Mistake(shown, *positions.at(("suite",)), text) for text in same_name(schema.suite, suite)]
    cases: dict[str, tuple[Line, ...]] = {}
    for case, written in schema.cases.items():
        places = {key: positions.key(("cases", case, key)) for key in written}
        lines = {key: _line(key, layout_rule, places[key][0]) for key, layout_rule in written.items()}
        cases[case] = tuple(line for line in lines.values() if line is not None)
        mistakes += [Mistake(shown, *places[key], text) for key, text in _mistakes(lines)]
    if mistakes:
        raise DeclarationError(mistakes)
    return Contract(shown, schema.torch, cases)


def same_name(written: str, suite: str) -> Iterator[str]:
    """The mistake of two suites whose golden data would share a file."""
    if written != suite:
        yield f"this is golden data of {written}, and {suite} has the same name; rename one of them"


def _mistakes(lines: Mapping[str, Line | None]) -> Iterator[tuple[str, str]]:
    """The key and what is wrong with it, for the lines of one case."""
    for key, line in lines.items():
        if line is None:
            yield key, f"{key!r} is not '<tensor> [of or but <shapes>] [in <dtypes>] [at <levels>]'"
        for level in (line.levels or ()) if line else ():
            if level not in LEVELS:
                yield key, f"{level!r} is not a level of the contract{suggestion(level, LEVELS)}"


def _line(key: str, layout_rule: str, place: int) -> Line | None:
    found = _KEY.fullmatch(key)
    if found is None:
        return None
    shapes, others, dtypes, levels = (
        tuple(found[name].split(", ")) if found[name] else None for name in ("shapes", "others", "dtypes", "levels")
    )
    return Line(found["tensor"], shapes, others or (), dtypes, levels, LayoutRule(layout_rule), place)


def _where(elements: Iterable[Element]) -> str:
    """`` of C = 1 at avx2``: the shapes and levels of some elements."""
    shapes = dict.fromkeys(shape for _, shape, _ in elements)
    levels = dict.fromkeys(level for _, _, level in elements)
    return f" of {', '.join(shapes)} at {', '.join(levels)}"
