"""Reading `golden/double_backward.yaml`: the cases that have no second derivative, each with its reason."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from harness.core import MissingDoubleBackward
from harness.errors import did_you_mean
from harness.suites import DeclarationError, Items, Location, Mistake, Positions, StrictSchema, read_validated


class RefusalGroupSchema(StrictSchema):
    """Cases that are refused alike."""

    cases: Items[str] = Field(min_length=1, description="Ids of cases")
    error: str = Field(min_length=3, description="Part of the message that autograd gives")
    reason: str = Field(min_length=10)
    link: str = Field(min_length=3, description="The thread, or 'no thread found'")
    both: bool = Field(default=True, description="False: it may be refused in one format only")


class DoubleBackwardSchema(StrictSchema):
    """The whole file."""

    refused: Items[RefusalGroupSchema]


@dataclass(frozen=True)
class MissingDoubleBackwards:
    """What the file says, with the place of everything for messages."""

    path: Path
    positions: Positions
    groups: tuple[RefusalGroupSchema, ...]

    def of(self, case: str) -> MissingDoubleBackward | None:
        """What is known of the case of that id."""
        group = next((group for group in self.groups if case in group.cases), None)
        return None if group is None else MissingDoubleBackward(group.error, group.reason, group.both)

    def check(self, cases: Collection[str], root: Path) -> None:
        """Raise DeclarationError for every case that does not exist in a suite of which others do, or is given twice.

        A file from elsewhere than below `root`, as it is shipped, is of other suites and is not checked against these.
        """
        mistakes = [
            Mistake(self.path.as_posix(), *self.positions.at(location), text)
            for location, text in self._case_mistakes(cases)
        ]
        if mistakes and self.path.resolve().is_relative_to(root.resolve()):
            raise DeclarationError(mistakes)

    def _case_mistakes(self, cases: Collection[str]) -> Iterator[tuple[Location, str]]:
        """Where a case is named that does not exist or was named before, and what to say of it."""
        suites = {case.partition("::")[0] for case in cases}
        before: set[str] = set()
        for index, group in enumerate(self.groups):
            for place, case in enumerate(group.cases):
                location = ("refused", index, "cases", place)
                if case in before:
                    yield location, f"{case!r} is given twice"
                if case.partition("::")[0] in suites and case not in cases:
                    yield location, f"there is no case {case!r}{did_you_mean(case, sorted(cases))}"
                before.add(case)


def load_missing_double_backwards(path: Path) -> MissingDoubleBackwards:
    """Read the file. Raises DeclarationError with all mistakes of YAML and form."""
    schema, positions = read_validated(path, DoubleBackwardSchema, "list of cases without a double backward")
    return MissingDoubleBackwards(path, positions, schema.refused)
