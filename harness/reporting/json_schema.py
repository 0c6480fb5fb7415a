"""The JSON Schema of records, for who reads them with other tools. `python -m harness.reporting` writes it."""

from __future__ import annotations

import inspect
import json
from pathlib import Path
from typing import Final

from harness.core import Example, FactDifference, NotCompared, ReproducerCheck
from harness.reporting.record import Record
from harness.suites import schema_text

SCHEMA_FILE: Final = Path(__file__).with_name("record.schema.json")

NOUNS: Final = (Example, FactDifference, NotCompared, ReproducerCheck)
"""Dataclasses of core that a record holds. Before 2.14 pydantic tells of their fields alone."""


def record_schema_text() -> str:
    """The text of the checked-in schema file, the same with every pydantic that the harness runs with."""
    schema = json.loads(schema_text(Record))
    for noun in NOUNS:
        about = {"additionalProperties": False, "description": inspect.cleandoc(noun.__doc__ or "")}
        schema["$defs"][noun.__name__] = about | schema["$defs"][noun.__name__]
    return json.dumps(schema, indent=2) + "\n"
