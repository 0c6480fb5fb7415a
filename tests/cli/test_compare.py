"""`equivalence compare` and `equivalence history`: what they print, and how they end."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.reporting import OperatorItemRecord, write_record
from tests.reporting.comparison.runs import POOL, failing_item, item
from tests.reporting.records import record


def write(path: Path, *items: OperatorItemRecord) -> str:
    """The record of these items in a file, whose name is returned."""
    write_record(record(*items), path)
    return str(path)


@pytest.fixture
def green(tmp_path: Path) -> str:
    """A record in which the item passes."""
    return write(tmp_path / "green.json", item())


@pytest.fixture
def red(tmp_path: Path) -> str:
    """A record in which it fails."""
    return write(tmp_path / "red.json", failing_item())


@pytest.mark.parametrize("view", [[], ["--short"], ["--markdown"]])
def test_something_new_that_fails_is_exit_code_1(
    green: str, red: str, view: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Nothing new is 0, also where what is new is that something passes; every view names the item."""
    assert main(["compare", green, red, *view]) == 1
    assert "max_pool2d" in capsys.readouterr().out.replace("\\", "")
    assert main(["compare", red, green, *view]) == 0
    assert main(["compare", red, red, *view]) == 0


def test_what_is_no_record_is_a_usage_error(green: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The message names the file."""
    assert main(["compare", green, str(tmp_path / "none.json")]) == 4
    assert "there is no record" in capsys.readouterr().err


def test_a_history_says_since_when_an_item_fails(
    green: str, red: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The folder's records are its runs."""
    assert main(["history", str(Path(green).parent)]) == 0
    text = capsys.readouterr().out
    assert f"{POOL}: finding values output[0]" in text
    assert Path(red).name in text
    assert main(["history", str(tmp_path / "nowhere")]) == 4
