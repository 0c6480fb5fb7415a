"""One run of pytest over suites: the settings, the gate that is opened for it, and the record it becomes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import pytest

from harness.errors import UserError
from harness.gate import Gate
from harness.nouns import Case
from harness.reporting import Record
from harness.settings import Settings
from harness.verdict import Outcome

KEY: Final = pytest.StashKey["Session"]()


class Session:
    """Lives in the config's stash. The gate's workers start only where items will run or a header is printed."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.gate: Gate | None = None
        self.cases: dict[str, Case] = {}
        self.record = Record()
        self.remaining = 0
        self._open = contextlib.ExitStack()

    @staticmethod
    def of(config: pytest.Config) -> Session:
        """The session of this run."""
        return config.stash[KEY]

    def start(self, files: Sequence[Path]) -> None:
        """Check every suite named, then the levels, the build and the callables. Raises UserError."""
        self.gate = Gate(self.settings)
        self.cases = self.gate.cases(files)
        if self.config.option.collectonly:
            return
        self._open.enter_context(self.gate)
        if not self.is_xdist_worker:
            self.gate.check(self.cases.values())
            self.record.open(self.gate.header(), *self.gate.described())
        if self.is_xdist_controller:
            self._open.close()

    def close(self) -> None:
        """End the workers."""
        self._open.close()

    def cases_of(self, path: Path) -> Sequence[Case]:
        """The cases of one file."""
        root = self.settings.root
        suite = path.relative_to(root) if path.is_relative_to(root) else path
        return tuple(case for case in self.cases.values() if case.id.partition("::")[0] == suite.as_posix())

    def try_case(self, case: Case, dtype: str) -> Outcome:
        """One trial in this process's laboratory."""
        if self.gate is None:
            raise UserError("no suite file was named, so no worker was started")
        share = 1.0 / max(self.remaining, 1)
        self.remaining -= 1
        return self.gate.try_case(case, dtype, share)

    @property
    def is_xdist_worker(self) -> bool:
        """Whether another process controls this one."""
        return hasattr(self.config, "workerinput")

    @property
    def is_xdist_controller(self) -> bool:
        """Whether the items run in other processes."""
        return bool(getattr(self.config.option, "dist", "no") != "no" and not self.is_xdist_worker)

    def header(self) -> list[str]:
        """Lines for pytest's header."""
        return self.record.header

    def receive(self, data: dict[str, Any], nodeid: str) -> None:
        """Take the outcome of one item, from this process or an xdist worker."""
        self.record.add(nodeid, data)


def suite_files(config: pytest.Config) -> list[Path]:
    """The suite files that the arguments of this run name, directly or by a directory."""
    return sorted({file for argument in config.args for file in _suites_in(config, argument)})


def _suites_in(config: pytest.Config, argument: str) -> Iterator[Path]:
    path = config.invocation_params.dir / argument.partition("::")[0]
    if path.is_dir():
        yield from (file for file in path.rglob("*.yaml") if is_suite(file))
    elif path.suffix == ".yaml" and path.is_file():
        yield path


def is_suite(path: Path) -> bool:
    """Whether a YAML file found below a directory is a suite: it lies under ``suites/<family>/``."""
    return path.suffix == ".yaml" and "suites" in path.parts[:-2]
