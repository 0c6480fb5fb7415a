"""`equivalence accuracy`: what a run measured becomes text that a person reviews."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.reporting.record import SCHEMA

CASE = "suites/operators/norms.yaml::"


def item(case: str, dtype: str, ratios: dict[str, float]) -> dict[str, Any]:
    """The parts of an item that the command reads."""
    return {"case": CASE + case, "dtype": dtype, "ratios": ratios, "examples": {"corners": 20, "drawn": 15}}


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of three items, one of them exact, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    items = [
        item("layer_norm", "float32", {"output[0]": 0.123456, "grad:input": 0.5}),
        item("layer_norm", "bfloat16", {"output[0]": 0.75}),
        item("flip", "float32", {}),
    ]
    levels = {"sse41": {"state": "run", "why": ""}, "avx10_2": {"state": "not available", "why": ""}}
    whole = {
        "schema": SCHEMA,
        "build": {"torch": "2.15.0", "cpu": "EPYC"},
        "run": {},
        "levels": levels,
        "items": {f"{entry['case']}[{entry['dtype']}]": entry for entry in items},
    }
    file = tmp_path / "record.json"
    file.write_text(json.dumps(whole), "utf-8")
    return file


def test_the_worst_ratios_are_written_by_suite(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each case and dtype, with the build, the levels and how much was run; two digits are enough."""
    assert main(["accuracy", "--record", str(record)]) == 0
    line = f"golden/accuracy/norms.yaml: 2 items, worst 0.75 ({CASE}layer_norm[bfloat16], output[0])"
    assert capsys.readouterr().out.strip() == line
    text = Path("golden/accuracy/norms.yaml").read_text("utf-8")
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        'torch: "2.15.0"',
        'cpu: "EPYC"',
        'levels: ["sse41"]',
        "examples: 70",
        "worst:",
        "  layer_norm:",
        '    float32: {"grad:input": 0.5, "output[0]": 0.12}',
        '    bfloat16: {"output[0]": 0.75}',
    ]


def test_a_record_without_ratios_is_a_mistake(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 4, and nothing is written."""
    whole = json.loads(record.read_text("utf-8"))
    whole["items"] = {name: entry for name, entry in whole["items"].items() if not entry["ratios"]}
    record.write_text(json.dumps(whole), "utf-8")
    assert main(["accuracy", "--record", str(record)]) == 4
    assert "record.json: no item has a ratio of error to allowance; run the gate first" in capsys.readouterr().err
    assert not Path("golden").exists()


def test_a_run_of_some_cases_leaves_the_file_as_it_is(record: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """What has been measured is not lost to a run that did not measure it, and the run says so."""
    assert main(["accuracy", "--record", str(record)]) == 0
    before = Path("golden/accuracy/norms.yaml").read_text("utf-8")
    whole = json.loads(record.read_text("utf-8"))
    whole["items"] = {"x": item("rms_norm", "float32", {"output[0]": 0.5})}
    record.write_text(json.dumps(whole), "utf-8")
    capsys.readouterr()
    assert main(["accuracy", "--record", str(record)]) == 0
    assert capsys.readouterr().out == "golden/accuracy/norms.yaml: kept; the run had nothing of layer_norm\n"
    assert Path("golden/accuracy/norms.yaml").read_text("utf-8") == before


def test_a_machine_writes_nothing(
    record: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Under CI it is a mistake, as an update of the rest of golden/ is."""
    monkeypatch.setenv("CI", "true")
    assert main(["accuracy", "--record", str(record)]) == 4
    assert "equivalence accuracy: not under CI" in capsys.readouterr().err
    assert not Path("golden").exists()
