"""From the nodes of a YAML text to data, with what is wrong with the nodes themselves."""

from __future__ import annotations

from typing import Any

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from harness.suites.limits import DEEPEST, LONGEST_KEY, MOST_VALUES, TOO_DEEP
from harness.suites.mistakes import DeclarationError, Mistake
from harness.suites.scalars import read_scalar


class NodeReader:
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
            if total > MOST_VALUES:
                message = f"aliases make more than {MOST_VALUES} values of this; write it without aliases"
                raise DeclarationError([self._mistake(node, message)])
            self._heights[id(node)] = 1 + max((self._heights.get(id(child), 0) for child in children), default=0)
            if self._heights[id(node)] > DEEPEST:
                raise DeclarationError([self._mistake(node, TOO_DEEP)])
            self._counts[id(node)] = total
        return self._counts[id(node)]

    def read(self, node: Node) -> Any:
        """The data of a node; an alias gives the same object again and no second mistake."""
        if id(node) not in self._values:
            self._values[id(node)] = self._read_node(node)
        return self._values[id(node)]

    def _read_node(self, node: Node) -> Any:
        if isinstance(node, ScalarNode):
            scalar = read_scalar(node)
            if scalar.problem:
                self.mistakes.append(self._mistake(node, scalar.problem))
            return scalar.value
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
    if len(key.value) > LONGEST_KEY:
        return f"a key has at most {LONGEST_KEY} characters, and this has {len(key.value)}"
    scalar = read_scalar(key)
    if scalar.has_foreign_tag or (isinstance(scalar.value, str) and not scalar.problem):
        return scalar.problem or _spelling_problem(key.value)
    return f"the key {key.value} is not read as text; write '{key.value}' in quotes"


def _spelling_problem(key: str) -> str:
    """A key that could be taken for the tag of a union, which pydantic puts among the keys of a place."""
    return f"no key begins with <; {key!r} means nothing here" if key.startswith("<") else ""
