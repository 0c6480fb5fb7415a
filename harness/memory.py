"""Failing examples of earlier runs, one file for each case and dtype: run first the next time."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.nouns import Case, Example


@dataclass(frozen=True)
class Memory:
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
        try:
            saved = json.loads(self.path.read_text("utf-8"))
            examples = [Example.from_json(one) for one in saved]
        except (OSError, ValueError):
            return []
        names = {size.name for size in self.case.sizes}
        return [one for one in examples if one.case == self.case.id and set(one.sizes) == names]

    def save(self, examples: Sequence[Example]) -> None:
        """Keep these, or forget the file when nothing failed."""
        if examples:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self.path.write_text("[\n" + ",\n".join(one.to_json() for one in examples) + "\n]\n", "utf-8")
        else:
            self.path.unlink(missing_ok=True)
