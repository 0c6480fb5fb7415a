"""From a document to a schema of pydantic; every mistake at its place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from harness.suites.document import Document, read_document
from harness.suites.mistakes import MOST_MISTAKES, DeclarationError, Mistake
from harness.suites.positions import Location, Positions
from harness.suites.wording import consequences, explain_error

SchemaT = TypeVar("SchemaT", bound=BaseModel)
T = TypeVar("T")

Items = Annotated[tuple[T, ...], Field(strict=False)]
"""A YAML list, kept as a tuple: `Items[int]`. Strict pydantic takes no list for a tuple; the items stay strict."""


class StrictSchema(BaseModel):
    """The base of schemas for files: no unknown keys, no silent conversions, nothing changed afterwards."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid")


@dataclass(frozen=True)
class Examination(Generic[T]):
    """What a file declares as far as it is right, and every mistake in it.

    With very many mistakes the rest of the file was not looked at; it is not complete then.
    """

    sound: tuple[T, ...]
    mistakes: tuple[Mistake, ...]
    is_complete: bool = True

    def raise_if_any(self) -> None:
        """Raise DeclarationError with the mistakes."""
        if self.mistakes:
            raise DeclarationError(self.mistakes, is_complete=self.is_complete)


class Report:
    """The mistakes of one document, found in several looks: YAML, then the schema, then the meaning.

    What a later look finds wrong at a place where an earlier one did is a consequence, and not said.
    """

    def __init__(self, document: Document) -> None:
        self.document = document
        self.positions = document.positions
        self.mistakes: list[Mistake] = list(document.mistakes)
        self.attempts = 0
        """How often `add` was called, consequences and repetitions included."""
        self._wrong: set[tuple[int, int]] = set()
        self.next_look()

    def next_look(self) -> None:
        """From here on, places with a mistake are known to be wrong."""
        self._wrong = {(mistake.line, mistake.column) for mistake in self.mistakes}

    def add(self, location: Location, message: str, *, offset: int = 0, key: bool = False) -> None:
        """Note a mistake in the value at `location`, `offset` characters in, or in its key.

        Raises DeclarationError with all that was noted once there are `MOST_MISTAKES`.
        """
        self.attempts += 1
        place = self.positions.key(location) if key else self.positions.at(location, offset)
        mistake = Mistake(self.document.name, *place, message)
        follows = place in self._wrong or (not key and self.positions.at(location) in self._wrong)
        if not follows and mistake not in self.mistakes:
            self.mistakes.append(mistake)
        if len(self.mistakes) >= MOST_MISTAKES:
            raise DeclarationError(self.mistakes, is_complete=False)

    def has_wrong_key(self, location: Location) -> bool:
        """Whether an earlier look found a mistake in a key of the mapping at `location`."""
        return any(place in self._wrong for place in self.positions.keys(location))

    def has_mistake_in(self, *locations: Location) -> bool:
        """Whether an earlier look found a mistake in or below the value at one of the locations."""
        spans = [self.positions.span(location) for location in locations]
        return any(begin <= place < end for place in self._wrong for begin, end in spans)

    def raise_if_any(self) -> None:
        """Raise DeclarationError with all that was noted."""
        if self.mistakes:
            raise DeclarationError(self.mistakes)


def validate_part(report: Report, schema: type[SchemaT], data: Any, at: Location = ()) -> SchemaT | None:
    """Validate `data`, found at `at`; None, and mistakes in the report, when it does not fit."""
    try:
        return schema.model_validate(data)
    except ValidationError as error:
        details = error.errors(include_url=False)[: 2 * MOST_MISTAKES]
        follows = list(consequences(details))
        for detail in details:
            if detail in follows:
                continue
            key = detail["type"] in ("extra_forbidden", "missing")
            location = (*at, *detail["loc"][: -1 if detail["type"] == "missing" else None])
            report.add(location, explain_error(detail, schema), key=key)
        return None


def validate(document: Document, schema: type[SchemaT]) -> SchemaT:
    """The document as `schema`. Raises DeclarationError with the mistakes of the YAML and of its shape together."""
    report = Report(document)
    checked = validate_part(report, schema, document.data)
    report.raise_if_any()
    assert checked is not None  # noqa: S101 - the report was empty, so the data fitted
    return checked


def read_validated(path: Path | str, schema: type[SchemaT], label: str) -> tuple[SchemaT, Positions]:
    """Read a YAML file as `schema`; `label` names the kind of file. Raises DeclarationError.

    A mistake that only the caller can see is raised as
    ``DeclarationError([Mistake(str(path), *positions.at(("entries", 0, "when")), "...")])``.
    """
    document = read_document(path, label)
    return validate(document, schema), document.positions
