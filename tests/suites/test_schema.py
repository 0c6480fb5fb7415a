"""The schema that editors read, and the layout names that two rooms share."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from harness.suites import editor_schema as schema_module
from harness.suites import json_schema


def test_the_checked_in_schema_is_up_to_date() -> None:
    """The file beside the suites is what `python -m harness.suites` writes."""
    assert schema_module.SCHEMA_FILE.read_text(encoding="utf-8") == schema_module.schema_text()


def test_the_command_writes_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m harness.suites` writes what the schemas of pydantic say."""
    monkeypatch.setattr(schema_module, "SCHEMA_FILE", tmp_path / "suite.schema.json")
    runpy.run_path(str(Path(schema_module.__file__).with_name("__main__.py")), run_name="__main__")
    assert json.loads((tmp_path / "suite.schema.json").read_text()) == json_schema()


def test_every_key_is_described_and_no_other_is_allowed() -> None:
    """An editor shows a description for each key and marks any other."""
    schema = json_schema()
    mappings = [part for part in [schema, *schema["$defs"].values()] if "properties" in part]
    assert len(mappings) >= 8
    for part in mappings:
        assert part["additionalProperties"] is False
        assert all("description" in key for key in part["properties"].values()), part["title"]


def test_alternatives_may_overlap() -> None:
    """1 is an integer and a number: `oneOf` would refuse it."""
    assert "oneOf" not in json.dumps(json_schema())
