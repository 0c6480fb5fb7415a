"""`equivalence schema`: the schemas for editors, printed or written beside a suite."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.suites import read_document

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize(
    ("arguments", "file"),
    [
        ([], "suites/suite.schema.json"),
        (["suite"], "suites/suite.schema.json"),
        (["models"], "suites/models.schema.json"),
        (["record"], "harness/reporting/record.schema.json"),
    ],
)
def test_a_schema_is_printed(capsys: pytest.CaptureFixture[str], arguments: list[str], file: str) -> None:
    """What is printed is the file of the checkout, to the last byte."""
    assert main(["schema", *arguments]) == 0
    assert capsys.readouterr().out == (ROOT / file).read_text("utf-8")


@pytest.mark.parametrize("kind", ["suite", "models"])
def test_a_suite_anywhere_gets_its_schema(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], kind: str
) -> None:
    """The printed line, written first in a suite, leads to the schema that was written beside it."""
    monkeypatch.chdir(tmp_path)
    assert main(["schema", kind, "--write", "mine.schema.json"]) == 0
    *_, line = capsys.readouterr().out.splitlines()
    prefix, _, target = line.partition("$schema=")
    assert prefix == "# yaml-language-server: "
    schema = json.loads((tmp_path / target).read_text("utf-8"))
    assert {"suite", "about", "defaults"} < schema["properties"].keys()


def test_a_file_that_cannot_be_written(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One message with exit code 4 says why."""
    assert main(["schema", "--write", str(tmp_path)]) == 4
    assert capsys.readouterr().err == f"ERROR: schema: {tmp_path} cannot be written: Is a directory\n"


@pytest.mark.parametrize("suite", sorted(ROOT.glob("suites/*/*.yaml")), ids=lambda path: path.stem)
def test_the_modeline_of_a_shipped_suite_stays_among_the_suites(suite: Path) -> None:
    """It leads to the schema of what the file holds, in the folder of the suites, so that a wheel has both."""
    first = suite.read_text("utf-8").partition("\n")[0]
    schema = (suite.parent / first.partition("$schema=")[2]).resolve()
    kind = "models" if "models" in read_document(suite).data else "suite"
    assert schema == ROOT / "suites" / f"{kind}.schema.json"
    assert schema.is_file()
