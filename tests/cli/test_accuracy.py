"""`equivalence accuracy`: what a run measured becomes text that a person reviews."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli import main
from harness.reporting import LevelRecord, OperatorItemRecord, write_record
from tests.reporting.records import operator_item
from tests.reporting.records import record as record_of

CASE = "suites/operators/norms.yaml::"
LEVELS = {"sse41": LevelRecord(state="run", why=""), "avx10_2": LevelRecord(state="not available", why="")}


def item(case: str, dtype: str, ratios: dict[str, float]) -> OperatorItemRecord:
    """An item with these ratios."""
    return operator_item(CASE + case, dtype, ratios=ratios, examples={"corners": 20, "drawn": 15})


def write(path: Path, *items: OperatorItemRecord) -> None:
    """Write a record of these items, at a level that ran and one that did not."""
    write_record(record_of(*items).model_copy(update={"levels": LEVELS}), path)


@pytest.fixture
def record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A record of three items, one of them exact, in the current folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    file = tmp_path / "record.json"
    suite = tmp_path / CASE.removesuffix("::")
    suite.parent.mkdir(parents=True)
    suite.touch()
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


STRANGERS = {
    "out of the project": ("../../x.yaml::layer_norm", "the path of a suite is below the root of the project"),
    "no suite": ("../../x", "an id is the path of a suite, '::' and a name"),
    "no name": ("suites/x.yaml::a: b", "an id is the path of a suite, '::' and a name"),
    "another project's": ("suites/operators/theirs.yaml::layer_norm", "no such suite; name a record of this project"),
}


@pytest.mark.parametrize(("case", "expected"), STRANGERS.values(), ids=STRANGERS)
def test_a_record_names_suites_of_this_project(
    record: Path, capsys: pytest.CaptureFixture[str], case: str, expected: str
) -> None:
    """What a stranger's record names is no path out of the project, and nothing is written for it."""
    record.write_text(record.read_text("utf-8").replace(f"{CASE}layer_norm", case), "utf-8")
    assert main(["accuracy", "--record", str(record)]) == 4
    assert expected in capsys.readouterr().err
    assert not Path("golden").exists()


@pytest.mark.parametrize("command", ["accuracy", "coverage"])
@pytest.mark.parametrize("text", ['{"schema": 1}', '{"schema": 2}', "[" * 2000, "[]", "null", '{"schema": 1e999}', ""])
def test_what_is_no_record(record: Path, capsys: pytest.CaptureFixture[str], command: str, text: str) -> None:
    """Any other document is one message, with how to get a record, before a worker starts."""
    record.write_text(text, "utf-8")
    assert main([command, "--record", str(record)]) == 4
    error = capsys.readouterr().err
    assert error.startswith("ERROR: ")
    assert error.count("ERROR: ") == 1
    assert "run the whole gate" in error
