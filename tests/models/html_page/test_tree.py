"""The tree of a model's modules: its order, what is folded, what is summed up."""

from __future__ import annotations

from collections.abc import Sequence

from harness.models.html_page.costs import ModuleCosts
from harness.models.html_page.rows import FEW, module_rows
from harness.models.html_page.tree import ModuleMarks, ModuleNode, TreeBuilder
from harness.models.module_layout import ModuleLayout
from tests.models.html_page.answers import SMALL, layout


def tree(modules: Sequence[ModuleLayout], **marks: ModuleMarks) -> ModuleNode:
    """The root; the marks of a module go by its path."""
    root = TreeBuilder(modules, marks).root()
    assert root is not None
    return root


def names(node: ModuleNode) -> list[str]:
    """All names below a node."""
    return [each.name for each in node.below()]


def test_children_stand_in_the_order_of_their_calls_and_what_is_not_called_at_the_end() -> None:
    """A list that is not called itself stands where the first of its modules does; alike neighbours are one."""
    root = tree(SMALL)
    assert [child.name for child in root.children] == ["stem", "blocks", "shuffle", "head", "auxiliary"]
    [blocks] = root.children[1].children
    assert (blocks.name, blocks.paths) == ("0 … 2", ("blocks.0", "blocks.1", "blocks.2"))
    assert [child.paths for child in blocks.children] == [("blocks.0.conv", "blocks.1.conv", "blocks.2.conv")]
    assert blocks.children[0].prefix == "blocks.0."


def test_a_module_that_is_marked_is_not_folded_with_those_that_are_not() -> None:
    """Nor is its parent with others: the way to it is to be seen."""
    root = tree(SMALL, **{"blocks.1.conv": ModuleMarks(faults=(1,))})
    assert [child.paths for child in root.children[1].children] == [("blocks.0",), ("blocks.1",), ("blocks.2",)]


def test_what_has_other_formats_is_not_folded() -> None:
    """Two convolutions of the same class, one of which gets NCHW."""
    root = tree([layout("", "Net"), layout("0", "Conv2d"), layout("1", "Conv2d", got="nchw"), layout("2", "Conv2d")])
    assert names(root) == ["0", "1", "2"]


def test_reorders_and_seconds_are_those_of_all_that_is_below() -> None:
    """Of all modules that one node stands for."""
    root = TreeBuilder(SMALL, {}, {"blocks.0.conv": (3.0, 1.0), "blocks.2.conv": (1.0, 0.5), "stem": (1.0, 1.0)}).root()
    assert root is not None
    assert root.costs == ModuleCosts(10, 5, 5.0, 2.5)
    assert root.children[1].children[0].costs == ModuleCosts(6, 3, 4.0, 1.5)


def test_modules_of_which_nothing_is_known_have_no_tree() -> None:
    """As of a program that has none."""
    assert TreeBuilder((), {}).root() is None
    assert module_rows(None) == []


def test_a_parent_that_is_missing_is_skipped() -> None:
    """A module lies below the nearest of its parents that there is."""
    root = tree([layout("", "Net"), layout("a.b.c", "Conv2d")])
    assert names(root) == ["a.b.c"]


def many(count: int) -> list[ModuleLayout]:
    """A model with blocks that are not alike, each with a convolution."""
    paths = [path for number in range(count) for path in (f"{number}", f"{number}.conv")]
    return [layout("", "Net"), *(layout(path, path) for path in paths)]


def test_a_small_tree_is_open_and_of_a_large_one_what_the_page_speaks_of() -> None:
    """The way to each module that is marked, and no other."""
    assert all(row.is_open for row in module_rows(tree(SMALL)))
    rows = module_rows(tree(many(FEW), **{"7.conv": ModuleMarks(places=(1,))}))
    assert [row.node.paths[0] for row in rows if row.is_open] == ["", "7"]
    assert [row.anchor for row in rows[:2]] == ["module-1", "module-2"]
    assert [row.places_below for row in rows if row.is_open] == [1, 1]


def test_a_row_has_the_codes_that_the_filter_looks_for() -> None:
    """Losing the format, being wrong or known to be, getting or giving NCHW."""
    marks = {"shuffle": ModuleMarks(places=(1,)), "stem": ModuleMarks(faults=(1,)), "head": ModuleMarks(is_known=True)}
    codes = {row.node.name: row.codes for row in module_rows(tree(SMALL, **marks))}
    assert codes == {
        "": "n", "stem": "w", "blocks": "", "0 … 2": "", "conv": "", "shuffle": "ln", "head": "wn", "auxiliary": "",
    }  # fmt: skip


def test_a_row_counts_the_modules_below_it_that_lose_the_format_or_are_wrong() -> None:
    """Each module that a node stands for counts."""
    every = ModuleMarks(places=(1,))
    marks = {f"blocks.{number}.conv": every for number in range(3)}
    rows = {row.node.name: row for row in module_rows(tree(SMALL, **marks, stem=ModuleMarks(faults=(1,))))}
    assert (rows[""].places_below, rows[""].faults_below) == (3, 1)
    assert (rows["conv"].places_below, rows["conv"].faults_below) == (0, 0)
