"""What is told of the elements that differ: their pattern in one sentence, and the first of them."""

from __future__ import annotations

from typing import Final

import numpy as np

from harness.core import Mismatch, MismatchedElement, Pattern
from harness.core.observation import Array
from harness.oracles.describe_mask import mask_clauses
from harness.oracles.describe_values import value_clause
from harness.oracles.ulps import ulps_between
from harness.oracles.window import Window
from harness.portable.dtypes import FLOATING

NO_PATTERN: Final = "no pattern"
MOST_ELEMENTS_SHOWN: Final = 5


def describe_mismatch(mismatch: Mismatch, tensor: str, window: Window | None = None) -> Pattern:
    """Where the differing elements of a tensor lie and what they hold, in one sentence.

    `window` is that of a call whose outputs are each computed from a window of the input, if it is one.
    """
    clauses = mask_clauses(mismatch.mask, tensor, window)
    value = value_clause(mismatch)
    where = ", ".join(clause.words for clause in clauses)
    sentence = ": ".join(filter(None, (where, value.words if value else "")))
    kinds = [clause.kind for clause in (*clauses, *([value] if value else []))]
    return Pattern(sentence or NO_PATTERN, tuple(dict.fromkeys(kinds)))


def first_elements(mismatch: Mismatch) -> tuple[MismatchedElement, ...]:
    """The first of the differing elements, in the order of their indices; at most five."""
    return tuple(
        _element(mismatch, tuple(int(part) for part in index))
        for index in np.argwhere(mismatch.mask)[:MOST_ELEMENTS_SHOWN]
    )


def _element(mismatch: Mismatch, index: tuple[int, ...]) -> MismatchedElement:
    got, expected = mismatch.got[index], mismatch.expected[index]
    ulps = None
    if mismatch.dtype in FLOATING and np.isfinite(got) and np.isfinite(expected):
        ulps = int(ulps_between(mismatch.dtype, np.atleast_1d(got), np.atleast_1d(expected))[0])
    return MismatchedElement(index, _number_text(got), _number_text(expected), ulps)


def _number_text(number: Array) -> str:
    """The shortest text that is this number and no other of its dtype."""
    return str(number)
