"""What a ``-k`` selects, before pytest has collected anything to select from."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from _pytest.mark.expression import Expression  # pytest has no public way to read a -k before it collects

from harness.core import Case


def matching_items(keyword: str, items: Iterable[str]) -> list[str]:
    """Those of these node ids that a ``-k`` selects; all without one, and where pytest will refuse it."""
    try:
        expression = Expression.compile(keyword)
    except SyntaxError:
        return list(items)

    def selects(item: str) -> bool:
        """Whether the expression is true of the parts of the id, in whatever case."""

        def is_in_id(word: str, /, **_: object) -> bool:
            return word.lower() in item.lower()

        return expression.evaluate(is_in_id)

    return [item for item in items if not keyword or selects(item)]


def selected_cases(keyword: str, cases: Iterable[Case]) -> Sequence[Case]:
    """Those cases of which a ``-k`` selects an item."""
    return [case for case in cases if matching_items(keyword, [f"{case.id}[{dtype}]" for dtype in case.every_dtype])]
