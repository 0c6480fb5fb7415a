"""How large and how deep a YAML text may be, looked at before anything is composed of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

import yaml

DEEPEST: Final = 100
"""Far more than any file a person writes; so few that neither composing nor reading nears the limit of recursion."""

MOST_VALUES: Final = 50_000
"""Values of a file, keys and those of aliases included; four times as many as the largest file of golden/ has."""

MOST_ENTRIES: Final = 1000
"""Entries of a list or mapping, so that what compares each with each stays short; ten times as many as there are."""

LONGEST_TEXT: Final = 10_000
"""Characters of a text; fifteen times as many as the longest there is."""

LONGEST_KEY: Final = 1000
"""Characters of a key; eight times as many as the longest line of a layout contract."""

TOO_DEEP: Final = f"nested too deeply to be read: more than {DEEPEST} lists and mappings in one another"

_FLOW: Final = re.compile(
    r"""(?<![^\s\[{,:])(?:"(?:\\.|[^"\\])*"|'[^']*')"""  # quoted text; a quote within a word opens none
    r"""|(?<!\S)\#[^\n]*|(?P<opens>[\[{])|(?P<closes>[\]}])""",
    re.DOTALL,
)


@dataclass(frozen=True)
class Excess:
    """What of a text is beyond a limit; `line` and `column` count from 1."""

    line: int
    column: int
    message: str


def first_excess(text: str, loader: type[Any]) -> Excess | None:
    """The first value beyond a limit; nothing if there is none before a mistake.

    Whether a library refuses what is deep, and in what words, depends on its version; so it is not left to that.
    """
    looker = _Looker()
    read: Any = None
    try:
        for event in yaml.parse(text, loader):
            if message := looker.look(event):
                mark: Any = event.start_mark
                return Excess(mark.line + 1, mark.column + 1, message)
            read = event.end_mark
    except yaml.MarkedYAMLError as error:
        # A scanner reads on to see whether a bracket begins a key, and may give up there, before the bracket's event.
        return _first_bracket(text, len(looker.room), _offset(text, read), _offset(text, error.problem_mark))
    return None


class _Looker:
    """Looks at the events of a text, and counts."""

    def __init__(self) -> None:
        self.values = 0
        self.room: list[int] = []
        """How many more nodes each open collection may have; an entry of a mapping is two."""

    def look(self, event: yaml.Event) -> str:
        """What is beyond a limit with this event; nothing where it is within all."""
        if isinstance(event, yaml.CollectionEndEvent):
            self.room.pop()
        if not isinstance(event, yaml.NodeEvent):
            return ""
        self.values += 1
        if self.room:
            self.room[-1] -= 1
        problem = self._excess(event)
        if isinstance(event, yaml.CollectionStartEvent):
            self.room.append(MOST_ENTRIES * (2 if isinstance(event, yaml.MappingStartEvent) else 1))
        return problem

    def _excess(self, event: yaml.NodeEvent) -> str:
        if isinstance(event, yaml.CollectionStartEvent) and len(self.room) == DEEPEST:
            return TOO_DEEP
        if self.values > MOST_VALUES:
            return f"a file has at most {MOST_VALUES} values; write several files"
        if self.room and self.room[-1] < 0:
            return f"a list or mapping has at most {MOST_ENTRIES} entries"
        if isinstance(event, yaml.ScalarEvent) and len(event.value) > LONGEST_TEXT:
            return f"a text has at most {LONGEST_TEXT} characters, and this has {len(event.value)}"
        return ""


def _offset(text: str, mark: Any) -> int:
    """Where a mark is, counted in characters: the index in a mark is one of bytes in some versions."""
    if not mark:
        return 0
    line, column = int(mark.line), int(mark.column)
    return sum(len(above) + 1 for above in text.split("\n")[:line]) + column


def _first_bracket(text: str, depth: int, start: int, end: int) -> Excess | None:
    for bracket in _FLOW.finditer(text, start, end):
        depth += bool(bracket["opens"]) - bool(bracket["closes"])
        if depth > DEEPEST:
            above = text[: bracket.start()]
            return Excess(above.count("\n") + 1, len(above) - above.rfind("\n"), TOO_DEEP)
    return None
