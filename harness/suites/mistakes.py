"""What a person got wrong in a file: where, what, and what would be right."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from harness.errors import UserError, did_you_mean


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake. `line` and `column` count from 1, as editors do."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class DeclarationError(UserError):
    """All mistakes of one file, in the order of the file; the text has one line for each."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        super().__init__("\n".join(str(mistake) for mistake in self.mistakes))

    def __reduce__(self) -> tuple[type[DeclarationError], tuple[tuple[Mistake, ...]]]:
        return type(self), (self.mistakes,)


def suggestion(name: object, known: Collection[str], *, otherwise: str = "known are") -> str:
    """The tail of a message about an unknown name: the nearest known one, else all of them."""
    return did_you_mean(name, known) or (f"; {otherwise} {', '.join(known)}" if known else "")
