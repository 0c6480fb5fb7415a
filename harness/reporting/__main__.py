"""``python -m harness.reporting``: write the JSON Schema of records beside the code."""

from harness.reporting.json_schema import SCHEMA_FILE, record_schema_text

if __name__ == "__main__":
    SCHEMA_FILE.write_text(record_schema_text(), encoding="utf-8")
