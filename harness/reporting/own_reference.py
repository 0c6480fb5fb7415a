"""What is said of cases that are their own reference, and what to write in them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

MOST_NAMES: Final = 5
"""Names that a sentence has; of the others it has the count."""

ADVICE: Final = (
    "write reference: in the case, the dotted name of a function that computes the same from the same arguments with "
    "PyTorch's own operators; it may stand in the preload file"
)


def own_reference_sentence(names: Sequence[str]) -> str:
    """That no check of these cases counts, and what to write; nothing where there are none."""
    if not names:
        return ""
    shown = ", ".join(names[:MOST_NAMES])
    more = f" and {len(names) - MOST_NAMES} more" if len(names) > MOST_NAMES else ""
    verb = "is its" if len(names) == 1 else "are their"
    return f"{shown}{more} {verb} own reference, so that no check counts: {ADVICE}"
