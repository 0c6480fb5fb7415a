"""The tutorial's operator, built and run as the page says: its first version is found, its last one is green."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from tests.plugin.project import Project, Run, needs_workers

TUTORIAL = Path(__file__).resolve().parents[2] / "docs" / "tutorial"
FILES = TUTORIAL / "operator"
pytestmark = [
    needs_workers,
    pytest.mark.skipif(shutil.which("g++") is None or shutil.which("ninja") is None, reason="needs g++ and ninja"),
]


@pytest.fixture
def tutorial(project: Project, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Project:
    """A project with the tutorial's files, and a directory of its own for what is compiled."""
    monkeypatch.setenv("TORCH_EXTENSIONS_DIR", str(tmp_path_factory.mktemp("extensions")))
    for file in FILES.iterdir():
        if file.is_file():
            project.write(file.name, file.read_text("utf-8"))
    return project


def run(tutorial: Project) -> Run:
    """The tutorial's command, for float32."""
    options = ("-p", "no:cacheprovider", "-k", "float32", "--eq-profile", "quick", "--eq-preload", "preload.py")
    return tutorial.run("pytest", "scale.yaml", *options)


def test_the_page_shows_the_files() -> None:
    """The suite and the steps from one version to the next stand on the page as they stand in the files."""
    page = (TUTORIAL / "operator.md").read_text("utf-8")
    assert (FILES / "scale.yaml").read_text("utf-8") in page
    (block,) = re.findall(r"```cpp\n(  const auto format.*?)  \.\.\.", page, re.DOTALL)
    assert block in (FILES / "scale.cpp").read_text("utf-8")
    (summed,) = re.findall(r"```python\n(    wide = .*?)```", page, re.DOTALL)
    for line in summed.splitlines():
        assert line in (FILES / "preload.py").read_text("utf-8")


def test_the_last_version_is_green(tutorial: Project) -> None:
    """The operator in the tutorial's folder passes in both formats."""
    result = run(tutorial)
    assert result.code == 0, result.output
    assert "1 passed" in result.output


def test_the_first_version_is_found(tutorial: Project) -> None:
    """A kernel that walks the memory of its input is wrong for every layout but the contiguous one."""
    kernel = (FILES / "scale.cpp").read_text("utf-8")
    walking = kernel.replace("input.contiguous(format)", "input").replace("last ? i % channels :", "")
    assert walking != kernel
    tutorial.write("scale.cpp", walking)
    result = run(tutorial)
    assert result.code == 1, result.output
    assert "scale in float32 (layout): " in result.output
