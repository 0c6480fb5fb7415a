"""Who is told what runs: a model takes minutes, and a person wants to see that something happens."""

from __future__ import annotations

from collections.abc import Callable

Announce = Callable[[str], None]
"""Takes a few words about the stage that begins."""


def announce_nothing(stage: str) -> None:
    """Where nobody looks on."""
    del stage
