"""A fresh project for each test."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.plugin.project import Project


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """A project with one right case."""
    project = Project(tmp_path)
    project.suite()
    return project
