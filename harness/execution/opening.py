"""Opening an executor: workers are started for the levels that can run here, and each proves what it is capped at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core import Cell, Level
from harness.errors import UserError
from harness.execution.host import Host, probe_host
from harness.execution.levels import cap_mismatch, merge_equal_cells, representative_levels, select_levels
from harness.execution.result import Build
from harness.execution.workers.forked import ForkUnsafeError
from harness.execution.workers.pool import REFERENCE, InProcessPool, Pool, WorkerPool
from harness.portable.protocol import ReadyMessage


@dataclass(frozen=True)
class OpenedPool:
    """A pool whose workers are ready, with the build that they found and the cells that differ in proof.

    `aliases`: the name of an ISA level, and of the cell that has the same proof. `unavailable`: the name of a level,
    and why it cannot run here.
    """

    pool: Pool
    build: Build
    cells: tuple[Cell, ...]
    aliases: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)


@dataclass
class WorkerOpening:
    """Starts workers, and waits for them later: they take seconds to import torch.

    `levels` are all that are declared, `names` those to run (None: the default ones), `python` the interpreter under
    test (None: this one), `preload` the files that the workers run first. `note` takes the message of each incident.
    `representatives_only`: of the default levels only the representative ones.
    """

    levels: Sequence[Level]
    names: Collection[str] | None
    python: str | None
    preload: Sequence[Path]
    note: Callable[[str], None]
    representatives_only: bool = False
    _pool: WorkerPool | None = field(default=None, init=False)

    @property
    def is_started(self) -> bool:
        """Whether the workers have been started, and not been ended since."""
        return self._pool is not None

    def start(self) -> WorkerPool:
        """Let the workers start without waiting for them, once; their pool. Raises UserError as `finish` does."""
        if self._pool is None:
            check_preload(self.preload)
            self._host = probe_host(self.python)
            self._running, self._unavailable = self._select_levels(self._host)
            self._pool = self._launch(forking=True)
        return self._pool

    def finish(self) -> OpenedPool:
        """Wait for the workers; those whose cap did not take effect as forks get an interpreter each.

        Raises UserError for levels that do not exist or cannot run, and for an interpreter or a preload file that does
        not work.
        """
        pool = self.start()
        opened = self._prove(pool)
        if pool.forking and (opened is None or self._has_doubtful_caps(opened)):
            pool.close()
            self._pool = pool = self._launch(forking=False)
            opened = self._prove(pool)
        assert opened is not None  # noqa: S101 - only forks are of no use
        pool.retire(opened.aliases)
        return opened

    def close(self) -> None:
        """End the workers. May be called again."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    def _select_levels(self, host: Host) -> tuple[list[Level], dict[str, str]]:
        running, unavailable = select_levels(self.levels, self.names, host)
        if self.representatives_only and self.names is None:
            names = representative_levels(running, self.levels)
            running = [level for level in running if level.name in names]
        return running, unavailable

    def _launch(self, *, forking: bool) -> WorkerPool:
        preload = tuple(file.resolve() for file in self.preload)
        pool = WorkerPool(self._host, preload, self.note, forking=forking)
        try:
            pool.start(self._running)
        except BaseException:
            pool.close()
            raise
        return pool

    def _prove(self, pool: WorkerPool) -> OpenedPool | None:
        """Wait for the workers and read what each says of itself; None where forks of the build cannot run kernels."""
        try:
            descriptions = pool.descriptions()
        except ForkUnsafeError:
            return None
        host = self._host
        cells = [
            Cell(level.name, level, host.python, proof=_proof(descriptions[level.name])) for level in self._running
        ]
        distinct, aliases = merge_equal_cells(cells, self.levels)
        build = Build(**descriptions[REFERENCE]["build"], cpu=host.cpu, flags=host.flags)
        return OpenedPool(pool, build, distinct, aliases, self._unavailable)

    @staticmethod
    def _has_doubtful_caps(opened: OpenedPool) -> bool:
        """Whether a cap did not take effect, as where a build reads its caps when it is imported, before the fork."""
        return bool(opened.aliases) or any(map(cap_mismatch, opened.cells))


def open_in_process(python: str | None, preload: Sequence[Path]) -> OpenedPool:
    """One cell without caps, in this process. Raises UserError for another interpreter and a file that fails."""
    check_preload(preload)
    if python is not None:
        raise UserError("in-process runs use this interpreter; another one cannot be given with them")
    host = probe_host(None)
    pool = InProcessPool()
    description = pool.open(preload)
    level = Level("in_process", host.machine, None, description["proof"]["aten"].lower())
    cell = Cell(level.name, level, host.python, proof=_proof(description))
    return OpenedPool(pool, Build(**description["build"], cpu=host.cpu, flags=host.flags), (cell,))


def _proof(description: ReadyMessage) -> dict[str, str]:
    """What the libraries said of their caps, by library."""
    return {"onednn": description["proof"]["onednn"], "aten": description["proof"]["aten"]}


def check_preload(files: Sequence[Path]) -> None:
    """Raise UserError for a preload file that is not there."""
    for file in files:
        if not file.is_file():
            raise UserError(f"there is no preload file {file}")
