"""A YAML file as data, with the place of everything, and with what PyYAML would let pass reported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import Node

from harness.core.text_file import UnreadableFileError, place_after, read_text_file, real_path
from harness.suites.limits import first_excess
from harness.suites.mistakes import DeclarationError, Mistake
from harness.suites.node_reader import NodeReader
from harness.suites.positions import Positions
from harness.suites.scalars import UNPRINTABLE

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_BARE_INDEX: Final = re.compile(r"\w\[\d")


@dataclass(frozen=True)
class Document:
    """What a file says. `name` is that of the file in messages; `mistakes` are those of the YAML itself."""

    path: Path
    name: str
    data: Any
    positions: Positions
    mistakes: tuple[Mistake, ...]


def read_document(path: Path | str, label: str = "document", name: str | None = None) -> Document:
    """Read a YAML file. `label` says what it should hold (``suite``), `name` is that of the file in messages.

    Raises DeclarationError when there is nothing to go on: no such file, not text, not YAML, empty. Mistakes that leave
    the rest readable (a key given twice, ``no`` for False, ``1e-5``) are kept in the document, for `validate` to raise.
    """
    path = Path(path)
    name = name or path.as_posix()
    text = _text(path, name)
    reader = NodeReader(name)
    root = _root_node(text, name)
    if root is None:
        raise DeclarationError([Mistake(name, 1, 1, f"the file is empty; a {label} was expected")])
    reader.count(root, ())
    data = reader.read(root)
    return Document(path, name, data, Positions(root), tuple(reader.mistakes))


def display_path(path: Path, root: Path) -> str:
    """The path as messages and ids name it: below `root`, posix; a file elsewhere keeps the path it was given."""
    try:
        return real_path(path).relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def _text(path: Path, name: str) -> str:
    try:
        text = read_text_file(path)
    except UnreadableFileError as error:
        raise DeclarationError([Mistake(name, error.line, error.column, error.problem)]) from None
    if match := UNPRINTABLE.search(text):
        message = f"not text: character 0x{ord(match[0]):02x}; is this a YAML file?"
        raise DeclarationError([Mistake(name, *place_after(text[: match.start()]), message)])
    return text


def _root_node(text: str, name: str) -> Node | None:
    loader = None
    try:
        if excess := first_excess(text, _LOADER):
            raise DeclarationError([Mistake(name, excess.line, excess.column, excess.message)])
        loader = _LOADER(text)
        node: Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        written = text.splitlines()[line : line + 1]
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        hint = "; an expression with [ ] needs quotes here" if written and _BARE_INDEX.search(written[0]) else ""
        place = (line + 1, mark.column + 1 if mark else 1)
        raise DeclarationError([Mistake(name, *place, f"not YAML: {problem}{hint}")]) from None
    except yaml.YAMLError as error:  # a character that the library takes for none
        raise DeclarationError([Mistake(name, 1, 1, f"not YAML: {error}")]) from None
    finally:
        if loader is not None:
            loader.dispose()
    return node
