"""What an error says, in one line."""

from __future__ import annotations


def first_line(error: BaseException) -> str:
    """The first line of its text; torch's go on with a C++ stack and advice."""
    return (str(error).strip().splitlines() or [""])[0]


def told(error: BaseException) -> str:
    """``ValueError: too small``: its class and its first line."""
    return f"{type(error).__name__}: {first_line(error)}"
