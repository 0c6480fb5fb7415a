"""The summary of a run where GitHub's Actions look for one."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Final

from harness.reporting import Record, step_summary

VARIABLE: Final = "GITHUB_STEP_SUMMARY"
"""It names the file that the Markdown of a step is appended to."""


def append_step_summary(record: Record) -> str:
    """Append the summary of a run to the file that the environment names, if it does; why that failed, or nothing."""
    if not (name := os.environ.get(VARIABLE)):
        return ""
    try:
        with Path(name).open("a", encoding="utf-8") as file:
            file.write(step_summary(record))
    except OSError as error:
        return f"ERROR: {VARIABLE}: {name}: {error.strerror}"
    return ""
