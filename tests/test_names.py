"""The names in the house: a function is a verb or a noun, a variable says what it holds, one word has one meaning.

``python tests/test_names.py [room]`` lists what breaks a rule, room by room.
"""

from __future__ import annotations

import ast
import functools
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import pytest

PACKAGE: Final = Path(__file__).resolve().parents[1] / "harness"
TOP: Final = "harness"
"""The modules that lie in no room."""

ROOMS: Final = (*sorted(path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.rglob("*.py"))), TOP)

PARTICIPLES: Final = frozenset({
    "begun", "bent", "born", "bought", "bound", "broken", "brought", "built", "caught", "chosen", "done", "drawn",
    "driven", "fallen", "felt", "forgotten", "found", "given", "gone", "grown", "heard", "held", "hidden", "kept",
    "known", "laid", "led", "left", "lent", "lost", "made", "meant", "met", "paid", "said", "sat", "seen", "sent",
    "shaken", "shown", "spelt", "spent", "spoken", "stood", "struck", "sunk", "swept", "taken", "taught", "thought",
    "thrown", "told", "torn", "understood", "unlike", "unmade", "unseen", "won", "worn", "wound", "written",
})  # fmt: skip
"""Those that do not end in -ed. Of verbs like `split` and `read`, which do not change, the name may be the verb."""

VAGUE: Final = frozenset({"found", "one", "seen", "given", "told", "said", "asked"})
"""Names of variables, parameters and attributes that say nothing of what they hold."""


class Offence(NamedTuple):
    """A name that breaks a rule: in which room, where (``oracles/judge.py:12``), and what is wrong."""

    room: str
    place: str
    problem: str


class Definition(NamedTuple):
    """A public class or function of a module."""

    name: str
    room: str
    place: str


@functools.cache
def modules() -> dict[Path, ast.Module]:
    """Every file of the harness, parsed."""
    return {path: ast.parse(path.read_text("utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}


def room_of(path: Path) -> str:
    """The room that a file lies in."""
    room, *inner = path.relative_to(PACKAGE).parts
    return room if inner else TOP


def place_of(path: Path, line: int) -> str:
    """A place as an editor takes it."""
    return f"{path.relative_to(PACKAGE).as_posix()}:{line}"


def is_participle(name: str) -> bool:
    """Whether a function's name is a participle and nothing else; leading underscores count for nothing."""
    word = name.strip("_")
    return word in PARTICIPLES or ("_" not in word and word.endswith(("ed", "ing")))


def participles() -> Iterator[Offence]:
    """Functions and methods whose name is a lone participle."""
    for path, tree in modules().items():
        for node in ast.walk(tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and is_participle(node.name):
                problem = f"{node.name}() is a participle: name what it does, or what it returns"
                yield Offence(room_of(path), place_of(path, node.lineno), problem)


def bound_names(tree: ast.AST) -> Iterator[tuple[str, int]]:
    """Every name that is bound, with its line: variables, parameters, attributes, captures of a pattern, exceptions."""
    for node in ast.walk(tree):
        match node:
            case ast.Name(id=name, ctx=ast.Store()) | ast.arg(arg=name) | ast.Attribute(attr=name, ctx=ast.Store()):
                yield name, node.lineno
            case ast.MatchAs(name=str(name)) | ast.MatchStar(name=str(name)) | ast.ExceptHandler(name=str(name)):
                yield name, node.lineno


def vague_names() -> Iterator[Offence]:
    """Variables, parameters and attributes that have one of the names that say nothing."""
    for path, tree in modules().items():
        for name, line in bound_names(tree):
            if name.strip("_") in VAGUE:
                yield Offence(room_of(path), place_of(path, line), f"{name} does not say what it holds")


def public_definitions() -> Iterator[Definition]:
    """Public classes and functions at the top of a module."""
    for path, tree in modules().items():
        for node in tree.body:
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) and node.name[0] != "_":
                yield Definition(node.name, room_of(path), place_of(path, node.lineno))


def names_defined_twice() -> Iterator[Offence]:
    """Public classes and functions of the same name in several modules, each of them once.

    A name that a module only hands on, as a room's surface does, is no definition.
    """
    by_name: dict[str, list[Definition]] = {}
    for definition in public_definitions():
        by_name.setdefault(definition.name, []).append(definition)
    for name, definitions in by_name.items():
        if len(definitions) > 1:
            for definition in definitions:
                others = ", ".join(other.place for other in definitions if other != definition)
                yield Offence(definition.room, definition.place, f"{name} is defined in {others} too")


RULES: Final = (participles, vague_names, names_defined_twice)


def offences(room: str) -> list[str]:
    """What breaks a rule in a room, a line each."""
    return [f"{place}: {problem}" for rule in RULES for where, place, problem in rule() if where == room]


@pytest.mark.parametrize("room", ROOMS)
def test_the_names_of_a_room_keep_the_rules(room: str) -> None:
    """No function is a lone participle, no variable is vague, and no public name means two things."""
    assert offences(room) == []


@pytest.mark.parametrize("name", ["_told", "found", "judging", "merged"])
def test_a_participle_is_seen(name: str) -> None:
    """Private functions are held to the rule too."""
    assert is_participle(name)


@pytest.mark.parametrize("name", ["judge", "merge_lines", "read", "split", "requires_grad"])
def test_a_verb_or_a_noun_is_no_participle(name: str) -> None:
    """Neither is a name of several words."""
    assert not is_participle(name)


def test_every_way_to_bind_a_name_is_seen() -> None:
    """Variables, loops, comprehensions, walrus, parameters, attributes, patterns, exceptions and imports of none."""
    text = """
def function(one, *seen, given=0, **found):
    one = [one for one in seen if (found := one)]
    for given in found: self.seen = given
    try: pass
    except ValueError as found: pass
    match one:
        case [seen, *given]: pass
"""
    names = [name for name, _line in bound_names(ast.parse(text))]
    assert sorted(names) == sorted(
        ["one", "seen", "given", "found", "one", "one", "found", "given", "seen", "found", "seen", "given"]
    )


if __name__ == "__main__":
    for each in sys.argv[1:] or ROOMS:
        lines = offences(each)
        print(f"{each}: {len(lines)}", *lines, sep="\n  ")  # noqa: T201 - this is what it is run for
