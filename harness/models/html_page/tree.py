"""The modules of a model as a tree, in which neighbours that are alike are one node."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from harness.models.html_page.costs import ModuleCosts, add_costs, module_costs
from harness.models.module_layout import CallLayout, ModuleLayout


@dataclass(frozen=True)
class ModuleMarks:
    """What the page says of a module in other sections.

    `places` are the numbers of the places to change in its own forward, `faults` those of what is wrong in it;
    `is_known`: what its operator does wrong is a known issue.
    """

    places: tuple[int, ...] = ()
    faults: tuple[int, ...] = ()
    is_known: bool = False


@dataclass(frozen=True)
class ModuleNode:
    """A module and those below it; where it stands for several that are alike, `paths` are those of all of them.

    `name` is what its path adds to its parent's. The costs are those of all `paths`, and of what is below them.
    """

    name: str
    paths: tuple[str, ...]
    class_name: str
    calls: tuple[CallLayout, ...]
    marks: ModuleMarks
    costs: ModuleCosts
    children: tuple[ModuleNode, ...]

    @property
    def prefix(self) -> str:
        """What its path has before the name: that of its parent, and a dot."""
        parent = self.paths[0].rpartition(".")[0]
        return f"{parent}." if parent else ""

    @property
    def call_count(self) -> int:
        """How often it was called, each of `paths`."""
        return sum(call.count for call in self.calls)

    def below(self) -> Iterator[ModuleNode]:
        """All nodes below it, a parent before its children."""
        for child in self.children:
            yield child
            yield from child.below()


@dataclass
class TreeBuilder:
    """Builds the tree of a model's `modules`, which are in the order in which they were first called.

    `marks` and `seconds` go by the paths of modules; the latter are NCHW's and NHWC's.
    """

    modules: Sequence[ModuleLayout]
    marks: Mapping[str, ModuleMarks]
    seconds: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    _layouts: dict[str, ModuleLayout] = field(default_factory=dict, init=False)
    _first: dict[str, int] = field(default_factory=dict, init=False)
    """By path, the number of the module that was called first of it and those below it."""
    _children: dict[str, list[str]] = field(default_factory=dict, init=False)
    _kinds: dict[object, int] = field(default_factory=dict, init=False)

    def __post_init__(self) -> None:
        self._layouts = {layout.path: layout for layout in self.modules}
        for number, path in enumerate(self._layouts):
            self._add_path(path, number)

    def _add_path(self, path: str, number: int) -> None:
        """Note a path below its parents; one that is not called itself stands where the first below it does."""
        while path not in self._first:
            self._first[path] = number
            if path:
                parent = self._parent_of(path)
                self._children.setdefault(parent, []).append(path)
                path = parent

    def _parent_of(self, path: str) -> str:
        parent = path.rpartition(".")[0]
        while parent and parent not in self._layouts:
            parent = parent.rpartition(".")[0]
        return parent

    def root(self) -> ModuleNode | None:
        """The model itself, with children in the order of the forward pass; None where nothing is known of it."""
        return self._node("", "") if "" in self._layouts else None

    def _node(self, path: str, parent: str) -> ModuleNode:
        layout = self._layouts[path]
        paths = sorted(self._children.get(path, ()), key=self._first.__getitem__)
        children = tuple(self._fold([self._node(child, path) for child in paths]))
        return ModuleNode(
            name=path[len(parent) + 1 :] if parent else path,
            paths=(path,),
            class_name=layout.class_name,
            calls=layout.calls,
            marks=self.marks.get(path, ModuleMarks()),
            costs=add_costs([module_costs(layout, self.seconds), *(child.costs for child in children)]),
            children=children,
        )

    def _fold(self, siblings: Sequence[ModuleNode]) -> Iterator[ModuleNode]:
        """Neighbours that are alike in all but their names and costs become one."""
        for _, alike in groupby(siblings, key=self._kind_of):
            yield _merge_nodes(list(alike))

    def _kind_of(self, node: ModuleNode) -> int:
        """A number for all in which nodes are alike."""
        below = tuple((child.name, self._kind_of(child)) for child in node.children)
        return self._kinds.setdefault((node.class_name, node.calls, node.marks, below), len(self._kinds))


def _merge_nodes(alike: Sequence[ModuleNode]) -> ModuleNode:
    """One node for all of them, which have the same calls and the same children."""
    first = alike[0]
    if len(alike) == 1:
        return first
    return ModuleNode(
        name=_name_of_all([node.name for node in alike]),
        paths=tuple(path for node in alike for path in node.paths),
        class_name=first.class_name,
        calls=first.calls,
        marks=first.marks,
        costs=add_costs(node.costs for node in alike),
        children=tuple(map(_merge_nodes, zip(*(node.children for node in alike), strict=True))),
    )


def _name_of_all(names: Sequence[str]) -> str:
    """The one name, or the first and the last of several."""
    distinct = list(dict.fromkeys(names))
    return distinct[0] if len(distinct) == 1 else f"{distinct[0]} … {distinct[-1]}"
