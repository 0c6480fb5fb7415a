"""Reading `golden/contract/<suite>.yaml`, the layout contract, and comparing it with what was observed."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from harness.core import FactChange, FactDifference, FactKind
from harness.core.text_file import is_there
from harness.golden.contract.layout_rule import LayoutRule
from harness.golden.contract.line import LEVELS, ContractLine, Element, Facts
from harness.golden.release import release_mistakes, sort_releases
from harness.golden.suite_document import SuiteFileSchema, read_suite_document
from harness.suites import DeclarationError, Items, Mistake, suggestion


class ContractSchema(SuiteFileSchema):
    """The whole file: case → line → layout rule, and the releases of PyTorch of which they were observed."""

    verified: Items[str]
    not_available: dict[str, Items[str]] = Field(default_factory=dict)
    cases: dict[str, dict[str, str]]


@dataclass(frozen=True)
class Contract:
    """The lines of one suite by case. `file` is what messages call it, empty where there is none.

    `verified` are the releases (``2.15``) in which all lines were observed, but those that name their own: another
    release may hand back other formats. `not_available` names the items (``rms_norm[float16]``) that one of them has
    not got, by release.
    """

    file: str = ""
    verified: tuple[str, ...] = ()
    cases: Mapping[str, tuple[ContractLine, ...]] = field(default_factory=dict)
    not_available: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    def lines(self, case: str) -> tuple[ContractLine, ...]:
        """The lines of one case, by its name."""
        return self.cases.get(case, ())

    def lacks(self, case: str, dtype: str, release: str) -> bool:
        """Whether the release is said to be without that item."""
        return f"{case}[{dtype}]" in self.not_available.get(release, ())

    @property
    def newest(self) -> str:
        """The newest of the releases; empty where there is none."""
        return self.verified[-1] if self.verified else ""

    @property
    def releases(self) -> list[str]:
        """All releases of which something was observed, the oldest first."""
        bounds = (line.releases.bounds for lines in self.cases.values() for line in lines)
        return sort_releases({*self.verified}.union(*bounds))

    def lines_of(self, case: str, release: str) -> tuple[ContractLine, ...]:
        """The lines of one case that are about a release."""
        return tuple(line for line in self.lines(case) if line.releases.covers(release))

    def output_rules(self, case: str, dtype: str, release: str, shapes: Collection[str]) -> list[LayoutRule]:
        """What a release is said to make of the first output of a case, in these classes of shapes, at any level.

        Rules about a tensor that has no format are left out.
        """
        return [
            line.rule
            for line in self.lines_of(case, release)
            if line.rule.has_format
            and any(line.covers(("output[0]", shape, level), dtype) for shape in shapes for level in LEVELS)
        ]

    def compare(self, case: str, dtype: str, facts: Facts, release: str) -> list[FactDifference]:
        """What differs: one sentence for each line that is changed, missing or unknown. Levels not run are not judged.

        Differences are judged where the contract is of that release. A case without any line is not compared: that the
        whole of it is missing is said once, of the suite.
        """
        lines = [line for line in self.lines(case) if line.is_about(dtype)]
        if not lines:
            return []
        lines = [line for line in lines if line.releases.covers(release)]
        return [
            FactDifference(FactKind.LAYOUT, change, message, judged=release in self.verified)
            for change, message in (
                *self._changed_lines(case, dtype, lines, facts),
                *((FactChange.GONE, message) for message in self._unknown_lines(case, lines, facts)),
            )
        ]

    def _changed_lines(
        self, case: str, dtype: str, lines: Sequence[ContractLine], facts: Facts
    ) -> Iterator[tuple[FactChange, str]]:
        differing: dict[tuple[tuple[ContractLine, ...], str, LayoutRule], list[Element]] = {}
        for element, rule in facts.items():
            covering = tuple(line for line in lines if line.covers(element, dtype))
            if [line.rule for line in covering] != [rule]:
                differing.setdefault((covering, element[0], rule), []).append(element)
        for (covering, tensor, rule), elements in differing.items():
            about = f"{case}: {tensor}{_shapes_and_levels(elements)} in {dtype}"
            written = " and ".join(f"{line.rule.text} (line {line.place}: {line.key})" for line in covering)
            if not covering:
                yield FactChange.NEW, f"{self.file}: no line: {about}: observed: {rule.text}"
            elif len(covering) == 1:
                yield FactChange.MOVED, f"{self.file}: changed: {about}: was: {written}; observed: {rule.text}"
            else:
                yield FactChange.MOVED, f"{self.file}: several lines: {about}: {written}; observed: {rule.text}"

    def _unknown_lines(self, case: str, lines: Sequence[ContractLine], facts: Facts) -> Iterator[str]:
        levels = {level for _, _, level in facts}
        for line in lines:
            if levels.intersection(line.levels or levels):
                where = f"{self.file}:{line.place}: unknown line: {line.key}: {case}"
                yield from (f"{where} {problem}" for problem in _unknown_names(line, facts))


def _unknown_names(line: ContractLine, facts: Facts) -> Iterator[str]:
    """What is wrong with the line's tensor and shapes: of some there is no fact."""
    probed = {shape for tensor, shape, _ in facts if tensor == line.tensor}
    if not probed:
        tensors = sorted({tensor for tensor, _, _ in facts})
        yield f"has no {line.tensor!r}{suggestion(line.tensor, tensors)}"
        return
    # an exception may have no fact of its own: a call that returns in all layouts has no line
    every = {shape for _, shape, _ in facts}
    for names, shapes in ((line.shapes or (), probed), (line.others, every)):
        for shape in names:
            if shape not in shapes:
                yield f"is not probed with {shape!r}{suggestion(shape, sorted(shapes))}"


def load_contract(path: Path, suite: str, shown: str) -> Contract:
    """Read the file of a suite; none is an empty contract. `shown` names it in messages.

    Raises DeclarationError for what does not parse, a level that is not the contract's, or the file of another suite.
    """
    if not is_there(path):
        return Contract()
    schema, positions, mistakes = read_suite_document(path, shown, suite, ContractSchema, "layout contract")
    mistakes += [
        *(Mistake(shown, *positions.at(location), text) for location, text in release_mistakes(schema.verified)),
        *(
            Mistake(
                shown, *positions.key(("not_available", release)), f"{release!r} is not among the verified releases"
            )
            for release in schema.not_available
            if release not in schema.verified
        ),
    ]
    cases: dict[str, tuple[ContractLine, ...]] = {}
    for case, written in schema.cases.items():
        places = {key: positions.key(("cases", case, key)) for key in written}
        lines = {key: ContractLine.parse(key, text, places[key][0]) for key, text in written.items()}
        cases[case] = tuple(line for line in lines.values() if line is not None)
        mistakes += [Mistake(shown, *places[key], text) for key, text in _mistakes(lines)]
    if mistakes:
        raise DeclarationError(mistakes)
    return Contract(shown, tuple(sort_releases(schema.verified)), cases, schema.not_available)


def _mistakes(lines: Mapping[str, ContractLine | None]) -> Iterator[tuple[str, str]]:
    """The key and what is wrong with it, for the lines of one case."""
    for key, line in lines.items():
        if line is None:
            yield (
                key,
                f"{key!r} is not '<tensor> [of or but <shapes>] [in <dtypes>] [at <levels>] [with torch <releases>]'",
            )
        for level in (line.levels or ()) if line else ():
            if level not in LEVELS:
                yield key, f"{level!r} is not a level of the contract{suggestion(level, LEVELS)}"


def _shapes_and_levels(elements: Iterable[Element]) -> str:
    """`` of C = 1 at avx2``: the shapes and levels of some elements."""
    shapes = dict.fromkeys(shape for _, shape, _ in elements)
    levels = dict.fromkeys(level for _, _, level in elements)
    return f" of {', '.join(shapes)} at {', '.join(levels)}"
