"""A script for each failure of an item: written, run, and offered only where it shows the fault."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final

from harness.core import Case, Level
from harness.errors import UserError
from harness.reporting import NoScriptError, ScriptSubject, write_script
from harness.script_runs import FreshMemory, ScriptRun
from harness.settings import Settings
from harness.trial import Failure, FailureScript

MOST_SCRIPTS: Final = 40
"""Failures of one process that get a script: each is run a few times, and a broken build fails everywhere."""

LONGEST_NAME: Final = 80
"""Characters of a file's name that come from an item's."""

DOES_NOT_SHOW: Final = "the one that was written does not show it"
"""Why there is none where a script passes that should fail."""


@dataclass
class FailureScriptWriter:
    """Writes the scripts of failures into `folder`, after each has been run with the interpreter under test.

    `levels` gives those that this machine can run, by name, once the workers have said which. `is_late` says when no
    further one is begun; `run` runs a text. A file that an earlier run left of the same item is removed.
    """

    settings: Settings
    levels: Callable[[], Mapping[str, Level]]
    is_late: Callable[[], bool]
    run: Callable[[str, FreshMemory], ScriptRun]
    _count: int = field(default=0, init=False)

    @property
    def folder(self) -> Path:
        """Where they lie: beside the record."""
        return self.settings.record.parent / "scripts"

    def add_scripts(self, case: Case, dtype: str, failures: Sequence[Failure]) -> list[Failure]:
        """The failures, each with its script or with the reason why it has none. Raises nothing for a full disk."""
        stem = file_stem(case.id, dtype)
        with suppress(OSError):
            for path in self.folder.glob(f"{stem}-*.py"):
                path.unlink()
        numbered = enumerate(failures, 1)
        return [
            replace(failure, script=self._script(case, failure, self.folder / f"{stem}-{number}.py"))
            for number, failure in numbered
        ]

    def _script(self, case: Case, failure: Failure, path: Path) -> FailureScript:
        if self.is_late():
            return FailureScript(reason="the time budget was reached before it was written")
        if self._count >= MOST_SCRIPTS:
            return FailureScript(reason=f"the first {MOST_SCRIPTS} failures of a process have one")
        self._count += 1
        try:
            text = self._shown_text(case, failure)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        except (NoScriptError, UserError) as error:
            return FailureScript(reason=str(error))
        except OSError as error:
            return FailureScript(reason=f"it could not be written to {path}: {error.strerror}")
        return FailureScript(text=text, file=self._relative_path(path))

    def _shown_text(self, case: Case, failure: Failure) -> str:
        """The plainest script that shows the failure. Raises NoScriptError where none does.

        It needs no preload file if it shows the fault without, and does not fill fresh memory itself if it shows it
        whatever that holds.
        """
        reason = DOES_NOT_SHOW
        for preload in dict.fromkeys(((), self.settings.preload)):
            try:
                subject = failure_subject(case, failure, self.levels(), preload)
                for poison in (False, True):
                    text = write_script(subject, poison=poison)
                    if all(self.run(text, memory).shows_fault for memory in FreshMemory):
                        return text
                reason = DOES_NOT_SHOW
            except NoScriptError as error:
                reason = str(error)
        raise NoScriptError(reason)

    def _relative_path(self, path: Path) -> str:
        root = self.settings.root
        return str(path.relative_to(root)) if path.is_relative_to(root) else str(path)


def failure_subject(
    case: Case, failure: Failure, levels: Mapping[str, Level], preload: tuple[Path, ...]
) -> ScriptSubject:
    """What a script of the failure has to show, at the lowest level where it fails. Raises NoScriptError for none."""
    finding = failure.finding
    level = next((levels[cell] for cell in finding.cells if cell in levels), None)
    if level is None:
        raise NoScriptError("it fails at no level that isa.yaml names and this machine has")
    about = f" of {finding.tensor}" if finding.tensor not in ("", "*") else ""
    return ScriptSubject(
        title=f"{case.name} in {failure.example.dtype} at the level {level.name}: {finding.oracle}{about}",
        case=case,
        example=failure.example,
        level=level,
        oracle=finding.oracle,
        tensor=finding.tensor,
        layouts=finding.layouts,
        earlier=failure.earlier,
        is_fickle=failure.is_fickle,
        preload=preload,
    )


def file_stem(case: str, dtype: str) -> str:
    """What the names of an item's files begin with, by the id of its case: harmless in any shell, no other item's."""
    file, _, name = case.partition("::")
    whole = f"{Path(file).stem}-{name}"
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "_", whole).lstrip(".-")
    is_unique = file.startswith("suites/operators/") and plain == whole and len(plain) <= LONGEST_NAME
    digest = "" if is_unique else f"-{zlib.crc32(case.encode()):08x}"
    return f"{plain[:LONGEST_NAME]}{digest}-{dtype}"
