"""`equivalence merge`: one record of many, and what cannot be one."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from harness.cli import main
from harness.core import ItemStatus
from harness.reporting import BaselineRecord, ItemRecord, Record, ShardRecord, read_record, write_record
from tests.reporting.records import BUILD, LEVELS, RUN, golden_item, model_item, node_id, operator_item
from tests.reporting.records import record as record_of

ITEMS = (
    operator_item(dtype="float32"),
    operator_item(dtype="float64", status=ItemStatus.FAILED),
    model_item(),
    golden_item(),
)
INPUTS = {"suites/x/s.yaml": "ab", "selection": "suites"}


def part(index: int, *items: ItemRecord, **changes: Any) -> Record:
    """The record of one of two parts of a run."""
    shard = ShardRecord(index=index, count=2, basis="ba51s")
    head = {"shard": shard, "inputs": INPUTS, "machine": f"host{index}", "date": f"2026-11-2{9 - index}T03:00:00+00:00"}
    return record_of(*items).model_copy(update={**head, **changes})


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the command is run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def merge(*records: Record) -> int:
    """The exit code of the command over files of these records."""
    names = [f"{number}.json" for number in range(len(records))]
    for name, record in zip(names, records, strict=True):
        write_record(record, Path(name))
    return main(["merge", *names, "--record", "out.json"])


def refusal(capsys: pytest.CaptureFixture[str], *records: Record) -> str:
    """The message with which the command refuses these records, and writes nothing."""
    assert merge(*records) == 4
    assert not Path("out.json").exists()
    return capsys.readouterr().err.removeprefix("ERROR: ").strip()


def test_two_parts_are_one_run(capsys: pytest.CaptureFixture[str]) -> None:
    """The record has all items, in order, and no parts; the machines are both, and the date is when the first began."""
    assert merge(part(1, *ITEMS[:2]), part(2, *ITEMS[2:])) == 0
    assert capsys.readouterr().out == f"record: {Path.cwd() / 'out.json'}: 4 items of 2 records\n"
    whole = record_of(*sorted(ITEMS, key=node_id))
    head = {"inputs": INPUTS, "machine": "host1, host2", "date": "2026-11-27T03:00:00+00:00"}
    assert read_record(Path("out.json")) == whole.model_copy(update=head)
    assert list(read_record(Path("out.json")).items) == sorted(map(node_id, ITEMS))


def test_a_missing_part_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """What there is is written, is not complete, and the command does not exit with 0."""
    assert merge(part(2, *ITEMS[2:])) == 6
    assert "INCOMPLETE: there is no record of part 1\n" in capsys.readouterr().out
    assert not read_record(Path("out.json")).complete


def test_a_part_that_did_not_come_to_its_end_is_named(capsys: pytest.CaptureFixture[str]) -> None:
    """The record of all is no more complete than its parts."""
    assert merge(part(1, *ITEMS[:2]), part(2, *ITEMS[2:], complete=False)) == 6
    assert "INCOMPLETE: 1.json is of a run that did not come to its end\n" in capsys.readouterr().out
    assert not read_record(Path("out.json")).complete


DIFFERENT = {
    "build": ({"build": BUILD.model_copy(update={"torch": "2.10"})}, "  build -> torch: 2.9 there, 2.10 here"),
    "seed": ({"run": RUN.model_copy(update={"seed": 3})}, "  run -> seed: 0 there, 3 here"),
    "levels": ({"levels": {}}, "  levels -> sse41 -> state: run there, nothing here"),
    "suites": ({"inputs": {**INPUTS, "suites/x/s.yaml": "cd"}}, "  inputs -> suites/x/s.yaml: ab there, cd here"),
    "selection": ({"inputs": {**INPUTS, "selection": "other"}}, "  inputs -> selection: suites there, other here"),
    "number of parts": ({"shard": ShardRecord(index=2, count=3, basis="ba51s")}, "  shard -> parts: 2 there, 3 here"),
    "basis": ({"shard": ShardRecord(index=2, count=2, basis="")}, "  shard -> basis: ba51s there, nothing here"),
    "a whole": ({"shard": None}, "  shard -> parts: 2 there, none here"),
}


BASELINE = BaselineRecord(build=BUILD.model_copy(update={"torch": "2.8"}), levels=LEVELS, interpreter="/old/python")


def test_parts_compared_with_one_build_are_one_run_compared_with_it() -> None:
    """The record says with which."""
    assert merge(part(1, *ITEMS[:2], against=BASELINE), part(2, *ITEMS[2:], against=BASELINE)) == 0
    assert read_record(Path("out.json")).against == BASELINE


@pytest.mark.parametrize(
    ("other", "words"),
    [
        (BASELINE.model_copy(update={"interpreter": "/new/python"}), "PyTorch 2.8 (/new/python)"),
        (BASELINE.model_copy(update={"build": BUILD}), "PyTorch 2.9 (/old/python)"),
        (None, "no other build"),
    ],
)
def test_parts_compared_with_different_builds_are_refused(
    capsys: pytest.CaptureFixture[str], other: BaselineRecord | None, words: str
) -> None:
    """In one sentence that names both."""
    message = refusal(capsys, part(1, *ITEMS[:2], against=BASELINE), part(2, *ITEMS[2:], against=other))
    assert message == (
        f"0.json is of a run compared with PyTorch 2.8 (/old/python), and 1.json with {words}; "
        "only records of the same build and settings are merged"
    )


@pytest.mark.parametrize(("changes", "line"), DIFFERENT.values(), ids=DIFFERENT)
def test_records_of_different_runs_are_refused(
    capsys: pytest.CaptureFixture[str], changes: dict[str, Any], line: str
) -> None:
    """The message has both files and what differs."""
    message = refusal(capsys, part(1, *ITEMS[:2]), part(2, *ITEMS[2:], **changes))
    assert message.startswith("1.json is of another run than 0.json:\n")
    assert line in message.splitlines()


def test_runs_over_different_suites_are_one(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing was divided each may have chosen what it wanted."""
    first = part(1, *ITEMS[:2], shard=None, inputs={"harness": "1", "suites/x/a.yaml": "ab", "selection": "x"})
    second = part(2, *ITEMS[2:], shard=None, inputs={"harness": "1", "suites/x/b.yaml": "cd", "selection": "y"})
    assert merge(first, second) == 0
    assert capsys.readouterr().out == f"record: {Path.cwd() / 'out.json'}: 4 items of 2 records\n"
    inputs = read_record(Path("out.json")).inputs
    assert inputs == {"harness": "1", "suites/x/a.yaml": "ab", "suites/x/b.yaml": "cd", "selection": "x; y"}


def test_the_same_item_twice(capsys: pytest.CaptureFixture[str]) -> None:
    """It counts once where only its seconds differ, and is refused, with both files, where anything else does."""
    slower = ITEMS[1].model_copy(update={"seconds": 9.0})
    assert merge(part(1, *ITEMS[:2]), part(2, slower, *ITEMS[2:])) == 0
    assert read_record(Path("out.json")).items[node_id(slower)] == ITEMS[1]
    Path("out.json").unlink()
    capsys.readouterr()
    other = ITEMS[1].model_copy(update={"status": ItemStatus.PASSED})
    message = refusal(capsys, part(1, *ITEMS[:2]), part(2, other, *ITEMS[2:]))
    assert message == f"{node_id(other)} is in 0.json and in 1.json, and not the same; leave one of the two out"


def test_what_is_no_record_is_refused(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    """Before anything is written."""
    write_record(part(1, *ITEMS), folder / "0.json")
    assert main(["merge", "0.json", "nowhere.json", "--record", "out.json"]) == 4
    assert "there is no record nowhere.json" in capsys.readouterr().err
    assert not Path("out.json").exists()
