"""Digests of what a run depends on and its record does not show: two runs with the same ones do the same."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

import pytest

from harness import __version__
from harness.resources import PACKAGE, SHIPPED
from harness.settings import Settings


def run_inputs(config: pytest.Config, settings: Settings, suites: Iterable[Path]) -> dict[str, str]:
    """The digests by name, and what chooses the items."""
    roots = dict.fromkeys((settings.root, SHIPPED))
    arguments = [_name_of(argument, settings.root) for argument in config.args]
    return {
        "harness": f"{__version__} {_digest(sorted(PACKAGE.rglob('*.py')))}",
        **{_name_of(path, settings.root): _digest([path]) for path in sorted(suites)},
        "levels": _digest(root / "suites" / "isa.yaml" for root in roots),
        "golden": _digest(sorted(path for root in roots for path in (root / "golden").rglob("*.yaml"))),
        "preload": _digest(settings.preload),
        "against": settings.against or "",
        "hosts": " ".join(settings.hosts),
        "in process": str(settings.in_process),
        "selection": repr((arguments, config.option.keyword, config.option.markexpr)),
    }


def _name_of(path: Path | str, root: Path) -> str:
    """The path as it is on another machine too: below the project, or below what is shipped."""
    return str(path).removeprefix(f"{SHIPPED}/").removeprefix(f"{root}/")


def _digest(files: Iterable[Path]) -> str:
    """A digest of the names and the bytes of those files that are there."""
    digest = hashlib.sha256()
    for path in filter(Path.is_file, files):
        digest.update(f"{path.name}:{path.stat().st_size}:".encode() + path.read_bytes())
    return digest.hexdigest()[:16]
