"""Where suites and golden data lie: in the user's project, else as shipped with the package."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from harness.core.text_file import is_there, real_path
from harness.errors import UserError

PACKAGE: Final = Path(__file__).resolve().parent
SHIPPED: Final = PACKAGE / "shipped" if (PACKAGE / "shipped").is_dir() else PACKAGE.parent
"""What comes with the package, laid out as a project: a folder that the wheel has, else the checkout itself."""


def resource(root: Path, name: str) -> Path:
    """The file `name` below `root`, else as it is shipped. Raises UserError where neither has it."""
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


def every_suite(root: Path) -> list[Path]:
    """Every suite file of the project at `root`; where it has none, every one that is shipped."""
    return next(filter(None, (sorted(_suites_below(place)) for place in _places(root))), [])


def is_shipped(path: Path, root: Path) -> bool:
    """Whether a file belongs to the shipped suites or golden data, and these are not the project at `root` itself."""
    homes = (SHIPPED / "suites", SHIPPED / "golden")
    return root.resolve() != SHIPPED and any(real_path(path).is_relative_to(home) for home in homes)


def shipped_name(path: Path, root: Path) -> str | None:
    """What a shipped suite is called wherever it is installed: its path as in a checkout. None for any other file."""
    return path.resolve().relative_to(SHIPPED).as_posix() if is_shipped(path, root) else None


def _suites_below(place: Path) -> Iterator[Path]:
    return (path for path in place.glob("suites/*/**/*.yaml") if path.is_file())


def _places(root: Path) -> tuple[Path, ...]:
    return root, SHIPPED
