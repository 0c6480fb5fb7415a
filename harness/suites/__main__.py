"""``python -m harness.suites``: write the JSON Schema of suite files beside the suites."""

from harness.suites.editor_schema import SCHEMA_FILE, schema_text

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
