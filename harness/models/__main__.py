"""``python -m harness.models``: write the JSON Schema of files of models beside the suites."""

from harness.models.schema import SCHEMA_FILE, ModelSuiteSchema
from harness.suites import schema_text

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(ModelSuiteSchema), encoding="utf-8")
