"""Which files of golden/ belong to a suite, and what writes them."""

from __future__ import annotations

import shlex
from pathlib import PurePosixPath

from harness.core import Case


def suite_of(case: Case) -> str:
    """The suite file of a case, relative to the project's root."""
    return case.id.partition("::")[0]


def update_command(suite: str) -> str:
    """What writes the files of a suite, for a shell."""
    return f"python -m pytest {shlex.quote(suite)} --eq-update-golden"


def contract_file(suite: str) -> str:
    """The file of a suite's layout contract, relative to the root."""
    return f"golden/contract/{PurePosixPath(suite).name}"


def snapshots_file(suite: str) -> str:
    """The file of a suite's snapshots, relative to the root."""
    return f"golden/snapshots/{PurePosixPath(suite).name}"


def corpus_file(suite: str) -> str:
    """The file of a suite's corpus, relative to the root."""
    return f"golden/corpus/{PurePosixPath(suite).name}"
