"""``python -m harness.models``: write the JSON Schema of files of models beside the code."""

from pathlib import Path
from typing import Final

from harness.models.declaration import ModelsFile
from harness.suites import schema_text

SCHEMA_FILE: Final = Path(__file__).with_name("models.schema.json")

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(ModelsFile), encoding="utf-8")
