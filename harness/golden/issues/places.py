"""From an entry as it is written to a KnownFault and its places, with every mistake at its place in the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from harness.core import Example, Expression, KnownFault, KnownIssue, Level, Verification
from harness.golden.issues.levels import resolve_levels
from harness.golden.issues.notes import Notes, specifier
from harness.golden.issues.schema import FaultSchema, ReproducerSchema
from harness.suites import Location

UNWRITTEN: Final = "REASON TO BE WRITTEN"
"""What a proposed entry has for a reason until a person has found one."""


def build_fault(name: str, schema: FaultSchema, notes: Notes, levels: Sequence[Level]) -> KnownFault:
    """The fault with those of its places that have no mistake; the mistakes are in the notes."""
    notes.releases(name, schema)
    if is_unwritten(schema.reason):
        notes.add(
            name,
            "the reason is not written yet: say what in PyTorch or below it is wrong, and how that is known",
            "reason",
        )
    reader = _PlaceReader(name, schema, notes, levels)
    places = tuple(place for index in range(len(schema.where)) if (place := reader.read(index)))
    verified = Verification(**schema.verified.model_dump()) if schema.verified else None
    return KnownFault(
        id=name,
        summary=schema.summary,
        severity=schema.severity,
        reason=schema.reason,
        link=schema.link,
        related=schema.related,
        places=places,
        since=schema.since,
        fixed=schema.fixed,
        verified=verified,
        line=notes.line(name),
    )


def is_unwritten(text: str) -> bool:
    """Whether the text is still the mark of a proposed entry."""
    return text.startswith(UNWRITTEN)


class _PlaceReader:
    """Reads the places of one entry."""

    def __init__(self, name: str, schema: FaultSchema, notes: Notes, levels: Sequence[Level]) -> None:
        self.name = name
        self.schema = schema
        self.notes = notes
        self.levels = levels
        self.suite = f"suites/operators/{notes.path.name}"

    def read(self, index: int) -> KnownIssue | None:
        """The place, or None and a mistake for everything in it that is wrong."""
        schema, entry, at = self.schema.where[index], self.schema, ("where", index)
        self.notes.releases(self.name, schema, *at)
        when = self.notes.condition(self.name, schema.when, *at, "when")
        aliases = self._aliases(schema.aliases, at)
        cells = self._cells(schema.levels, at)
        cases = tuple(self._case_id(case) for case in schema.cases)
        reproducer = self._reproducer(schema.reproducer, cases[0], schema.dtypes[0], at)
        if when is None or reproducer is None:
            return None
        return KnownIssue(
            id=self.name,
            place=index + 1 if len(entry.where) > 1 else 0,
            cases=cases,
            dtypes=schema.dtypes,
            tensors=schema.tensors,
            oracle=schema.oracle or entry.oracle,
            accumulates_in=schema.accumulates_in or entry.accumulates_in,
            cells=cells,
            when=when,
            aliases=aliases,
            reason=entry.reason,
            link=entry.link,
            torch=specifier(schema.since or entry.since, schema.fixed or entry.fixed),
            reproducer=reproducer,
            note=schema.note,
            line=self.notes.line(self.name, *at),
        )

    def _case_id(self, case: str) -> str:
        """``conv2d*`` is of the suite of the file's name, ``modules::Conv2d*`` of another, an id is what it is."""
        suite, separator, name = case.rpartition("::")
        if not separator:
            return f"{self.suite}::{case}"
        return case if suite.endswith(".yaml") else f"suites/operators/{suite}.yaml::{name}"

    def _aliases(self, texts: Mapping[str, str | int], at: Location) -> dict[str, Expression]:
        parsed = {name: self.notes.condition(self.name, str(text), *at, "as", name) for name, text in texts.items()}
        return {name: expression for name, expression in parsed.items() if expression is not None}

    def _cells(self, text: str | Sequence[str], at: Location) -> tuple[str, ...]:
        try:
            cells = resolve_levels(text, self.levels)
        except ValueError as error:
            self.notes.add(self.name, str(error), *at, "levels")
            return ()
        if not cells:
            self.notes.add(self.name, f"no level is {text!r}", *at, "levels")
        return cells

    def _reproducer(self, schema: ReproducerSchema, case: str, dtype: str, at: Location) -> Example | None:
        data = schema.model_dump()
        data["case"] = self._case_id(schema.case) if schema.case else case
        data["dtype"] = schema.dtype or dtype
        try:
            return Example.from_json(data)
        except ValueError as error:
            self.notes.add(self.name, f"the reproducer does not parse: {error}", *at, "reproducer")
            return None
