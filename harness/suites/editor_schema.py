"""The JSON Schema of suite files, for editors. `python -m harness.suites` writes it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

from harness.suites.schema import SuiteSchema
from harness.suites.validation import StrictSchema
from harness.suites.wording import EXPECTED

SCHEMA_FILE: Final = Path(__file__).resolve().parents[2] / "suites" / "suite.schema.json"
"""What editors read of a suite in a checkout, and of one that is shipped."""


def json_schema(schema: type[StrictSchema] = SuiteSchema) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a suite file, or of a file of models."""
    written = {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema.model_json_schema()}
    plain: dict[str, Any] = _plain(written)
    return plain


def schema_text(schema: type[StrictSchema] = SuiteSchema) -> str:
    """The text of the checked-in schema file."""
    return json.dumps(json_schema(schema), indent=2) + "\n"


def _plain(part: Any) -> Any:
    """Without our own key, and with `anyOf` for pydantic's `oneOf`: 1 is an integer and a number."""
    if isinstance(part, list):
        return [_plain(item) for item in part]
    if not isinstance(part, dict):
        return part
    renamed = {("anyOf" if key == "oneOf" else key): _plain(value) for key, value in part.items() if key != EXPECTED}
    if EXPECTED in part and "description" not in renamed:
        renamed["description"] = part[EXPECTED]
    return renamed
