"""Where suites and golden data lie: in the user's project, else as shipped with the package."""

from __future__ import annotations

from pathlib import Path

from harness.core.text_file import is_there
from harness.errors import UserError

PACKAGE = Path(__file__).resolve().parent


def resource(root: Path, name: str) -> Path:
    """The file `name` below `root`, else below a source checkout, else in the wheel.

    Raises UserError where none has it.
    """
    for place in _places(root):
        if is_there(place / name):
            return place / name
    raise UserError(f"{name}: not found below {root}, nor shipped with the package")


def resource_files(root: Path, name: str) -> list[Path]:
    """The file ``name.yaml``, and those of the directory `name`, in the first place that has either.

    Raises UserError where none has.
    """
    for place in _places(root):
        candidates = (place / f"{name}.yaml", *sorted((place / name).glob("*.yaml")))
        if files := [path for path in candidates if is_there(path)]:
            return files
    raise UserError(f"{name}.yaml: not found below {root}, nor shipped with the package")


def _places(root: Path) -> tuple[Path, ...]:
    return root, PACKAGE.parent, PACKAGE / "shipped"
