"""What the entries of `golden/issues/` and of `golden/models.yaml` have in common, and the mistakes in it."""

from __future__ import annotations

from pathlib import Path

from packaging.version import InvalidVersion, Version
from pydantic import Field

from harness.core import Expression, ExpressionError
from harness.suites import DeclarationError, Location, Mistake, Positions, StrictSchema


class ReleasesSchema(StrictSchema):
    """In which releases of PyTorch something is seen; without a word, in all of them."""

    since: str = Field(default="", description="The first release of PyTorch in which it is seen: 2.9")
    fixed: str = Field(default="", description="The first release of PyTorch without it")


class AcceptanceSchema(ReleasesSchema):
    """Why something is accepted for now, and in which releases of PyTorch."""

    reason: str = Field(min_length=20)
    link: str = Field(min_length=1, description="The PyTorch or oneDNN thread, or 'no thread found'")


def specifier(since: str, fixed: str) -> str:
    """The releases as a PEP 440 specifier: ``>=2.9,<2.14``."""
    bounds = ((">=", since), ("<", fixed))
    return ",".join(f"{sign}{release}" for sign, release in bounds if release)


class Notes:
    """The mistakes in the entries of one file, each at its place."""

    def __init__(self, path: Path, positions: Positions) -> None:
        self.path = path
        self.positions = positions
        self.mistakes: list[Mistake] = []

    def add(self, name: str, message: str, *below: int | str) -> None:
        """Note a mistake in an entry, or in something below it."""
        self.mistakes.append(self.mistake(name, message, *below))

    def mistake(self, name: str, message: str, *below: int | str) -> Mistake:
        """A mistake in an entry, or in something below it."""
        location: Location = ("issues", name, *below)
        return Mistake(self.path.as_posix(), *self.positions.at(location), message)

    def condition(self, name: str, text: str, *below: int | str) -> Expression | None:
        """The condition written in an entry, below it where `below` says; None, and a mistake, for no expression."""
        try:
            return Expression.parse(text)
        except ExpressionError as error:
            self.add(name, error.message, *(below or ("when",)))
            return None

    def releases(self, name: str, schema: ReleasesSchema, *below: int | str) -> str:
        """The releases of an entry, or of a place in it, as a specifier; a mistake for each that is no version."""
        for key, text in (("since", schema.since), ("fixed", schema.fixed)):
            if text and not _is_release(text):
                self.add(name, f"{text!r} is not a release such as '2.15'", *below, key)
                return ""
        return specifier(schema.since, schema.fixed)

    def line(self, name: str, *below: int | str) -> int:
        """The line of an entry, or of something below it."""
        return self.positions.key(("issues", name, *below))[0]

    def raise_if_any(self) -> None:
        """Raise DeclarationError with all that was noted."""
        if self.mistakes:
            raise DeclarationError(self.mistakes)


def _is_release(text: str) -> bool:
    try:
        return not Version(text).local
    except InvalidVersion:
        return False
