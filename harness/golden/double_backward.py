"""Reading `golden/double_backward.yaml`: the cases that have no second derivative, each with its reason."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from harness.core import MissingDoubleBackward
from harness.errors import did_you_mean
from harness.suites import DeclarationError, Items, Mistake, Positions, Strict, read_validated


class Group(Strict):
    """Cases that are refused alike."""

    cases: Items[str] = Field(min_length=1, description="Ids of cases")
    error: str = Field(min_length=3, description="Part of the message that autograd gives")
    reason: str = Field(min_length=10)
    link: str = Field(min_length=3, description="The thread, or 'no thread found'")
    both: bool = Field(default=True, description="False: it may be refused in one format only")


class DoubleFile(Strict):
    """The whole file."""

    refused: Items[Group]


@dataclass(frozen=True)
class MissingDoubleBackwards:
    """What the file says, with the place of everything for messages."""

    path: Path
    positions: Positions
    groups: tuple[Group, ...]

    def of(self, case: str) -> MissingDoubleBackward | None:
        """What is known of the case of that id."""
        found = next((group for group in self.groups if case in group.cases), None)
        return None if found is None else MissingDoubleBackward(found.error, found.reason, found.both)

    def check(self, cases: Collection[str], root: Path) -> None:
        """Raise DeclarationError for every case that does not exist in a suite of which others do, or is given twice.

        A file from elsewhere than below `root`, as it is shipped, is of other suites and is not checked against these.
        """
        suites = {case.partition("::")[0] for case in cases}
        seen: set[str] = set()
        wrong = []
        for index, group in enumerate(self.groups):
            for place, case in enumerate(group.cases):
                at = self.positions.at(("refused", index, "cases", place))
                if case in seen:
                    wrong.append(Mistake(self.path.as_posix(), *at, f"{case!r} is given twice"))
                if case.partition("::")[0] in suites and case not in cases:
                    said = f"there is no case {case!r}{did_you_mean(case, sorted(cases))}"
                    wrong.append(Mistake(self.path.as_posix(), *at, said))
                seen.add(case)
        if wrong and self.path.resolve().is_relative_to(root.resolve()):
            raise DeclarationError(wrong)


def load_missing_double_backwards(path: Path) -> MissingDoubleBackwards:
    """Read the file. Raises DeclarationError with all mistakes of YAML and form."""
    schema, positions = read_validated(path, DoubleFile, "list of cases without a double backward")
    return MissingDoubleBackwards(path, positions, schema.refused)
