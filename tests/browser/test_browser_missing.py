"""A machine without a browser: under CI the tests of the page fail, and elsewhere they are skipped with a reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
TEST = "tests/browser/test_page.py::test_light_and_dark_differ"


@pytest.mark.parametrize(("variables", "code", "word"), [({"CI": "true"}, 1, "1 error"), ({}, 0, "1 skipped")])
def test_a_missing_browser(tmp_path: Path, variables: dict[str, str], code: int, word: str) -> None:
    """The reason is said in either case."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"}
    environment |= {"PATH": str(tmp_path), **variables}
    line = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", TEST]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert word in done.stdout
    assert "no chromium on PATH" in done.stdout
