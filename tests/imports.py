"""What a file of the harness imports, relative imports and modules of a package resolved, read from its source."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import harness

PACKAGE = Path(harness.__file__).parent


def unit_of(module: str) -> str:
    """The room or the module of the top level that a module of the harness belongs to; "" for `harness` itself."""
    return module.partition(".")[2].partition(".")[0]


def module_name(path: Path) -> str:
    """The dotted name of a file of the package."""
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def imports_of(path: Path) -> Iterator[str]:
    """The modules that a file imports anywhere, functions included, by their full names.

    A name imported from a package is a module of it where the package has one of that name and does not give that name
    to something else.
    """
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = _absolute(node, path)
            yield from {_module(package, alias.name) for alias in node.names}


def _absolute(node: ast.ImportFrom, path: Path) -> str:
    """The full name of the package that something is imported from."""
    if not node.level:
        return node.module or ""
    folder = path.parents[node.level - 1].relative_to(PACKAGE.parent)
    return ".".join([*folder.parts, *([node.module] if node.module else [])])


def _module(package: str, name: str) -> str:
    if package.partition(".")[0] != "harness" or name in surface(package):
        return package
    folder = PACKAGE.parent.joinpath(*package.split("."))
    is_module = (folder / f"{name}.py").is_file() or (folder / name / "__init__.py").is_file()
    return f"{package}.{name}" if is_module else package


@cache
def surface(package: str) -> tuple[str, ...]:
    """The names that a room shows, those of its `__all__`; none for what has no such list."""
    file = PACKAGE.parent.joinpath(*package.split("."), "__init__.py")
    if not file.is_file() or "__all__" not in file.read_text("utf-8"):
        return ()
    return tuple(importlib.import_module(package).__all__)
