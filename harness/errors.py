"""What a user can do wrong, as exceptions that carry the whole message.

UserError
└── (raised by every room; the command line and the pytest plugin print it and exit with 4)
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class UserError(Exception):
    """A mistake in a file, an option or an environment. The text says where, what, and what would be right."""


def nearest(name: object, known: Iterable[str]) -> str:
    """The known name that is most like this one, or nothing where none is like it."""
    return next(iter(difflib.get_close_matches(str(name), list(known), 1)), "")


def did_you_mean(name: object, known: Iterable[str], what: str = "") -> str:
    """The tail of a message about an unknown name: ``; did you mean the tensor 'x'?``, or nothing.

    `what` is what is said before the name: ``the tensor``.
    """
    near = nearest(name, known)
    return f"; did you mean {what and what + ' '}{near!r}?" if near else ""
