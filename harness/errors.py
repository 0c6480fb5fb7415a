"""What a user can do wrong, as exceptions that carry the whole message.

UserError
└── UndrawableError: nothing can be drawn of a case or a model
(Raised by every room; the command line and the pytest plugin print it and exit with 4.)
"""

from __future__ import annotations

import difflib
import itertools
from collections.abc import Iterable
from typing import Final

LONGEST_NAME: Final = 200
MOST_COMPARED: Final = 1000
"""Of more and longer names than a person writes, finding the nearest takes minutes."""


class UserError(Exception):
    """A mistake in a file, an option or an environment. The text says where, what, and what would be right."""


def system_refusal(error: OSError) -> UserError:
    """What the operating system would not do, as a mistake of whoever asked for it: of which file, and why."""
    reason = error.strerror or str(error) or type(error).__name__
    return UserError(f"{error.filename}: {reason}" if error.filename is not None else reason)


class UndrawableError(UserError):
    """A case or a model of which no example can be made. `message` says why, without saying of which."""

    def __init__(self, declared: str, message: str) -> None:
        super().__init__(f"{declared}: {message}")
        self.message = message


def nearest(name: object, known: Iterable[str]) -> str:
    """The known name that is most like this one, or nothing where none is like it.

    Only names of at most `LONGEST_NAME` characters are compared, and the first `MOST_COMPARED` of those known.
    """
    names = [each for each in itertools.islice(known, MOST_COMPARED) if len(each) <= LONGEST_NAME]
    return next(iter(difflib.get_close_matches(str(name), names, 1)), "") if len(str(name)) <= LONGEST_NAME else ""


def did_you_mean(name: object, known: Iterable[str], what: str = "") -> str:
    """The tail of a message about an unknown name: ``; did you mean the tensor 'x'?``, or nothing.

    `what` is what is said before the name: ``the tensor``.
    """
    near = nearest(name, known)
    return f"; did you mean {what and what + ' '}{near!r}?" if near else ""
