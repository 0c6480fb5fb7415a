"""Text that a record, a suite or a library brought along, made harmless where it is printed.

A reason or an error text may hold anything: escape sequences that colour or clear a terminal, line breaks that forge
lines of ours, marks that turn the direction of what follows, or ten thousand characters.
"""

from __future__ import annotations

import html
import re
from typing import Final

HIDDEN: Final = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
"""Control characters but tab and newline, marks that reorder text or have no width, and halves of surrogate pairs."""

LONGEST_LINE: Final = 500
"""Characters of foreign text that stand in one line of a list or a table; the record has all of it."""

_MARKDOWN: Final = re.compile(r"([\\`*_\[\]|~#])")
_ENTITIES: Final = str.maketrans({"<": "&lt;", "&": "&amp;", "@": "&#64;"})


class Markdown(str):
    """Text that is Markdown already, and is not escaped again."""

    __slots__ = ()


def visible_text(text: str) -> str:
    r"""The text with every hidden character written out as Python does it, such as ``\x1b``; line breaks stay."""
    return HIDDEN.sub(lambda match: match.group().encode("unicode_escape").decode("ascii"), text)


def visible_value(value: object) -> object:
    """What a template prints for a terminal: text without hidden characters, anything else as it is."""
    return visible_text(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def one_line(text: str, most: int = LONGEST_LINE) -> str:
    """The text in one line of about so many characters at most: white space is folded, what is cut off is counted."""
    folded = visible_text(" ".join(text.split()))
    cut = f"{folded[:most]}… ({len(folded) - most} characters more)"
    return cut if len(cut) < len(folded) else folded


def markdown_text(text: str, most: int = LONGEST_LINE) -> Markdown:
    """The text in one line in which nothing is Markdown or HTML, in a table neither.

    What counts at the start of a line alone is left: a template begins no line with foreign text.
    """
    return Markdown(_MARKDOWN.sub(r"\\\1", one_line(text, most)).translate(_ENTITIES))


def markdown_html(text: str, most: int = LONGEST_LINE) -> Markdown:
    """The text in one line for an element of HTML in Markdown, in which nothing is Markdown anyway."""
    return Markdown(html.escape(one_line(text, most)))


def markdown_block(text: str, language: str = "") -> Markdown:
    """The text as a block of code, in a fence that is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return Markdown(f"{fence}{language}\n{visible_text(text)}\n{fence}")


def markdown_value(value: object) -> object:
    """What a template of Markdown prints: text escaped, unless it is Markdown already; anything else as it is."""
    return markdown_text(value) if isinstance(value, str) and not isinstance(value, Markdown) else value
