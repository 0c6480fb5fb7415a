"""What an error says, in one line."""

from __future__ import annotations

from typing import Tuple


def first_line(error: BaseException) -> str:
    """The first line of its text; torch's go on with a C++ stack and advice."""
    return (str(error).strip().splitlines() or [""])[0]


def failure(error: BaseException) -> Tuple[str, str]:
    """Its class's name and the first line of its text."""
    return type(error).__name__, first_line(error)


def error_line(error: BaseException) -> str:
    """``ValueError: too small``: its class and its first line."""
    return ": ".join(failure(error))
