"""Reading `golden/double_backward.yaml`: the cases that have no second derivative, each with its reason."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field

from harness.core import MissingDoubleBackward
from harness.errors import did_you_mean
from harness.golden.release import ReleaseRange, SeenReleases, release_mistakes
from harness.suites import (
    MOST_MISTAKES,
    DeclarationError,
    Items,
    Location,
    Mistake,
    Positions,
    StrictSchema,
    read_validated,
)

DOUBLE_BACKWARD_FILE: Final = "golden/double_backward.yaml"
"""Where it lies below the root of a project."""


class RefusalGroupSchema(StrictSchema):
    """Cases that are refused alike."""

    cases: Items[str] = Field(min_length=1, description="Ids of cases")
    error: str = Field(min_length=3, description="Part of the message that autograd gives")
    reason: str = Field(min_length=10)
    link: str = Field(min_length=3, description="The thread, or 'no thread found'")
    torch: str = Field(default="", description="The releases of PyTorch, such as '<=2.6'; those that are verified else")
    both: bool = Field(default=True, description="False: it may be refused in one format only")


class DoubleBackwardSchema(StrictSchema):
    """The whole file."""

    verified: Items[str] = Field(description="The releases of PyTorch in which the groups were seen")
    refused: Items[RefusalGroupSchema]

    def releases(self, group: RefusalGroupSchema) -> SeenReleases:
        """The releases in which a group was seen."""
        return SeenReleases(ReleaseRange(group.torch), self.verified)


@dataclass(frozen=True)
class MissingDoubleBackwards:
    """What the file says, with the place of everything for messages."""

    path: Path
    positions: Positions
    content: DoubleBackwardSchema

    def of(self, case: str, release: str) -> MissingDoubleBackward | None:
        """What is known of the case of that id in a release of PyTorch.

        What was seen in other releases only is no claim about this one: a refusal is accepted, and a double backward
        that there is here is no mistake.
        """
        for group in self.content.refused:
            if case in group.cases and ReleaseRange(group.torch).covers(release):
                is_verified = self.content.releases(group).is_seen(release)
                return MissingDoubleBackward(group.error, group.reason, group.both, is_verified)
        return None

    def releases(self, case: str) -> tuple[SeenReleases, ...]:
        """Of which releases something is known of the case of that id, group by group."""
        return tuple(self.content.releases(group) for group in self.content.refused if case in group.cases)

    def check(self, cases: Collection[str], root: Path) -> None:
        """Raise DeclarationError for every case that does not exist in a suite of which others do, or is given twice.

        A file from elsewhere than below `root`, as it is shipped, is of other suites and is not checked against these.
        """
        mistakes = [
            Mistake(self.path.as_posix(), *self.positions.at(location), text)
            for location, text in itertools.islice(self._case_mistakes(cases), MOST_MISTAKES)
        ]
        if mistakes and self.path.resolve().is_relative_to(root.resolve()):
            raise DeclarationError(mistakes)

    def _case_mistakes(self, cases: Collection[str]) -> Iterator[tuple[Location, str]]:
        """Where a case is named that does not exist or was named before, and what to say of it."""
        suites = {case.partition("::")[0] for case in cases}
        before: set[tuple[str, str]] = set()
        for index, group in enumerate(self.content.refused):
            for place, case in enumerate(group.cases):
                location = ("refused", index, "cases", place)
                if (case, group.torch) in before:
                    yield location, f"{case!r} is given twice"
                if case.partition("::")[0] in suites and case not in cases:
                    yield location, f"there is no case {case!r}{did_you_mean(case, sorted(cases))}"
                before.add((case, group.torch))


def load_missing_double_backwards(path: Path) -> MissingDoubleBackwards:
    """Read the file. Raises DeclarationError with all mistakes of YAML and form."""
    schema, positions = read_validated(path, DoubleBackwardSchema, "list of cases without a double backward")
    mistakes = [
        *release_mistakes(schema.verified),
        *(
            (("refused", index, "torch"), f"{group.torch!r} is not a range of releases such as '<=2.6'")
            for index, group in enumerate(schema.refused)
            if ReleaseRange.parse(group.torch) is None
        ),
    ]
    if mistakes:
        raise DeclarationError([Mistake(path.as_posix(), *positions.at(where), text) for where, text in mistakes])
    return MissingDoubleBackwards(path, positions, schema)
