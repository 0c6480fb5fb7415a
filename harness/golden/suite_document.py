"""A file of golden/ that belongs to a suite, and says of which: the contract, the snapshots and the corpus are such."""

from __future__ import annotations

from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from harness.suites import Mistake, Positions, StrictSchema, read_document, validate


class SuiteFileSchema(StrictSchema):
    """What all of them have: the suite file that they are of, relative to the root."""

    suite: str


SchemaT = TypeVar("SchemaT", bound=SuiteFileSchema)


class SuiteDocument(NamedTuple, Generic[SchemaT]):
    """The content of such a file, the places in it, and the mistakes that are known so far, to which more may come."""

    content: SchemaT
    positions: Positions
    mistakes: list[Mistake]


def read_suite_document(
    path: Path, shown: str, suite: str, schema: type[SchemaT], label: str
) -> SuiteDocument[SchemaT]:
    """Read the file of a suite. `shown` names it in messages, `label` says what it should hold.

    That it is of another suite, of the same name, is a mistake. Raises DeclarationError where nothing can be read.
    """
    document = read_document(path, label, shown)
    content, positions = validate(document, schema), document.positions
    mistakes = []
    if content.suite != suite:
        text = f"this is golden data of {content.suite}, and {suite} has the same name; rename one of them"
        mistakes.append(Mistake(shown, *positions.at(("suite",)), text))
    return SuiteDocument(content, positions, mistakes)
