"""The folder that workers load the mutants from, and which of them is planted just now."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Final

from harness.mutants.catalogue_file import Mutant

KERNELS: Final = Path(__file__).with_name("planted_kernels.py")
LONGEST_NAME: Final = 128
"""Bytes of the file that says which mutant is planted, which the workers have mapped into memory."""


class Planting:
    """What `planted_kernels.py` reads, in a folder of its own; `preload` is the file that workers load."""

    def __init__(self, folder: Path, mutants: Mapping[str, Mutant]) -> None:
        self.preload = Path(shutil.copy(KERNELS, folder))
        entries = {name: asdict(mutant) for name, mutant in mutants.items()}
        (folder / "catalogue.json").write_text(json.dumps(entries), "utf-8")
        self._active = folder / "active"
        self._active.write_bytes(bytes(LONGEST_NAME))

    def plant(self, name: str) -> None:
        """Let this mutant bite from the next call on, and no other; no mutant at all if `name` is empty."""
        with self._active.open("r+b") as file:
            file.write(name.encode().ljust(LONGEST_NAME, b"\0"))

    @contextmanager
    def stock_kernels(self) -> Iterator[None]:
        """Within, no mutant bites; afterwards the same does as before."""
        before = self._active.read_bytes().rstrip(b"\0").decode()
        self.plant("")
        try:
            yield
        finally:
            self.plant(before)


@contextmanager
def open_planting(mutants: Mapping[str, Mutant]) -> Iterator[Planting]:
    """A folder with these mutants, which is removed in the end. None of them is planted yet."""
    with tempfile.TemporaryDirectory(prefix="equivalence-mutants-") as folder:
        yield Planting(Path(folder), mutants)
