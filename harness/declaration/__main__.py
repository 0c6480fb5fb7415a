"""``python -m harness.declaration``: write the JSON Schemas of suite files beside the code."""

from harness.declaration.networks import ModelsFile
from harness.declaration.schema import MODELS_SCHEMA_FILE, SCHEMA_FILE, schema_text

if __name__ == "__main__":
    SCHEMA_FILE.write_text(schema_text(), encoding="utf-8")
    MODELS_SCHEMA_FILE.write_text(schema_text(ModelsFile), encoding="utf-8")
