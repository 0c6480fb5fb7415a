"""The rooms of the house: each reaches only where ARCHITECTURE.md lets it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import harness

PACKAGE = Path(harness.__file__).parent
BASE = {"harness.errors", "harness.core", "harness.portable"}
ROOMS = {
    "core": {"numpy"},
    "portable": {"numpy"},
    "suites": {"yaml", "pydantic", "pydantic_core", "typing_extensions"},  # the last two are pydantic's own
    "generation": {"harness.portable", "hypothesis", "covertable", "numpy"},
    "execution": {"harness.portable", "harness.generation", "execnet", "numpy"},
    "oracles": {"harness.portable", "numpy"},
    "golden": {"harness.suites", "pydantic", "packaging"},
    "trial": {
        "harness.portable",
        "harness.execution",
        "harness.generation",
        "harness.golden",
        "harness.oracles",
        "harness.profiles",
        "numpy",
        "packaging",
    },
    "reporting": {"harness.trial", "jinja2"},
    "models": {
        "harness.portable",
        "harness.suites",
        "harness.generation",
        "harness.execution",
        "harness.oracles",
        "harness.golden",
        "harness.trial",
        "harness.reporting",
        "harness.profiles",
        "jinja2",
        "numpy",
        "pydantic",
    },
}
NEVER = {
    "core": {"torch", "hypothesis", "pytest", "yaml", "pydantic", "execnet"},
    "portable": {"torch", "hypothesis", "pytest", "yaml", "pydantic", "execnet"},
    "suites": {"torch", "hypothesis", "pytest", "execnet"},
    "generation": {"torch", "pytest", "execnet", "yaml"},
    "execution": {"torch", "pytest", "yaml"},
    "oracles": {"torch", "hypothesis", "pytest", "yaml", "execnet"},
    "golden": {"torch", "hypothesis", "pytest", "execnet"},
    "trial": {"torch", "pytest"},
    "reporting": {"torch", "pytest"},
    "models": {"torch", "pytest"},
    "plugin": {"torch"},
}


def imported(path: Path) -> Iterator[str]:
    """The modules a file imports anywhere, functions included."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield _absolute(path, node) if node.level else node.module or ""


def _absolute(path: Path, node: ast.ImportFrom) -> str:
    """The module that a relative import names, as the harness calls it."""
    package = path.relative_to(PACKAGE.parent).with_suffix("").parts[: -node.level]
    return ".".join((*package, *filter(None, [node.module])))


def allowed(module: str, room: str) -> bool:
    """Whether a room may import a module: the standard library, the nouns, itself, and what its line lists."""
    top = module.partition(".")[0]
    mine = BASE | ROOMS[room] | {f"harness.{room}"}
    inside = any(module == name or module.startswith(f"{name}.") for name in mine)
    return inside or top in mine or top in sys.stdlib_module_names


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_only_what_its_rule_lists(room: str) -> None:
    """No file of a room imports a room further down, a library of another room, or torch."""
    wrong = [
        f"{path.relative_to(PACKAGE)}: {module}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for module in imported(path)
        if not allowed(module, room)
    ]
    assert wrong == []


@pytest.mark.parametrize("room", ROOMS)
def test_other_rooms_use_a_room_by_its_surface(room: str) -> None:
    """Outside a room nobody imports its inner modules; glue and the room's own tests may."""
    others = [path for other in ROOMS if other != room for path in (PACKAGE / other).rglob("*.py")]
    inner = [
        f"{path.relative_to(PACKAGE)}: {module}"
        for path in others
        for module in imported(path)
        if module.startswith(f"harness.{room}.") and room not in ("core", "portable")
    ]
    assert inner == []


@pytest.mark.parametrize("room", NEVER)
def test_importing_a_room_does_not_load_what_it_must_not_know(room: str) -> None:
    """In a fresh interpreter the room's import leaves the forbidden libraries unloaded."""
    code = f"import sys, harness.{room}; print(*sorted(set(sys.modules) & {NEVER[room]!r}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


def test_worker_files_need_only_torch_and_numpy() -> None:
    """What is shipped to a worker imports the standard library, torch, numpy and what is shipped with it."""
    shipped = [
        *sorted((PACKAGE / "worker").rglob("*.py")),
        *sorted((PACKAGE / "portable").rglob("*.py")),
    ]
    wrong = [
        f"{path.name}: {module}"
        for path in shipped
        for module in imported(path)
        if module.partition(".")[0] not in {"torch", "numpy", *sys.stdlib_module_names}
        and not module.startswith(("harness.worker", "harness.portable"))
    ]
    assert wrong == []


def test_modules_are_small() -> None:
    """No module has more than 400 lines."""
    long = [path.name for path in PACKAGE.rglob("*.py") if len(path.read_text("utf-8").splitlines()) > 400]
    assert long == []
