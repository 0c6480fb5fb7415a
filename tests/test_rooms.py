"""The rooms of the house: each reaches only where ARCHITECTURE.md lets it, and never upwards."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.imports import PACKAGE, imports_of, module_name, surface, unit_of

ORDER = (
    "errors", "portable", "worker", "core", "suites", "generation", "execution", "oracles", "golden", "profiles",
    "trial", "reporting", "models", "speed", "mutants", "termination",
    "resources", "settings", "failure_database", "script_runs", "script_runner", "failure_scripts", "project",
    "preflight", "run_header", "gate", "plugin", "cli",
)  # fmt: skip
"""Rooms and modules of the top level: each imports only what stands before it."""

BASE = {"errors", "portable", "core"}
"""What every room may import, as far as it stands before it."""

GLUE = ORDER[ORDER.index("termination") :]
"""What brings the rooms together: it may import them all, by their surfaces."""

WORKER_TOP = "serve"
"""The module of the worker that imports all of its rooms; those beside it are tools that the rooms share."""


@dataclass(frozen=True)
class Rule:
    """What a room may import beside `BASE` and the standard library, and what its import never loads."""

    may_import: frozenset[str]
    never_loads: frozenset[str] = frozenset()


def rule(may_import: str, never_loads: str = "") -> Rule:
    """A rule from two lists of names."""
    return Rule(frozenset(may_import.split()), frozenset(never_loads.split()))


RULES = {
    "portable": rule("numpy", "torch hypothesis pytest yaml pydantic execnet"),
    "core": rule("numpy", "torch hypothesis pytest yaml pydantic execnet"),
    "suites": rule("yaml pydantic", "torch hypothesis pytest execnet"),
    "generation": rule("hypothesis covertable numpy", "torch pytest execnet yaml"),
    "execution": rule("generation execnet numpy", "torch pytest yaml"),
    "oracles": rule("numpy", "torch hypothesis pytest yaml execnet"),
    "golden": rule("suites pydantic packaging", "torch hypothesis pytest execnet"),
    "trial": rule("generation execution oracles golden profiles numpy packaging", "torch pytest"),
    "reporting": rule("suites generation golden trial jinja2 pydantic", "torch pytest"),
    "models": rule(
        "suites generation execution oracles golden profiles trial reporting numpy pydantic jinja2", "torch pytest"
    ),
    "speed": rule("suites generation execution models jinja2 pydantic", "torch pytest"),
    "mutants": rule("suites generation execution profiles golden trial numpy pydantic torch", "torch pytest"),
    "worker": rule("torch numpy"),
    "worker/operators": rule("worker torch numpy"),
    "worker/reference": rule("worker worker/operators torch numpy"),
    "worker/models": rule("worker worker/operators worker/reference torch numpy"),
    "worker/callables": rule("torch numpy"),
}
"""The table of ARCHITECTURE.md, whose rows say the same."""

NAMES = {"pyyaml": "yaml", "jinja": "jinja2"}
"""What a library is called where it is imported, if the table calls it otherwise."""

PARTS = {"pydantic_core": "pydantic", "typing_extensions": "pydantic"}
"""Packages that come with a library and belong to it."""

HARNESS_FILES = [path for path in sorted(PACKAGE.rglob("*.py")) if path.parent != PACKAGE or path.stem != "__init__"]
WORKER_FILES = [path for path in HARNESS_FILES if unit_of(module_name(path)) == "worker"]


def room_of(module: str) -> str:
    """The room of a module or a library: in the worker one of its own rooms, such as ``worker/operators``."""
    if module.partition(".")[0] != "harness":
        top = module.partition(".")[0]
        return PARTS.get(top, top)
    unit, _, inner = module.removeprefix("harness.").partition(".")
    room = inner.partition(".")[0]
    return f"worker/{room}" if unit == "worker" and (PACKAGE / "worker" / room).is_dir() and room else unit


def is_allowed(module: str, room: str) -> bool:
    """Whether a room may import a module: the standard library, what stands below all, itself, what its rule lists."""
    target = room_of(module)
    mine = {room, *RULES[room].may_import}
    base = {"portable"} if room.startswith("worker") else BASE
    return target in mine or target in base or target in sys.stdlib_module_names


def files_of(room: str) -> list[Path]:
    """The files of a room; of the worker those that are in none of its rooms, but for its top."""
    files = [path for path in HARNESS_FILES if room_of(module_name(path)) == room]
    return [path for path in files if room != "worker" or path.stem != WORKER_TOP]


def table_rows() -> Iterator[tuple[str, str, str]]:
    """Room, what it may import, what it never loads: the cells of the table below "One rule for each room"."""
    text = (PACKAGE.parent / "ARCHITECTURE.md").read_text("utf-8").partition("## One rule for each room")[2]
    lines = [line for line in text.partition("\n## ")[0].splitlines() if line.startswith("|")]
    heads, _, *rows = ([cell.strip() for cell in line.strip("|").split("|")] for line in lines)
    columns = [next(heads.index(head) for head in heads if head.startswith(start))
               for start in ("room", "may import", "never loads")]  # fmt: skip
    for cells in rows:
        room, may_import, never_loads = (cells[column] for column in columns)
        yield room.strip("`"), may_import, never_loads


def names_in(cell: str) -> frozenset[str]:
    """The names of a cell, as they are imported; a dash is none."""
    names = (part.strip().strip("`").lower() for part in cell.split(","))
    return frozenset(NAMES.get(name, name) for name in names if name not in ("", "-", "—"))


def test_the_table_of_the_architecture_says_the_same() -> None:
    """It has each room's rule, and no other; a room of glue is said to be one."""
    rows = {room: (may_import, never_loads) for room, may_import, never_loads in table_rows()}
    glue = {room for room, (may_import, _) in rows.items() if may_import.startswith("anything")}
    assert glue <= set(GLUE)
    assert {
        room: Rule(names_in(may_import) - BASE, names_in(never_loads))
        for room, (may_import, never_loads) in rows.items()
        if room not in glue
    } == RULES


def test_the_order_names_every_room_and_module() -> None:
    """Nothing lies beside the rooms that has no place among them."""
    assert {unit_of(module_name(path)) for path in HARNESS_FILES} == set(ORDER)


@pytest.mark.parametrize("unit", ORDER)
def test_nothing_imports_upwards(unit: str) -> None:
    """A room or a module imports only what stands before it in the order."""
    below = ORDER[: ORDER.index(unit) + 1]
    upwards = [
        f"{module_name(path)}: {module}"
        for path in HARNESS_FILES
        if unit_of(module_name(path)) == unit
        for module in imports_of(path)
        if module.startswith("harness.") and unit_of(module) not in below
    ]
    assert upwards == []


@pytest.mark.parametrize("room", RULES)
def test_a_room_imports_only_what_its_rule_lists(room: str) -> None:
    """No file of a room imports a room that its rule does not name, a library of another room, or torch."""
    files = files_of(room)
    assert files
    wrong = [
        f"{module_name(path)}: {module}"
        for path in files
        for module in imports_of(path)
        if not is_allowed(module, room)
    ]
    assert wrong == []


def test_no_room_of_the_worker_imports_its_top() -> None:
    """What serves requests imports the rooms, and they do not know it."""
    top = f"harness.worker.{WORKER_TOP}"
    assert [module_name(path) for path in WORKER_FILES if top in imports_of(path)] == []


def test_a_relative_import_is_resolved_to_a_module() -> None:
    """The rules of the worker's rooms hold for what their files name by dots."""
    imports = imports_of(PACKAGE / "worker" / "operators" / "run.py")
    assert {"harness.worker.tensors", "harness.worker.operators.invoke"} <= set(imports)
    assert "harness.portable.layouts" in imports_of(PACKAGE / "worker" / "tensors.py")


@pytest.mark.parametrize("room", [room for room in RULES if "/" not in room and room not in ("core", "portable")])
def test_a_room_is_used_by_its_surface(room: str) -> None:
    """Nothing outside a room, glue included, imports its inner modules; the room's own tests may."""
    inner = [
        f"{module_name(path)}: {module}"
        for path in HARNESS_FILES
        if unit_of(module_name(path)) != room
        for module in imports_of(path)
        if module.startswith(f"harness.{room}.")
    ]
    assert inner == []


@pytest.mark.parametrize("room", [room for room in RULES if surface(f"harness.{room}")])
def test_a_surface_is_described(room: str) -> None:
    """A function or class that a room shows has a docstring, and the list is in order and without a name twice."""
    names = surface(f"harness.{room}")
    module = sys.modules[f"harness.{room}"]
    shown = {name: getattr(module, name) for name in names}
    assert [name for name, value in shown.items() if callable(value) and not value.__doc__] == []
    assert len(set(names)) == len(names)


@pytest.mark.parametrize("room", [*(room for room, rule in RULES.items() if rule.never_loads), "plugin"])
def test_importing_a_room_does_not_load_what_it_must_not_know(room: str) -> None:
    """In a fresh interpreter the room's import leaves the forbidden libraries unloaded."""
    never = set(RULES[room].never_loads) if room in RULES else {"torch"}
    code = f"import sys, harness.{room}; print(*sorted(set(sys.modules) & {never!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_modules_are_small() -> None:
    """No module has more than 400 lines."""
    assert [path.name for path in HARNESS_FILES if len(path.read_text("utf-8").splitlines()) > 400] == []
