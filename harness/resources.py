"""Where suites and golden data are found: in the user's project, else as shipped with the package."""

from __future__ import annotations

from pathlib import Path

from harness.errors import UserError

PACKAGE = Path(__file__).resolve().parent


def collection(root: Path, name: str) -> list[Path]:
    """The file ``name.yaml``, and those of the directory `name`, in the first place that has either.

    Raises UserError where none has.
    """
    for place in _places(root):
        if files := [
            path for path in (place / f"{name}.yaml", *sorted((place / name).glob("*.yaml"))) if path.is_file()
        ]:
            return files
    raise UserError(f"{name}.yaml: not found below {root}, nor shipped with the package")


def data(root: Path, name: str) -> Path:
    """`name` below `root`, else below a source checkout, else in the wheel. Raises UserError where none has it."""
    for place in _places(root):
        if (place / name).is_file():
            return place / name
    raise UserError(f"{name}: not found below {root}, nor shipped with the package")


def _places(root: Path) -> tuple[Path, ...]:
    return root, PACKAGE.parent, PACKAGE / "shipped"
