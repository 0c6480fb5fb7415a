"""`equivalence contract`: the table of a project, printed or written into a file."""

from __future__ import annotations

import contextlib

import pytest

from harness.cli import main
from harness.cli.contract import MARKS
from tests.plugin.project import Project

LAYOUTS = """\
suite: suites/x/s.yaml
verified: ["2.15"]
cases:
  relu:
    output[0]: like input
    grad:input: contiguous
"""
TABLE = """\
| suite | output and gradients | output only | it depends | not the output |
|---|---|---|---|---|
| s |  | `relu` |  |  |
"""


@pytest.fixture
def contract_project(project: Project) -> Project:
    """A project with a layout contract."""
    project.write("golden/contract/s.yaml", LAYOUTS)
    return project


def command(project: Project, *arguments: str) -> int:
    """Run it in the project; no worker is needed."""
    with contextlib.chdir(project.root):
        return main(["contract", *arguments])


def test_the_table_is_printed(contract_project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The table has a row for the suite, made from the contract's lines."""
    assert command(contract_project) == 0
    assert capsys.readouterr().out == TABLE


def test_the_table_is_written_between_its_marks(contract_project: Project) -> None:
    """What stands between the marks is replaced, all around them stays, and a second time nothing changes."""
    path = contract_project.write("PAGE.md", f"before\n{MARKS[0]}\nan old table\n{MARKS[1]}\nafter\n")
    for _ in range(2):
        assert command(contract_project, "--write", "PAGE.md") == 0
        assert path.read_text() == f"before\n{MARKS[0]}\n\n{TABLE}\n{MARKS[1]}\nafter\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("no marks", f"contract: PAGE.md has no lines {MARKS[0]} and {MARKS[1]}, between which the table goes"),
        (None, "there is no file PAGE.md"),
    ],
)
def test_a_file_that_cannot_take_it(
    contract_project: Project, capsys: pytest.CaptureFixture[str], text: str | None, expected: str
) -> None:
    """A file without marks, or none at all, is one message with exit code 4, and stays as it was."""
    path = contract_project.root / "PAGE.md" if text is None else contract_project.write("PAGE.md", text)
    assert command(contract_project, "--write", "PAGE.md") == 4
    assert capsys.readouterr().err.strip() == f"ERROR: {expected}"
    assert (path.read_text() if path.exists() else None) == text


def test_a_project_without_a_contract(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """The message says which command writes a contract."""
    assert command(project) == 4
    assert "there is no golden/contract here; `pytest suites --eq-update-golden` writes it" in capsys.readouterr().err
