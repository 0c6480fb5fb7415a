"""Which names an expression may use where it stands, and a trial of it with the simplest values."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import Any

from harness.core import Expression, ExpressionError
from harness.core.expression import offset_of
from harness.suites.mistakes import suggestion
from harness.suites.positions import Location
from harness.suites.validation import Report


class Scope:
    """The sizes of one case, as they become known one after the other."""

    def __init__(self, report: Report, case: str, names: tuple[str, ...]) -> None:
        self.report = report
        self.case = case
        self.names = names
        self.drawn: dict[str, Any] = {}
        """The sizes before this point, each with its simplest value."""
        self.unsure: set[str] = set()
        """Those of them whose declaration is mistaken, so that no value can be tried."""
        self.trusted = True
        """Whether the simplest values may occur together; a `require` can exclude them."""

    def draw(self, name: str, simplest: Any) -> None:
        """From here on `name` may be used; None for one whose declaration is mistaken."""
        self.drawn[name] = simplest
        if simplest is None:
            self.unsure.add(name)

    def parse(
        self, text: str | int, at: Location, *, user: str = "", offset: int = 0, hint: str = ""
    ) -> Expression | None:
        """The expression, or None and a mistake.

        `user` is the size being declared, for what is used too early; `offset` is where in the value at `at` the text
        begins; `hint` ends the message about an unknown name.
        """
        try:
            expression = Expression.parse(text)
            self._refuse_unknown(expression, user, hint)
            self.value(expression)
        except ExpressionError as error:
            self.report.add(at, error.message, offset=offset + error.offset)
            return None
        return expression

    def value(self, expression: Expression) -> Any:
        """What the expression gives for the simplest values; None where that cannot be told."""
        if not self.trusted or expression.names & self.unsure:
            return None
        return expression.evaluate(self.drawn)

    def _refuse_unknown(self, expression: Expression, user: str, hint: str) -> None:
        for node in ast.walk(expression.tree):
            if isinstance(node, ast.Name) and node.id in expression.names - self.drawn.keys():
                raise ExpressionError(self._unknown(node.id, user, hint), offset_of(node, expression.text))

    def _unknown(self, name: str, user: str, hint: str) -> str:
        if name == user:
            return f"{name!r} cannot use itself"
        if name in self.names and user:
            return f"{name!r} is used before it is drawn; declare it above {user!r}"
        return f"{name!r} is not a size of {self.case!r}{suggestion(name, self.names, otherwise='its sizes are')}{hint}"


def is_whole(value: Any) -> bool:
    """Whether this is a whole number, and not True or False."""
    return isinstance(value, int) and not isinstance(value, bool)


def constant_value(expression: Expression | None, values: Mapping[str, Any]) -> Any:
    """The value of an expression whose names are all among `values`; None otherwise, or where it has none."""
    if expression is None or not expression.names <= values.keys():
        return None
    try:
        return expression.evaluate(values)
    except ExpressionError:
        return None
