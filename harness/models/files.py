"""A suite file, of cases or of models, read once."""

from __future__ import annotations

from pathlib import Path

from harness.models.declaration import ModelSuite, build_models
from harness.suites import Suite, build_suite, display_path, read_document


def load_file(path: Path | str, root: Path | str) -> Suite | ModelSuite:
    """What the file declares: models where it has the key `models`, else cases. Ids name it relative to `root`.

    Raises DeclarationError with every mistake in it.
    """
    document = read_document(path, "suite", display_path(Path(path), Path(root)))
    of_models = isinstance(document.data, dict) and "models" in document.data
    return build_models(document) if of_models else build_suite(document)
