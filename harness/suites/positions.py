"""From a place in the data, such as ``("cases", "conv2d", "sizes", "N")``, to a line and a column."""

from __future__ import annotations

from collections.abc import Sequence

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Location = Sequence[int | str]
"""Keys and indices from the root of a document down, as in pydantic's ``loc``."""


class Positions:
    """Where things are written. A step that the file does not have is skipped: pydantic's unions add such steps."""

    def __init__(self, root: Node) -> None:
        self._root = root
        self._entries: dict[int, dict[str, tuple[Node, Node]]] = {}
        """Key and value of each entry by its key, the first where there are several, for each mapping looked into."""

    def node(self, location: Location) -> Node:
        """The deepest node that the file has on the way to `location`."""
        return self._walk(location)[1]

    def at(self, location: Location, offset: int = 0) -> tuple[int, int]:
        """Line and column, from 1, of the value; `offset` characters further for text written on one line."""
        node = self.node(location)
        if isinstance(node, ScalarNode) and offset and node.start_mark.line == node.end_mark.line:
            return _place(node, offset + (node.style in ("'", '"')))
        return _place(node)

    def key(self, location: Location) -> tuple[int, int]:
        """Line and column, from 1, of the key that holds the value (of the item, in a list)."""
        return _place(self._walk(location)[0])

    def keys(self, location: Location) -> list[tuple[int, int]]:
        """Line and column, from 1, of each key of the mapping at `location`; none for anything else."""
        node = self.node(location)
        return [_place(key) for key, _ in node.value] if isinstance(node, MappingNode) else []

    def span(self, location: Location) -> tuple[tuple[int, int], tuple[int, int]]:
        """Where the value begins and ends, as lines and columns from 1; empty where the file has no such key."""
        *above, last = location
        node = self.node(above)
        child = self._child(node, last)
        if child is None:
            return (1, 1), (1, 1)
        key, value = child
        return _place(key), (value.end_mark.line + 1, value.end_mark.column + 1)

    def _walk(self, location: Location) -> tuple[Node, Node]:
        key, node = self._root, self._root
        for step in location:
            key, node = self._child(node, step) or (key, node)
        return key, node

    def _child(self, node: Node, step: int | str) -> tuple[Node, Node] | None:
        if isinstance(node, MappingNode) and isinstance(step, str):
            return self._entries_of(node).get(step)
        if isinstance(node, SequenceNode) and isinstance(step, int) and step < len(node.value):
            return node.value[step], node.value[step]
        return None

    def _entries_of(self, node: MappingNode) -> dict[str, tuple[Node, Node]]:
        if id(node) not in self._entries:
            pairs = [(key, value) for key, value in node.value if isinstance(key, ScalarNode)]
            self._entries[id(node)] = {key.value: (key, value) for key, value in reversed(pairs)}
        return self._entries[id(node)]


def _place(node: Node, offset: int = 0) -> tuple[int, int]:
    return node.start_mark.line + 1, node.start_mark.column + 1 + offset
