"""The JSON Schema of records, for who reads them with other tools. `python -m harness.reporting` writes it."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from harness.reporting.record import Record
from harness.suites import schema_text

SCHEMA_FILE: Final = Path(__file__).with_name("record.schema.json")


def record_schema_text() -> str:
    """The text of the checked-in schema file."""
    return schema_text(Record)
