"""`equivalence report`: a file that a browser opens."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.reporting import write_record
from tests.reporting.comparison.runs import failing_item, item
from tests.reporting.records import record


def test_a_record_becomes_one_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It says where it is; with a folder of records it has their history."""
    file = tmp_path / "record.json"
    write_record(record(failing_item()), file)
    write_record(record(item()), tmp_path / "records" / "yesterday.json")
    page = tmp_path / "report.html"
    assert main(["report", str(file), "--html", str(page)]) == 0
    assert capsys.readouterr().out == f"report: {page}\n"
    assert 'id="history"' not in page.read_text("utf-8")
    assert main(["report", str(file), "--html", str(page), "--history", str(tmp_path / "records")]) == 0
    assert 'id="history"' in page.read_text("utf-8")


@pytest.mark.parametrize("arguments", [["none.json", "--html", "x.html"], ["none.json"]])
def test_wrong_input_is_a_usage_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arguments: list[str]) -> None:
    """No record, or no name of a file to write."""
    monkeypatch.chdir(tmp_path)
    try:
        code = main(["report", *arguments])
    except SystemExit as end:
        code = int(end.code or 0)
    assert code == 4
    assert not (tmp_path / "x.html").exists()


def test_a_file_that_cannot_be_written_is_one_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """It names the file."""
    file = tmp_path / "record.json"
    write_record(record(item()), file)
    assert main(["report", str(file), "--html", str(tmp_path / "no" / "x.html")]) == 4
    assert "x.html: No such file or directory" in capsys.readouterr().err
