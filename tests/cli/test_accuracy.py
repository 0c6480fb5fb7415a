"""`equivalence accuracy`: what a run measured becomes text that a person reviews."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.reporting import LevelRecord, OperatorItemRecord
from tests.reporting.records import operator_item
from tests.reporting.records import record as record_of

CASE = "suites/operators/norms.yaml::"
LEVELS = {"sse41": LevelRecord(state="run", why=""), "avx10_2": LevelRecord(state="not available", why="")}


def item(case: str, dtype: str, ratios: dict[str, float]) -> OperatorItemRecord:
    """An item with these ratios."""
    return operator_item(CASE + case, dtype, ratios=ratios, examples={"corners": 20, "drawn": 15})


def write(path: Path, *items: OperatorItemRecord) -> None:
    """Write a record of these items, at a level that ran and one that did not."""
    record_of(*items).model_copy(update={"levels": LEVELS}).write(path)


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of three items, one of them exact, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    file = tmp_path / "record.json"
    write(
        file,
        item("layer_norm", "float32", {"output[0]": 0.123456, "grad:input": 0.5}),
        item("layer_norm", "bfloat16", {"output[0]": 0.75}),
        item("flip", "float32", {}),
    )
    return file


def test_the_worst_ratios_are_written_by_suite(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The file of a suite has the ratios of each case and dtype in two digits, below what was run and where."""
    assert main(["accuracy", "--record", str(record)]) == 0
    line = f"golden/accuracy/norms.yaml: 2 items, worst 0.75 ({CASE}layer_norm[bfloat16], output[0])"
    assert capsys.readouterr().out.strip() == line
    text = Path("golden/accuracy/norms.yaml").read_text("utf-8")
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'torch: "2.9"',
        'cpu: "EPYC"',
        'levels: ["sse41"]',
        "examples: 70",
        "worst:",
        "  layer_norm:",
        '    float32: {"grad:input": 0.5, "output[0]": 0.12}',
        '    bfloat16: {"output[0]": 0.75}',
    ]


def test_a_record_without_ratios_is_a_mistake(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The command exits with 4 and writes nothing where no item has a ratio."""
    write(record, item("flip", "float32", {}))
    assert main(["accuracy", "--record", str(record)]) == 4
    assert "record.json: no item has a ratio of error to allowance; run the gate first" in capsys.readouterr().err
    assert not Path("golden").exists()


def test_a_run_of_some_cases_leaves_the_file_as_it_is(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What has been measured is not lost to a run that did not measure it, and the run says so."""
    assert main(["accuracy", "--record", str(record)]) == 0
    before = Path("golden/accuracy/norms.yaml").read_text("utf-8")
    write(record, item("rms_norm", "float32", {"output[0]": 0.5}))
    capsys.readouterr()
    assert main(["accuracy", "--record", str(record)]) == 0
    assert capsys.readouterr().out == "golden/accuracy/norms.yaml: kept; the run had nothing of layer_norm\n"
    assert Path("golden/accuracy/norms.yaml").read_text("utf-8") == before


def test_a_machine_writes_nothing(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under CI the command is refused, as an update of the rest of golden/ is."""
    monkeypatch.setenv("CI", "true")
    assert main(["accuracy", "--record", str(record)]) == 4
    assert "equivalence accuracy: not under CI" in capsys.readouterr().err
    assert not Path("golden").exists()
