"""The rows of the table that shows the tree of modules."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.models.html_page.tree import ModuleNode
from harness.models.module_layout import CallLayout

FEW: Final = 40
"""A tree of no more rows is shown open."""

DEEPEST: Final = 15
"""Rows below that depth are indented no further."""


@dataclass(frozen=True)
class ModuleRow:
    """One row: a node and its place in the tree. `anchor` is the id of its element."""

    node: ModuleNode
    anchor: str
    depth: int
    is_open: bool

    @property
    def is_parent(self) -> bool:
        """Whether there are rows below it."""
        return bool(self.node.children)

    @property
    def indent(self) -> int:
        """How far it is indented."""
        return min(self.depth, DEEPEST)

    @property
    def codes(self) -> str:
        """What the filter looks for: ``l`` loses the format, ``w`` is wrong, ``n`` gets or gives NCHW."""
        marks = self.node.marks
        applying = {
            "l": marks.places,
            "w": marks.faults or marks.is_known,
            "n": has_format(self.node.calls, "nchw"),
        }
        return "".join(code for code, applies in applying.items() if applies)

    @property
    def places_below(self) -> int:
        """How many of the modules below it lose the format."""
        return sum(len(node.paths) for node in self.node.below() if node.marks.places)

    @property
    def faults_below(self) -> int:
        """How many of the modules below it are wrong."""
        return sum(len(node.paths) for node in self.node.below() if node.marks.faults)


def module_rows(root: ModuleNode | None) -> list[ModuleRow]:
    """A row for each node, a parent before its children; ways to what the page speaks of are open."""
    if root is None:
        return []
    nodes = list(_with_depth(root, 0))
    is_small = len(nodes) <= FEW
    return [
        ModuleRow(node, f"module-{number}", depth, is_small or not depth or any(map(is_marked, node.below())))
        for number, (node, depth) in enumerate(nodes, 1)
    ]


def is_marked(node: ModuleNode) -> bool:
    """Whether another section of the page speaks of it."""
    return bool(node.marks.places or node.marks.faults or node.marks.is_known)


def _with_depth(node: ModuleNode, depth: int) -> Iterator[tuple[ModuleNode, int]]:
    yield node, depth
    for child in node.children:
        yield from _with_depth(child, depth + 1)


def has_format(calls: Sequence[CallLayout], name: str) -> bool:
    """Whether a tensor of that format went in or came out."""
    return any(tensor.format == name for call in calls for tensor in (*call.inputs, *call.outputs))
