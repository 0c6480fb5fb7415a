"""The condition of a fault, from examples that show it and examples that do not: one choice changed at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

from harness.core import Expression
from harness.portable.memory_format import MEMORY_FORMATS

Trials: TypeAlias = "Sequence[tuple[Any, bool]]"
"""Values of one choice, and whether the fault shows with each."""


def find_conjunct(name: str, trials: Trials) -> str:
    """The shortest condition on one choice that is true of the values with the fault and of none without it.

    Nothing where the choice does not matter: the fault shows with every value. `name` is that of the choice in a
    condition; layouts are told apart by their format and view.
    """
    failing = [value for value, fails in trials if fails]
    passing = [value for value, fails in trials if not fails]
    if not passing:
        return ""
    candidates = [*_flags(name, failing), *_bounds(name, failing, passing), *_formats(name, failing)]
    candidates += [*_equalities(name, failing, passing)]
    return next(text for text in candidates if _separates(text, name, trials))


def _separates(text: str, name: str, trials: Trials) -> bool:
    """Whether the condition is true of exactly the values with the fault."""
    return all(bool(_evaluate(text, name, value)) is fails for value, fails in trials)


def _evaluate(text: str, name: str, value: Any) -> Any:
    """The condition for a value of ``W``, or of one position of ``stride[1]``."""
    base, bracket, position = name.partition("[")
    if not bracket:
        return Expression.parse(text).evaluate({base: value})
    return Expression.parse(text).evaluate({base: (value,) * (int(position.rstrip("]")) + 1)})


def _flags(name: str, failing: Sequence[Any]) -> list[str]:
    return [name if failing[0] else f"not {name}"] if all(isinstance(value, bool) for value in failing) else []


def _bounds(name: str, failing: Sequence[Any], passing: Sequence[Any]) -> list[str]:
    """Numbers on one side of all that pass; the bound is where nothing lies between, else at the last that fails."""
    if not all(type(value) is int for value in [*failing, *passing]):
        return []
    below = [value for value in passing if value < min(failing)]
    above = [value for value in passing if value > max(failing)]
    texts = [f"{name} == {failing[0]}"] if len(failing) == 1 and not below and above else []
    if below and not above:
        texts.append(f"{name} > {max(below)}" if max(below) + 1 == min(failing) else f"{name} >= {min(failing)}")
    if above and not below:
        texts.append(f"{name} < {min(above)}" if max(failing) + 1 == min(above) else f"{name} <= {max(failing)}")
    return texts


def _formats(name: str, failing: Sequence[Any]) -> list[str]:
    """Conditions on the words of layouts: ``'channels_last' in layout_input``."""
    if not all(isinstance(value, str) for value in failing):
        return []
    words = dict.fromkeys([*MEMORY_FORMATS, *(value.partition(":")[2] for value in failing if ":" in value)])
    texts = [f"{word!r} {sign} {name}" for sign in ("in", "not in") for word in words]
    return texts if name.startswith("layout_") else []


def _equalities(name: str, failing: Sequence[Any], passing: Sequence[Any]) -> list[str]:
    """What always separates: lists of values, the shorter one first."""
    texts = []
    if len(failing) == 1:
        texts.append(f"{name} == {failing[0]!r}")
    if len(passing) == 1:
        texts.append(f"{name} != {passing[0]!r}")
    lists = [f"{name} in {tuple(failing)!r}", f"{name} not in {tuple(passing)!r}"]
    return [*texts, *(lists if len(failing) <= len(passing) else reversed(lists))]
