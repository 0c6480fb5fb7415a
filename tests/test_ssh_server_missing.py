"""A machine without an sshd: under CI the tests that need one fail, and elsewhere they are skipped with a reason."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEST = "tests/execution/test_remote_hosts.py::test_a_host_without_torch"
BLIND = (
    "import shutil; which = shutil.which; shutil.which = lambda name, *a, **k: None if 'ssh' in name else which(name)"
)
"""sshd lies where no PATH of a test's leads, so it is not found by name."""


@pytest.mark.parametrize(("variables", "code", "word"), [({"CI": "true"}, 1, "1 error"), ({}, 0, "1 skipped")])
def test_a_missing_server(variables: dict[str, str], code: int, word: str) -> None:
    """The reason is said in either case."""
    environment = {name: value for name, value in os.environ.items() if name != "CI"} | variables
    run = f"{BLIND}; import sys, pytest; sys.exit(pytest.main(['-rs', '-p', 'no:cacheprovider', {TEST!r}]))"
    line = [sys.executable, "-c", run]
    done = subprocess.run(line, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == code, done.stdout
    assert word in done.stdout
    assert "no sshd on PATH" in done.stdout
