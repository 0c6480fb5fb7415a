"""Where suites and golden data are found: in the user's project, else as shipped with the package."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError

PACKAGE = Path(__file__).resolve().parent


def data(root: Path, name: str) -> Path:
    """`name` below `root`, else below a source checkout, else in the wheel. Raises UserError where none has it."""
    for place in (root, PACKAGE.parent, PACKAGE / "shipped"):
        if (place / name).is_file():
            return place / name
    raise UserError(f"{name}: not found below {root}, nor shipped with the package")
