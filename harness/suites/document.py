"""A YAML file as data, with the place of everything, and with what PyYAML would let pass reported."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from harness.core.text_file import UnreadableFileError, place_after, read_text_file
from harness.suites.mistakes import DeclarationError, Mistake
from harness.suites.nesting import DEEPEST, first_too_deep
from harness.suites.positions import Positions
from harness.suites.scalars import read_scalar

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")
_BARE_INDEX: Final = re.compile(r"\w\[\d")
_MOST_VALUES: Final = 200_000
"""More values than any file a person writes; fewer than nested aliases make in a few lines."""
_TOO_DEEP: Final = f"nested too deeply to be read: more than {DEEPEST} lists and mappings in one another"


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
    reader = _NodeReader(name)
    root = _root_node(text, name)
    if root is None:
        raise DeclarationError([Mistake(name, 1, 1, f"the file is empty; a {label} was expected")])
    reader.count(root, ())
    data = reader.read(root)
    return Document(path, name, data, Positions(root), tuple(reader.mistakes))


def display_path(path: Path, root: Path) -> str:
    """The path as messages and ids name it: below `root`, posix; a file elsewhere keeps the path it was given."""
    try:
        return path.resolve().relative_to(root.resolve()).as_posix()
    except ValueError:
        return path.as_posix()


def _text(path: Path, name: str) -> str:
    try:
        text = read_text_file(path)
    except UnreadableFileError as error:
        raise DeclarationError([Mistake(name, error.line, error.column, error.problem)]) from None
    if match := _UNPRINTABLE.search(text):
        message = f"not text: character 0x{ord(match[0]):02x}; is this a YAML file?"
        raise DeclarationError([Mistake(name, *place_after(text[: match.start()]), message)])
    return text


def _root_node(text: str, name: str) -> Node | None:
    if place := first_too_deep(text, _LOADER):
        raise DeclarationError([Mistake(name, *place, _TOO_DEEP)])
    loader = _LOADER(text)
    try:
        node: Node | None = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line if mark else 0
        written = text.splitlines()[line : line + 1]
        problem = ", ".join(part for part in (error.context, error.problem) if part)
        hint = "; an expression with [ ] needs quotes here" if written and _BARE_INDEX.search(written[0]) else ""
        place = (line + 1, mark.column + 1 if mark else 1)
        raise DeclarationError([Mistake(name, *place, f"not YAML: {problem}{hint}")]) from None
    finally:
        loader.dispose()
    return node


class _NodeReader:
    """Turns nodes into data and collects what is wrong with the nodes themselves."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.mistakes: list[Mistake] = []
        self._counts: dict[int, int] = {}
        self._heights: dict[int, int] = {}
        self._values: dict[int, Any] = {}

    def count(self, node: Node, above: tuple[int, ...]) -> int:
        """The number of values below a node, aliases written out.

        Raises DeclarationError when there is no end, or when aliases nest what is not nested where it is written.
        """
        if isinstance(node, ScalarNode):
            return 1
        if id(node) in above:
            raise DeclarationError([self._mistake(node, "an alias contains itself; write the value out")])
        if id(node) not in self._counts:
            children = [part for item in node.value for part in (item if isinstance(item, tuple) else (item,))]
            total = 1 + sum(self.count(child, (*above, id(node))) for child in children)
            if total > _MOST_VALUES:
                message = f"aliases make more than {_MOST_VALUES} values of this; write it without aliases"
                raise DeclarationError([self._mistake(node, message)])
            self._heights[id(node)] = 1 + max((self._heights.get(id(child), 0) for child in children), default=0)
            if self._heights[id(node)] > DEEPEST:
                raise DeclarationError([self._mistake(node, _TOO_DEEP)])
            self._counts[id(node)] = total
        return self._counts[id(node)]

    def read(self, node: Node) -> Any:
        """The data of a node; an alias gives the same object again and no second mistake."""
        if id(node) not in self._values:
            self._values[id(node)] = self._read_node(node)
        return self._values[id(node)]

    def _read_node(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            value, problem = read_scalar(node)
            if problem:
                self.mistakes.append(self._mistake(node, problem))
            return value
        kind = "seq" if isinstance(node, SequenceNode) else "map"
        if node.tag != f"tag:yaml.org,2002:{kind}":
            tag = node.tag.replace("tag:yaml.org,2002:", "!!")
            self.mistakes.append(self._mistake(node, f"the tag {tag!r} is not allowed here; remove it"))
        if isinstance(node, MappingNode):
            return self._read_mapping(node)
        return [self.read(item) for item in node.value]

    def _read_mapping(self, node: MappingNode) -> dict[str, Any]:
        data: dict[str, Any] = {}
        lines: dict[str, int] = {}
        for key, value in node.value:
            problem = _key_problem(key) or _repetition_problem(key, lines)
            if problem:
                self.mistakes.append(self._mistake(key, problem))
            else:
                data[key.value] = self.read(value)
                lines[key.value] = key.start_mark.line + 1
        return data

    def _mistake(self, node: Node, message: str) -> Mistake:
        return Mistake(self.name, node.start_mark.line + 1, node.start_mark.column + 1, message)


def _repetition_problem(key: Node, lines: dict[str, int]) -> str:
    if key.value not in lines:
        return ""
    return f"{key.value!r} is given twice; the first is on line {lines[key.value]}"


def _key_problem(key: Node) -> str:
    if not isinstance(key, ScalarNode):
        return "a key is text, not a list or a mapping; put quotes around it"
    if key.tag == "tag:yaml.org,2002:merge":
        return "merge keys (<<) are not read here; write the keys out"
    value, problem = read_scalar(key)
    if problem.startswith("the tag") or (isinstance(value, str) and not problem):
        return problem
    return f"the key {key.value} is not read as text; write '{key.value}' in quotes"
