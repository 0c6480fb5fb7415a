"""Failing examples of earlier runs, one file for each case and dtype: run first the next time."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from harness.core import Case, Example
from harness.core.json_text import parse_json
from harness.core.text_file import UnreadableFileError, read_text_file
from harness.generation import describe_excess
from harness.golden import describe_misfit

MOST_SAVED: Final = 1000
"""Saved failures of one item that are run; a run saves a handful."""


@dataclass(frozen=True)
class FailureDatabase:
    """The saved failures of one item, below ``.equivalence/failures/``; a file that does not parse is no failure."""

    root: Path
    case: Case
    dtype: str

    @property
    def path(self) -> Path:
        """The file of this case and dtype; no two items share one."""
        suite = self.case.id.partition("::")[0].replace("/", "-").removesuffix(".yaml")
        return self.root / ".equivalence" / "failures" / suite / f"{self.case.name}[{self.dtype}].json"

    def load(self) -> list[Example]:
        """The examples saved last time that still belong to this case."""
        saved: object = None
        with suppress(UnreadableFileError, ValueError):
            saved = parse_json(read_text_file(self.path))
        examples = [_read_example(entry) for entry in saved[:MOST_SAVED]] if isinstance(saved, list) else []
        return [example for example in examples if example is not None and self._can_run(example)]

    def _can_run(self, example: Example) -> bool:
        return not (describe_misfit(self.case, example) or describe_excess(self.case, example))

    def save(self, examples: Sequence[Example]) -> str:
        """Keep these, or forget the file when nothing failed; why that cannot be done, or nothing."""
        try:
            self._write(examples)
        except OSError as error:
            return f"what failed could not be saved for the next run in {self.path}: {error.strerror}"
        return ""

    def _write(self, examples: Sequence[Example]) -> None:
        if examples:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text("[\n" + ",\n".join(example.to_json() for example in examples) + "\n]\n", "utf-8")
        else:
            self.path.unlink(missing_ok=True)


def _read_example(saved: object) -> Example | None:
    """The example, or None for what is none."""
    try:
        return Example.from_json(saved) if isinstance(saved, dict) else None
    except ValueError:
        return None
