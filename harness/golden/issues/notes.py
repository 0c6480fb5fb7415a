"""What the entries of `golden/issues/` and of `golden/models.yaml` have in common, and the mistakes in it."""

from __future__ import annotations

from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import Field

from harness.core import Expression, ExpressionError
from harness.suites import DeclarationError, Location, Mistake, Positions, StrictSchema


class AcceptanceSchema(StrictSchema):
    """Why something is accepted for now, and in which releases of PyTorch."""

    reason: str = Field(min_length=20)
    link: str = Field(min_length=1, description="The PyTorch or oneDNN thread, or 'no thread found'")
    torch: str = Field(default="", description="PEP 440 specifier of the PyTorch versions that have it")


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

    def condition(self, name: str, text: str) -> Expression | None:
        """The condition of an entry; None, and a mistake, for what is no expression."""
        try:
            return Expression.parse(text)
        except ExpressionError as error:
            self.add(name, error.message, "when")
            return None

    def releases(self, name: str, text: str) -> None:
        """Note a mistake where the `torch` of an entry is no PEP 440 specifier."""
        try:
            SpecifierSet(text)
        except InvalidSpecifier:
            self.add(name, f"{text!r} is not a version specifier such as '>=2.13,<2.16'", "torch")

    def line(self, name: str) -> int:
        """The line of an entry."""
        return self.positions.key(("issues", name))[0]

    def raise_if_any(self) -> None:
        """Raise DeclarationError with all that was noted."""
        if self.mistakes:
            raise DeclarationError(self.mistakes)
