"""How deep the collections of a YAML text are nested, before anything is composed of them."""

from __future__ import annotations

import re
from typing import Any, Final

import yaml

DEEPEST: Final = 100
"""Far more than any file a person writes; so few that neither composing nor reading nears the limit of recursion."""

_FLOW: Final = re.compile(
    r"""(?<![^\s\[{,:])(?:"(?:\\.|[^"\\])*"|'[^']*')"""  # quoted text; a quote within a word opens none
    r"""|(?<!\S)\#[^\n]*|(?P<opens>[\[{])|(?P<closes>[\]}])""",
    re.DOTALL,
)


def first_too_deep(text: str, loader: type[Any]) -> tuple[int, int] | None:
    """Line and column of the first collection within `DEEPEST` others; nothing if there is none before a mistake.

    Whether a library refuses what is deep, and in what words, depends on its version; so it is not left to that.
    """
    depth = 0
    read: Any = None
    try:
        for event in yaml.parse(text, loader):
            if isinstance(event, yaml.CollectionStartEvent):
                depth += 1
                mark: Any = event.start_mark
                if depth > DEEPEST:
                    return mark.line + 1, mark.column + 1
            elif isinstance(event, yaml.CollectionEndEvent):
                depth -= 1
            read = event.end_mark
    except yaml.MarkedYAMLError as error:
        # A scanner reads on to see whether a bracket begins a key, and may give up there, before the bracket's event.
        return _first_bracket(text, depth, _offset(text, read), _offset(text, error.problem_mark))
    return None


def _offset(text: str, mark: Any) -> int:
    """Where a mark is, counted in characters: the index in a mark is one of bytes in some versions."""
    if not mark:
        return 0
    line, column = int(mark.line), int(mark.column)
    return sum(len(above) + 1 for above in text.split("\n")[:line]) + column


def _first_bracket(text: str, depth: int, start: int, end: int) -> tuple[int, int] | None:
    for bracket in _FLOW.finditer(text, start, end):
        depth += bool(bracket["opens"]) - bool(bracket["closes"])
        if depth > DEEPEST:
            above = text[: bracket.start()]
            return above.count("\n") + 1, len(above) - above.rfind("\n")
    return None
