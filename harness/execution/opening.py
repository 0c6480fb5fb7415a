"""Opening an executor: workers are started for the levels that can run here, and each proves what it is capped at."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.core import Cell, Level
from harness.errors import UserError
from harness.execution.host import Host, RemoteHost, probe_host, probe_remote_host
from harness.execution.host_address import parse_host_address
from harness.execution.levels import (
    cap_mismatch,
    merge_equal_cells,
    place_levels,
    representative_levels,
    select_levels,
)
from harness.execution.result import Build
from harness.execution.workers.forked import ForkUnsafeError
from harness.execution.workers.pool import REFERENCE, InProcessPool, Pool, WorkerPool
from harness.portable.protocol import ReadyMessage


@dataclass(frozen=True)
class OpenedPool:
    """A pool whose workers are ready, with the build that they found and the cells that differ in proof.

    `aliases`: the name of an ISA level, and of the cell that has the same proof. `unavailable`: the name of a level,
    and why it cannot run here. `hosts`: the name of another machine on which levels run, and the build on it.
    """

    pool: Pool
    build: Build
    cells: tuple[Cell, ...]
    hosts: Mapping[str, Build] = field(default_factory=dict)
    aliases: Mapping[str, str] = field(default_factory=dict)
    unavailable: Mapping[str, str] = field(default_factory=dict)


@dataclass
class WorkerOpening:
    """Starts workers, and waits for them later: they take seconds to import torch.

    `levels` are all that are declared, `names` those to run (None: the default ones), `python` the interpreter under
    test (None: this one), `preload` the files that the workers run first. `note` takes the message of each incident.
    `hosts` are other machines, in execnet's words, for levels that are lacking here, and `lose` takes those of one that
    is lost. `representatives_only`: of the default levels only the representative ones.
    """

    levels: Sequence[Level]
    names: Collection[str] | None
    python: str | None
    preload: Sequence[Path]
    note: Callable[[str], None]
    lose: Callable[[Sequence[str], str], None]
    hosts: Sequence[str] = ()
    representatives_only: bool = False
    is_started: bool = field(default=False, init=False)
    """Whether the workers have been started, and not been ended since."""
    _pool: WorkerPool | None = field(default=None, init=False)

    def warm_up(self) -> WorkerPool:
        """Let the process that becomes workers import torch, before it is known at which levels they run; their pool.

        Raises UserError as `finish` does.
        """
        if self._pool is None:
            check_preload(self.preload)
            self._host = probe_host(self.python)
            self._pool = self._new_pool(forking=True)
            self._pool.warm_up()
        return self._pool

    def start(self) -> WorkerPool:
        """Let the workers start without waiting for them, once; their pool. Raises UserError as `finish` does."""
        if self._pool is None or not self.is_started:
            check_preload(self.preload)
            others = self._probe_others()
            pool = self.warm_up()
            self._select_levels(others)
            self._launch(pool)
            self.is_started = True
            return pool
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
            self._pool = pool = self._new_pool(forking=False)
            self._launch(pool)
            opened = self._prove(pool)
        assert opened is not None  # noqa: S101 - only forks are of no use
        pool.retire(opened.aliases)
        return opened

    def close(self) -> None:
        """End the workers. May be called again."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None
            self.is_started = False

    def _probe_others(self) -> list[RemoteHost]:
        """The other machines. Raises UserError for one that cannot be reached, or cannot run what is to run there."""
        addresses = [*map(parse_host_address, self.hosts)]
        names = [address.name for address in addresses]
        if twice := [name for name in names if names.count(name) > 1]:
            raise UserError(f"host {twice[0]} is named twice; call each by a name of its own, as ssh_config(5) can")
        if addresses and self.preload:
            raise UserError(
                f"preload files are of this machine, and are not sent to {names[0]}; leave out either the host or the "
                "files, or install there what they load and let the interpreter load it (sitecustomize)"
            )
        return [*map(probe_remote_host, addresses)]

    def _select_levels(self, others: Sequence[RemoteHost]) -> None:
        """Note what runs, where, and what cannot. Raises UserError."""
        running, self._unavailable = select_levels(self.levels, self.names, self._host, others)
        self._elsewhere = place_levels(running, self._host, others)
        if self.representatives_only and self.names is None:
            names = representative_levels(running, self.levels)
            running = [level for level in running if level.name in names]
        self._running = running

    def _new_pool(self, *, forking: bool) -> WorkerPool:
        preload = tuple(file.resolve() for file in self.preload)
        return WorkerPool(self._host, preload, note=self.note, lose=self.lose, forking=forking)

    def _launch(self, pool: WorkerPool) -> None:
        running = {level.name for level in self._running}
        try:
            pool.start(self._running, {name: host for name, host in self._elsewhere.items() if name in running})
        except BaseException:
            self.close()
            raise

    def _prove(self, pool: WorkerPool) -> OpenedPool | None:
        """Wait for the workers and read what each says of itself; None where forks of the build cannot run kernels."""
        try:
            descriptions = pool.descriptions()
        except ForkUnsafeError:
            return None
        build = _build(descriptions[REFERENCE], self._host)
        cells, hosts = [], {}
        for level in self._running:
            host, description = self._elsewhere.get(level.name, self._host), descriptions[level.name]
            cells.append(Cell(level.name, level, host.python, host.name, _proof(description)))
            if host is not self._host:
                hosts[host.name] = _build(description, host)
        for name, other in hosts.items():
            check_same_release(build, name, other)
        distinct, aliases = merge_equal_cells(cells, self.levels)
        return OpenedPool(pool, build, distinct, hosts, aliases, self._unavailable)

    def _has_doubtful_caps(self, opened: OpenedPool) -> bool:
        """Whether a cap did not take effect, as where a build reads its caps when it is imported, before the fork.

        On other machines nothing is forked.
        """
        here = [cell for cell in opened.cells if cell.name not in self._elsewhere]
        return bool(opened.aliases.keys() - self._elsewhere.keys()) or any(map(cap_mismatch, here))


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
    return OpenedPool(pool, _build(description, host), (cell,))


def _build(description: ReadyMessage, host: Host) -> Build:
    """The build that a worker describes, and the CPU under it."""
    return Build(**description["build"], cpu=host.cpu, flags=host.flags)


def check_same_release(build: Build, name: str, other: Build) -> None:
    """Raise UserError where another machine has another release of PyTorch: the variants of one are behind a plus."""
    here, there = (each.torch.partition("+")[0] for each in (build, other))
    if here != there:
        raise UserError(
            f"host {name} has PyTorch {other.torch}, and {build.torch} is tested here: a run tests one release; name "
            "an interpreter that has it by //python=/path"
        )


def _proof(description: ReadyMessage) -> dict[str, str]:
    """What the libraries said of their caps, by library."""
    return {"onednn": description["proof"]["onednn"], "aten": description["proof"]["aten"]}


def check_preload(files: Sequence[Path]) -> None:
    """Raise UserError for a preload file that is not there."""
    for file in files:
        if not file.is_file():
            raise UserError(f"there is no preload file {file}")
