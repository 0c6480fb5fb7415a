"""What tox does before the gate: install and make what is not there, once."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[1] / ".ci" / "prepare.py"


@pytest.fixture
def prepare() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("prepare", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the files that decide, and an environment in which the stamps lie."""
    for name in ("pyproject.toml", "tox.ini"):
        (tmp_path / name).write_text("first")
    (tmp_path / "harness-env").mkdir()
    (tmp_path / "build" / "bin").mkdir(parents=True)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "prefix", str(tmp_path / "harness-env"))
    return tmp_path


def test_what_has_been_done_is_done_again_when_its_file_changes(
    prepare: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The harness follows pyproject.toml, the build under test tox.ini; each is made once for one text of it."""
    build, commands = str(project / "build" / "bin" / "python"), []
    monkeypatch.setenv("EQUIVALENCE_PYTHON", build)
    monkeypatch.setattr(prepare.subprocess, "call", lambda command: commands.append(command[2]))
    for changed, expected in (("", ["pip", "tox"]), ("", []), ("tox.ini", ["tox"]), ("pyproject.toml", ["pip"])):
        if changed:
            (project / changed).write_text("second")
        prepare.main(build, "--install")
        assert commands == expected
        commands.clear()


def test_an_environment_that_is_made_anew_is_filled_anew(
    prepare: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That it has been filled is written in the environment itself, and goes with it."""
    commands: list[list[str]] = []
    monkeypatch.setenv("EQUIVALENCE_PYTHON", "another")
    monkeypatch.setattr(prepare.subprocess, "call", commands.append)
    prepare.main("unused", "--install")
    prepare.main("unused", "--install")
    assert [command[2] for command in commands] == ["pip"]
    (project / "harness-env" / "harness-installed").unlink()
    prepare.main("unused", "--install")
    assert [command[2] for command in commands] == ["pip", "pip"]


def test_another_interpreter_needs_no_build(
    prepare: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever names the Python to test makes its environment himself; without ``--install`` nothing else is done."""
    commands: list[list[str]] = []
    monkeypatch.setenv("EQUIVALENCE_PYTHON", "another")
    monkeypatch.setattr(prepare.subprocess, "call", commands.append)
    prepare.main(str(project / "build" / "bin" / "python"))
    assert commands == []


def test_what_fails_ends_the_run_and_is_tried_again(
    prepare: ModuleType, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The status is that of the command, and the next run begins with it."""
    statuses = [3, 0]
    monkeypatch.setenv("EQUIVALENCE_PYTHON", "another")
    monkeypatch.setattr(prepare.subprocess, "call", lambda _: statuses.pop(0))
    with pytest.raises(SystemExit) as ended:
        prepare.main(str(project), "--install")
    assert ended.value.code == 3
    prepare.main(str(project), "--install")
    assert statuses == []
