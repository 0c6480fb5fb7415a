"""The worker's files are sent to interpreters as old as Python 3.8."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import harness

PACKAGE = Path(harness.__file__).parent
SENT = [path for folder in ("worker", "portable") for path in sorted((PACKAGE / folder).rglob("*.py"))]


@pytest.mark.parametrize("path", SENT, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_a_file_is_written_in_the_syntax_of_python_38(path: Path) -> None:
    """It parses as such, and keeps its annotations as text, in which newer types may stand."""
    tree = ast.parse(path.read_text("utf-8"), feature_version=(3, 8))
    annotated = any(isinstance(node, ast.FunctionDef | ast.AnnAssign) for node in ast.walk(tree))
    futures = [alias.name for node in tree.body if isinstance(node, ast.ImportFrom) and node.module == "__future__"
               for alias in node.names]  # fmt: skip
    assert futures == ["annotations"] or not annotated
