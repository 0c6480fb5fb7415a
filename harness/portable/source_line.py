"""A line of a user's source, as a person looks for it."""

from __future__ import annotations

from pathlib import Path
from typing import Tuple

SourceLine = Tuple[str, int]
"""A file and a line in it, from 1."""


def line_name(line: SourceLine) -> str:
    """``file:line``: from the working directory where the file is below it, or from the package that was installed."""
    path = Path(line[0])
    here = Path.cwd()
    if here in path.parents:
        path = path.relative_to(here)
    elif "site-packages" in path.parts:
        path = Path(*path.parts[path.parts.index("site-packages") + 1 :])
    return f"{path}:{line[1]}"
