"""The JSON Schema of files of models, which editors read."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest

from harness.models import schema as schema_module
from harness.models.schema import SCHEMA_FILE, ModelSuiteSchema
from harness.suites import json_schema, schema_text


def test_the_checked_in_schema_is_up_to_date() -> None:
    """The file says what the pydantic classes say; `python -m harness.models` writes it again."""
    assert SCHEMA_FILE.read_text(encoding="utf-8") == schema_text(ModelSuiteSchema)


def test_the_command_writes_the_schema(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`python -m harness.models` writes the schema that the pydantic classes make."""
    monkeypatch.setattr("harness.models.schema.SCHEMA_FILE", tmp_path / "models.schema.json")
    runpy.run_path(str(Path(schema_module.__file__).with_name("__main__.py")), run_name="__main__")
    assert json.loads((tmp_path / "models.schema.json").read_text()) == json_schema(ModelSuiteSchema)


def test_every_key_is_described_and_no_other_is_allowed() -> None:
    """An editor shows a description for each key of a file of models and marks any other."""
    schema = json_schema(ModelSuiteSchema)
    mappings = [part for part in [schema, *schema["$defs"].values()] if "properties" in part]
    assert {part["title"] for part in mappings} >= {
        "ModelSuiteSchema",
        "ModelSchema",
        "ModelDefaultsSchema",
        "InputSchema",
    }
    for part in mappings:
        assert part["additionalProperties"] is False
        assert all("description" in key for key in part["properties"].values()), part["title"]
