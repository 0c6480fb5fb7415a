"""The record: what is kept of a run, through JSON and back, and what is said of a file that is no record."""

from __future__ import annotations

import json
import math
import runpy
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from harness.core import CellState, DoubleBackwardState, Example, Finding, ReproducerCheck, ReproducerState
from harness.errors import UserError
from harness.reporting import (
    ModelExampleRecord,
    ModelFailureRecord,
    OperatorItemRecord,
    Record,
    Recorder,
    RecordHead,
    finding_record,
    item_text,
    operator_item_record,
    parse_item,
    read_operator_record,
    read_record,
    write_record,
)
from harness.reporting import json_schema as schema_module
from harness.reporting.example_record import plain_size, read_size
from harness.reporting.record import SCHEMA
from harness.trial import CellRow, Failure, Outcome
from tests.reporting.records import BUILD, CASE, LEVELS, RUN, golden_item, model_item, node_id, operator_item, record

EXAMPLE = Example(CASE, "float32", {"W": 1, "stride": (2, 2)}, {"input": "channels_last"})
FINDING = Finding("values", "output[0]", "layout", {"avx2": 3.0}, ("drawn",), "output[0] differs", "all of it")
FAILURE = Failure(
    FINDING,
    EXAMPLE,
    EXAMPLE.but(seed=9),
    (CellRow("avx2", CellState.FAILED, 3.0, ("pooling:jit:avx2",)),),
    "again",
    "#1",
)


def written(tmp_path: Path, document: object) -> Path:
    """The document in a file."""
    path = tmp_path / "record.json"
    path.write_text(json.dumps(document), "utf-8")
    return path


def plain(*changes: tuple[str, str, object]) -> dict[str, Any]:
    """A record of two items as plain data, with changes: item, field, value."""
    document: dict[str, Any] = json.loads(record(operator_item(), model_item()).text())
    for item, field, value in changes:
        document["items"][item][field] = value
    return document


def test_a_record_is_written_in_the_order_of_its_items(tmp_path: Path) -> None:
    """In whatever order the items came, the document is the same, and it is JSON that any reader takes."""
    items = [operator_item(dtype="float64"), golden_item(), model_item(), operator_item(dtype="bfloat16")]
    texts = set()
    for order in (items, items[::-1]):
        recorder = Recorder()
        recorder.open(["header"], RecordHead(BUILD, RUN, LEVELS))
        for item in order:
            recorder.add(node_id(item), item)
        write_record(recorder.record(), tmp_path / "deep" / "record.json")
        texts.add((tmp_path / "deep" / "record.json").read_text("utf-8"))
    (text,) = texts
    head = [
        "schema",
        "date",
        "machine",
        "complete",
        "inputs",
        "shard",
        "build",
        "run",
        "levels",
        "hosts",
        "against",
        "release",
        "arguments",
        "inner_arguments",
        "items",
    ]
    assert list(json.loads(text)) == head
    assert list(json.loads(text)["items"]) == sorted(map(node_id, items))


def test_a_record_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Through a file and back it is equal, failures with their examples included, and so is its text."""
    item = operator_item_record(
        Outcome(
            CASE,
            "float32",
            cells={"avx2": Counter({CellState.FAILED: 1})},
            failures=[FAILURE],
            reproducers={"column": ReproducerCheck(ReproducerState.STALE, "it passes")},
            coverage={"pairs": 50, "of": 100},
            double=DoubleBackwardState.AGREES,
        )
    )
    before = record(item, model_item(), operator_item(dtype="float64"))
    write_record(before, tmp_path / "record.json")
    after = read_record(tmp_path / "record.json")
    assert after == before
    assert after.text() == before.text()
    assert list(after.operators) == [node_id(item), f"{CASE}[float64]"]
    assert list(after.models) == [node_id(model_item())]
    assert after.cells == ["sse41", "avx2"]


def test_the_item_of_an_outcome() -> None:
    """It has the status and the counts in the order of their names, and ratios that are the same in every run."""
    outcome = Outcome(
        CASE,
        "float32",
        examples=Counter(drawn=2, corners=3),
        cells={"sse41": Counter({CellState.UNTRUSTED: 1, CellState.PASSED: 4})},
        ratios={"output[0]": 0.51234, "grad:input": 0.1},
        operators={"aten::b", "aten::a"},
        failures=[FAILURE],
        seconds=1.26,
    )
    item = operator_item_record(outcome)
    assert (item.name, item.suite, item.status) == ("max_pool2d", "suites/operators/pooling.yaml", "failed")
    assert list(item.examples.items()) == [("corners", 3), ("drawn", 2)]
    assert list(item.cells["sse41"].items()) == [("passed", 4), ("untrusted", 1)]
    assert list(item.ratios.items()) == [("grad:input", 0.1), ("output[0]", 0.51)]
    assert item.operators == ("aten::a", "aten::b")
    assert (item.failures[0].example, item.failures[0].why, item.seconds) == (EXAMPLE, "#1", 1.3)


def test_what_was_not_counted_has_no_numbers() -> None:
    """An item without a covering array has an empty coverage, which is not 0 of 0."""
    assert json.loads(item_text(operator_item()))["coverage"] == {}
    counted = {"pairs": 0, "of": 0, "triples": 0, "of_triples": 0}
    item = operator_item_record(Outcome(CASE, "float32", coverage=counted))
    assert json.loads(item_text(item))["coverage"] == counted


def test_an_error_without_an_end_is_null() -> None:
    """JSON has no infinity, which is how far a model's NaN is from its reference."""
    finding = Finding("values", "output[0]", "layout", {"avx2": math.inf, "sse41": 2.0})
    assert finding_record(finding).cells == {"avx2": None, "sse41": 2.0}


def test_a_size_may_be_infinite(tmp_path: Path) -> None:
    """The example that a record holds is the one that failed, and the record is JSON that any reader takes."""
    sizes = {"most": math.inf, "both": (-math.inf, 1), "mode": "same"}
    example = EXAMPLE.but(sizes=sizes)
    failure = Failure(FINDING, example, example, (), "again")
    model = ModelExampleRecord.model_validate_json(
        json.dumps(
            {"model": "m", "step": "eval", "runner": "eager", "precision": "float32", "sizes": sizes}
            | {"seed": 0, "threads": 1}
        )
    )
    failed = ModelFailureRecord(example=model, findings=(), faulty_modules=())
    operator = operator_item_record(Outcome(CASE, "float32", failures=[failure]))
    write_record(record(operator, model_item(failures=(failed,))), tmp_path / "record.json")
    json.loads((tmp_path / "record.json").read_text("utf-8"), parse_constant=pytest.fail)
    after = read_record(tmp_path / "record.json")
    (read_operator,) = after.operators.values()
    assert read_operator.failures[0].example == example
    (net,) = after.models.values()
    assert net.failures[0].example.sizes == {"most": math.inf, "both": [-math.inf, 1], "mode": "same"}


def test_what_is_no_number_is_spelled_too() -> None:
    """NaN is equal to nothing, and comes back all the same."""
    assert plain_size((math.nan, 1)) == ["NaN", 1]
    back = read_size("NaN")
    assert isinstance(back, float)
    assert math.isnan(back)


@pytest.mark.parametrize("item", [operator_item(notes=("a note",)), model_item()], ids=["operator", "model"])
def test_an_item_travels_as_text(item: Any) -> None:
    """From the process that ran it to the one that writes the record; what is no item does not arrive."""
    assert parse_item(item_text(item)) == item
    with pytest.raises(ValidationError, match="Field required"):
        parse_item("{}")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (None, "there is no record "),
        (b"{", "cannot be read: "),
        (b"\xff", "record.json:1:1: not UTF-8 text: byte 0xff"),
        (b"[" * 100_000, "cannot be read: "),
        (b"[]", f"is no record of schema {SCHEMA} (its schema: None)"),
        (b'{"schema": 1}', "(its schema: 1)"),
        (b'{"schema": "2"}', "(its schema: '2')"),
    ],
    ids=["absent", "no JSON", "no UTF-8", "too deep", "no mapping", "of before", "text"],
)
def test_a_file_that_is_no_record(tmp_path: Path, text: bytes | None, words: str) -> None:
    """The message says what is wrong and how to get a record."""
    path = tmp_path / "record.json"
    if text is not None:
        path.write_bytes(text)
    with pytest.raises(UserError) as error:
        read_record(path)
    assert words in str(error.value)
    assert "run the whole gate" in str(error.value)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('{"schema": 3, "items": [' + "[]," * 1_000_000 + "[]]}", "it has 1000004 values, and at most 1000000"),
        (
            '{"schema": 3, "items": {' + ",".join(f'"{name}":{{}}' for name in range(400_000)) + "}}",
            "and more than 10000 in the items before it",
        ),
        ('{"schema": 3, "items": {"x": [' + "{}," * 30_000 + "{}]}}", "items -> x: it has 30002 values"),
    ],
    ids=["values", "items", "a large item"],
)
def test_a_record_has_limits(tmp_path: Path, text: str, words: str) -> None:
    """What no run writes is refused before pydantic looks for each of its mistakes, which would take gigabytes."""
    path = tmp_path / "record.json"
    path.write_text(text)
    with pytest.raises(UserError) as error:
        read_record(path)
    assert words in str(error.value)
    assert len(str(error.value)) < 2000


OPERATOR, NETS = node_id(operator_item()), node_id(model_item())


@pytest.mark.parametrize(
    ("document", "line"),
    [
        ({"schema": SCHEMA}, "  build: Field required"),
        (plain((OPERATOR, "status", "fine")), f"  items -> {OPERATOR} -> status: Input should be 'passed', 'failed', "),
        (plain((OPERATOR, "cells", {"avx2": 1})), f"  items -> {OPERATOR} -> cells -> avx2: Input should be "),
        (plain((OPERATOR, "remark", "")), f"  items -> {OPERATOR} -> remark: Extra inputs are not permitted"),
        (plain((NETS, "examples", "1")), f"  items -> {NETS} -> examples: Input should be a valid integer"),
        (
            plain((OPERATOR, "failures", [{"example": {"case": CASE}}])),
            f"  items -> {OPERATOR} -> failures -> 0 -> example: Value error, an example needs 'dtype'",
        ),
    ],
)
def test_a_record_that_does_not_fit(tmp_path: Path, document: Mapping[str, Any], line: str) -> None:
    """Each mistake has its place, and what would be right; the message says how to get a record that fits."""
    with pytest.raises(UserError) as error:
        read_record(written(tmp_path, document))
    lines = str(error.value).splitlines()
    assert lines[0] == f"the record {tmp_path / 'record.json'} does not fit its schema:"
    assert any(each.startswith(line) for each in lines[1:-1])
    assert lines[-1].startswith("run the whole gate")


def test_many_mistakes_are_counted(tmp_path: Path) -> None:
    """Where a field is wrong in every item, five of them are enough."""
    document = plain()
    document["items"] = {f"relu[{number}]": {} for number in range(2)}
    with pytest.raises(UserError) as error:
        read_record(written(tmp_path, document))
    missing = 2 * sum(field.is_required() for field in OperatorItemRecord.model_fields.values())
    assert len(str(error.value).splitlines()) == 1 + 5 + 1 + 1
    assert f"\n  and {missing - 5} more\n" in str(error.value)


def test_a_record_of_models_alone_is_none_of_operators(tmp_path: Path) -> None:
    """Commands that read what operators came to say that there is nothing of it."""
    path = written(tmp_path, json.loads(record(model_item()).text()))
    assert list(read_record(path).models) == [NETS]
    with pytest.raises(UserError, match="holds no item of an operator; run the whole gate"):
        read_operator_record(path)


def test_the_checked_in_schema_is_up_to_date(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m harness.reporting` writes it, and what it writes is what is there."""
    before = schema_module.SCHEMA_FILE.read_text("utf-8")
    monkeypatch.setattr(schema_module, "SCHEMA_FILE", tmp_path / "record.schema.json")
    runpy.run_path(str(Path(schema_module.__file__).with_name("__main__.py")), run_name="__main__")
    assert (tmp_path / "record.schema.json").read_text("utf-8") == before


def test_the_schema_has_the_version_and_no_other_keys() -> None:
    """A reader that checks a record with it finds one of another version, and a key that is not known."""
    schema = json.loads(schema_module.record_schema_text())
    assert schema["properties"]["schema"]["const"] == SCHEMA
    assert set(schema["properties"]) == set(json.loads(record().text())) == set(_keys(Record))
    closed = [part.get("additionalProperties") for part in schema["$defs"].values() if "properties" in part]
    assert closed.count(False) >= 10


def _keys(schema: type[Record]) -> list[str]:
    return [field.alias or name for name, field in schema.model_fields.items()]
