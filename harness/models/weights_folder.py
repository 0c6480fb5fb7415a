"""Files in which the worker of the reference keeps the weights that factories gave, for the cells to read."""

from __future__ import annotations

import hashlib
import tempfile
from pathlib import Path

from harness.models.model import Model


class WeightsFolder:
    """A folder for temporary files that is there from the first use until `close`."""

    def __init__(self) -> None:
        self._folder: tempfile.TemporaryDirectory[str] | None = None

    def file_of(self, model: Model) -> str:
        """The path of the file for what the model's factory gives with the model's arguments."""
        if self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="equivalence-weights-")
        key = repr((model.factory, sorted(model.arguments.items())))
        return str(Path(self._folder.name) / f"{hashlib.sha256(key.encode()).hexdigest()[:16]}.pt")

    def close(self) -> None:
        """Remove the folder and its files."""
        if self._folder is not None:
            self._folder.cleanup()
            self._folder = None
