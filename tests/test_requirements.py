"""The bounds of pyproject.toml are versions that somebody runs the tests with: those of .ci/oldest.txt."""

from __future__ import annotations

import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parent.parent

TOOLS = {"hatchling", "mypy", "ruff", "types-pyyaml"}
"""What the development extra has that `oldest` does without: linters, and what builds the wheel."""


def bounds(requirements: list[str], operator: str) -> dict[str, Version]:
    """The version of each requirement, all of which have one, after the same operator."""
    versions = {}
    for requirement in map(Requirement, requirements):
        (specifier,) = requirement.specifier
        assert specifier.operator == operator, f"{requirement} has no {operator}"
        versions[canonicalize_name(requirement.name)] = Version(specifier.version)
    return versions


def requirements() -> list[str]:
    """What the harness and its tests require, as pyproject.toml has it."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    development = project["optional-dependencies"]["development"]
    tests = [text for text in development if canonicalize_name(Requirement(text).name) not in TOOLS]
    return [*project["dependencies"], *tests]


def test_the_oldest_versions_are_those_of_the_bounds() -> None:
    """Every requirement of the harness and of its tests has a lower bound, which the environment `oldest` pins."""
    lines = (ROOT / ".ci" / "oldest.txt").read_text(encoding="utf-8").splitlines()
    pins = [line for line in lines if line and not line.startswith("#")]
    assert bounds(pins, "==") == bounds(requirements(), ">=")


def test_pytest_s_own_bound_is_the_same() -> None:
    """A pytest that the package may be installed with is one that its tests may be run with."""
    options = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["pytest"]["ini_options"]
    assert Version(options["minversion"]) == bounds(requirements(), ">=")["pytest"]
