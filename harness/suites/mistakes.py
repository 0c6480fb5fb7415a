"""What a person got wrong in a file: where, what, and what would be right."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from harness.errors import UserError, did_you_mean

LONGEST_MESSAGE: Final = 1000
"""Characters of a message that are printed; what is longer repeats a text that nobody reads twice."""

MOST_MISTAKES: Final = 100
"""Mistakes of one file that are printed; who has more has made the same one everywhere."""

MOST_LISTED: Final = 40
"""Names that a message lists."""


@dataclass(frozen=True, order=True)
class Mistake:
    """One mistake. `line` and `column` count from 1, as editors do."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        message = self.message if len(self.message) <= LONGEST_MESSAGE else f"{self.message[: LONGEST_MESSAGE - 3]}..."
        return f"{self.file}:{self.line}:{self.column}: {message}"


class DeclarationError(UserError):
    """All mistakes of one file, in the order of the file; the text has a line for each of the first `MOST_MISTAKES`.

    With so many of them the rest of the file may not have been looked at; it is not complete then.
    """

    def __init__(self, mistakes: Iterable[Mistake], *, is_complete: bool = True) -> None:
        self.mistakes = tuple(sorted(set(mistakes)))
        self.is_complete = is_complete
        super().__init__("\n".join(self._lines()))

    def _lines(self) -> Iterator[str]:
        yield from map(str, self.mistakes[:MOST_MISTAKES])
        if len(self.mistakes) > MOST_MISTAKES:
            yield f"and {len(self.mistakes) - MOST_MISTAKES} more"
        if not self.is_complete:
            yield "with so many mistakes the rest of the file was not looked at"

    def __reduce__(self) -> tuple[Callable[..., DeclarationError], tuple[tuple[Mistake, ...]]]:
        return functools.partial(type(self), is_complete=self.is_complete), (self.mistakes,)


def suggestion(name: object, known: Collection[str], *, otherwise: str = "known are") -> str:
    """The tail of a message about an unknown name: the nearest known one, else all of them."""
    listed = [*known][:MOST_LISTED] + ["..."] * (len(known) > MOST_LISTED)
    return did_you_mean(name, known) or (f"; {otherwise} {', '.join(listed)}" if known else "")
