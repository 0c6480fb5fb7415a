"""What runs on both sides of the process boundary is written for both."""

from __future__ import annotations

import ast
import sys
from pathlib import Path

import pytest

from harness import portable

SOURCES = sorted(Path(portable.__file__).parent.glob("*.py"))


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.stem)
def test_a_portable_module_is_python_3_8_and_needs_numpy_alone(source: Path) -> None:
    """The source goes to workers as it is; what it imports beside NumPy is the standard library or portable itself."""
    tree = ast.parse(source.read_text("utf-8"), feature_version=(3, 8))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)]
    names = {(node.module or "").partition(".")[0] for node in imports if not node.level}
    names |= {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    assert names <= {"numpy", *sys.stdlib_module_names}
    assert all(node.level <= 1 for node in imports)
