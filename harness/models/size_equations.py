"""The sizes of an operator's case, solved from what its expressions came to in a call."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from harness.core import Case, Expression, ExpressionError, Size
from harness.models.function_call import ArgumentValue

LARGEST: Final = 4096
"""No size of a case is solved for beyond this."""

_LEFT_OUT: Final = re.compile(r"None if (?P<flag>\w+) else (?P<size>\w+)")

Sizes = dict[str, Any]
"""Size → its value: a number, a word, or a tuple of these."""


class Equation(NamedTuple):
    """What a declaration has, and what it came to in the call."""

    expression: Expression
    value: ArgumentValue

    def is_true_of(self, sizes: Mapping[str, Any]) -> bool:
        """Whether these sizes make the expression come out. Raises ExpressionError where it has no value."""
        return is_same_value(self.expression.evaluate(sizes), self.value)


def solve_sizes(case: Case, equations: Sequence[Equation]) -> Sizes | None:
    """Values of all sizes that fit the equations, one unknown at a time; None where that does not give all of them."""
    sizes: Sizes = {}
    equations = [part for equation in equations for part in _alternatives(equation)]
    lengths = {size.name: size.length for size in case.sizes}
    progress = True
    while progress:
        progress = False
        for equation in equations:
            unknown = equation.expression.names - sizes.keys()
            if len(unknown) != 1:
                continue
            name = next(iter(unknown))
            solution = next(_solutions(equation, name, sizes, lengths.get(name, 0)), None)
            if solution is not None:
                sizes[name] = solution
                progress = True
    return _with_open_sizes(case, sizes, equations)


def _alternatives(equation: Equation) -> Iterator[Equation]:
    """The equation, or what it says of each name of ``None if flag else size``."""
    match = _LEFT_OUT.fullmatch(equation.expression.text)
    if match is None or equation.value is None:
        yield equation
        return
    yield Equation(Expression.parse(match["flag"]), value=False)
    yield Equation(Expression.parse(match["size"]), equation.value)


def _with_open_sizes(case: Case, sizes: Sizes, equations: Sequence[Equation]) -> Sizes | None:
    """With the sizes that are left: tuples element by element, choices as the simplest; None where one stays open."""
    for size in case.sizes:
        if size.name in sizes:
            continue
        elements = [_element(size.name, index, equations) for index in range(size.length)]
        if size.length and all(element is not None for element in elements):
            sizes[size.name] = tuple(elements)
        elif size.kind == "choice" and not size.length:
            sizes[size.name] = size.choices[0]
        else:
            return None
    return sizes


def _element(name: str, index: int, equations: Sequence[Equation]) -> ArgumentValue:
    """One element of a tuple that the equations name alone: ``kernel[0]``."""
    return next((equation.value for equation in equations if equation.expression.text == f"{name}[{index}]"), None)


def _solutions(equation: Equation, name: str, sizes: Mapping[str, Any], length: int) -> Iterator[Any]:
    """The values of one size that make the expression come out."""
    expression, value = equation
    if expression.text == name:
        yield value if isinstance(value, tuple) or not length else (value,) * length
        return
    if length or isinstance(value, bool) or not isinstance(value, int):
        return
    for candidate in (value, *range(LARGEST)):
        try:
            if expression.evaluate({**sizes, name: candidate}) == value:
                yield candidate
        except ExpressionError:
            return


def can_have(size: Size, value: Any) -> bool:
    """Whether a size can have the value: a convolution's padding may be a word in the call."""
    if size.length and not (isinstance(value, tuple) and len(value) == size.length):
        return False
    parts = value if size.length else (value,)
    return size.kind == "choice" or all(isinstance(part, int) and not isinstance(part, bool) for part in parts)


def is_same_value(declared: Any, value: Any) -> bool:
    """Equal, one number standing for a tuple of it; a flag that is None, as ``align_corners``, is off."""
    if declared is False and value is None:
        return True
    if isinstance(declared, tuple) != isinstance(value, tuple):
        several, single = (declared, value) if isinstance(declared, tuple) else (value, declared)
        return all(part == single for part in several)
    return bool(declared == value)
