"""A suite file, of cases or of models, read once."""

from __future__ import annotations

from pathlib import Path

from harness.core import Case
from harness.models.declaration import ModelSuite, build_models, examine_models
from harness.models.model import Model
from harness.suites import (
    DeclarationError,
    Document,
    Examination,
    Suite,
    build_suite,
    display_path,
    examine_suite,
    read_document,
)


def load_file(path: Path | str, root: Path | str) -> Suite | ModelSuite:
    """What the file declares: models where it has the key `models`, else cases. Ids name it relative to `root`.

    Raises DeclarationError with every mistake in it.
    """
    document = _read(path, root)
    return build_models(document) if _is_of_models(document) else build_suite(document)


def examine_file(path: Path | str, root: Path | str) -> Examination[Case | Model]:
    """The cases or models of a file that have no mistake, and every mistake in it; a file with mistakes is no error."""
    try:
        document = _read(path, root)
    except DeclarationError as error:
        return Examination((), error.mistakes, is_complete=error.is_complete)
    examination = examine_models(document) if _is_of_models(document) else examine_suite(document)
    return Examination((*examination.sound,), examination.mistakes, is_complete=examination.is_complete)


def _read(path: Path | str, root: Path | str) -> Document:
    return read_document(path, "suite", display_path(Path(path), Path(root)))


def _is_of_models(document: Document) -> bool:
    return isinstance(document.data, dict) and "models" in document.data
