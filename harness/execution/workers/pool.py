"""The pool: all the supervisors of an executor, started together, the rarer ones when they are first needed."""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from harness.core import Level
from harness.errors import UserError
from harness.execution.host import Host, RemoteHost
from harness.execution.workers import bundle, environment
from harness.execution.workers.forked import ForkedProcess, ForkServer
from harness.execution.workers.hosted import HostedProcess
from harness.execution.workers.hosted_supervisor import HostedSupervisor, HostLink
from harness.execution.workers.process import Process, Setup
from harness.execution.workers.spawned import SpawnedProcess
from harness.execution.workers.supervisor import HostLost, InProcessSupervisor, Supervisor, WorkerSupervisor
from harness.portable import protocol

REFERENCE: Final = ""
"""The reference's name where others are cells'."""


@dataclass(frozen=True)
class WorkerKey:
    """Which worker: its role, the level that it is capped at, and whether it runs the preload files first.

    The reference has no level: it runs at ATen's default capability with oneDNN switched off.
    """

    role: protocol.Role
    level: str | None = None
    preloaded: bool = False

    @property
    def name(self) -> str:
        """As incidents and files have it: ``cell-avx2``, ``reference``, ``fork_per_request-reference-preloaded``.

        What is unusual is said: that the reference has run the preload files, and that a cell's worker has not.
        """
        level = self.level or (None if self.role == "reference" else "reference")
        unusual = ("" if self.preloaded else "stock") if self.level else ("preloaded" if self.preloaded else "")
        return "-".join(filter(None, (self.role, level, unusual)))


class Pool(Protocol):
    """Where an executor finds the supervisor for a cell, for the reference, and for a run in isolation."""

    def cell(self, name: str) -> Supervisor:
        """The supervisor of a cell."""

    def reference(self, *, preloaded: bool) -> Supervisor:
        """The supervisor of the reference: the stock kernels, or with the preload files."""

    def fork_per_request(
        self, cells: Sequence[str], preloaded: bool, *, cells_preloaded: bool = True
    ) -> Mapping[str, Supervisor]:
        """Supervisors whose workers fork for each request, by cell; the reference's is under `REFERENCE`.

        `preloaded`: that of the reference has run the preload files; `cells_preloaded`: those of the cells have.
        """

    def timing_worker(self, cell: str) -> Supervisor:
        """The supervisor of a worker with a cell's caps that does nothing but measure. Raises UserError without one."""

    def pids(self) -> Mapping[str, int]:
        """The process ids of the workers that run now, by the workers' names."""

    def close(self) -> None:
        """End every process."""


class InProcessPool:
    """One supervisor in this process for everything: the reference too sees what the preload files replaced."""

    def open(self, preload: Sequence[Path]) -> protocol.ReadyMessage:
        """Import torch here, load the preload files; the description, with ATen's capability as its proof.

        Raises UserError for a preload file that fails.
        """
        serve = bundle.load_in_this_process()
        self._supervisor = InProcessSupervisor(serve)
        reply = self._supervisor.prepare([str(file.resolve()) for file in preload])
        if reply["problem"]:
            raise UserError(reply["problem"])
        return {**reply, "proof": {"onednn": "", "aten": serve.describe.capability()}}

    def cell(self, name: str) -> Supervisor:
        """The one supervisor."""
        del name
        return self._supervisor

    def reference(self, *, preloaded: bool) -> Supervisor:
        """The one supervisor."""
        del preloaded
        return self._supervisor

    def fork_per_request(
        self, cells: Sequence[str], preloaded: bool, *, cells_preloaded: bool = True
    ) -> Mapping[str, Supervisor]:
        """The one supervisor, under every name."""
        del preloaded, cells_preloaded
        return dict.fromkeys([REFERENCE, *cells], self._supervisor)

    def timing_worker(self, cell: str) -> Supervisor:
        """None: this process is no quiet one."""
        del cell
        raise UserError("times are measured in a process of their own; leave out --in-process")

    def pids(self) -> Mapping[str, int]:
        """The one process there is: this one."""
        return {"in_process": os.getpid()}

    def close(self) -> None:
        """Nothing runs elsewhere."""


class WorkerPool:
    """A worker process for each supervisor, in one interpreter on this host. `note` takes the message of each incident.

    `forking`: the workers are forks of one process that imported torch; else each has an interpreter of its own, as on
    another machine each has. `elsewhere` are the levels of other machines, and `lose` is that of `HostLink`.
    """

    def __init__(
        self,
        host: Host,
        preload: tuple[Path, ...],
        *,
        note: Callable[[str], None],
        lose: Callable[[Sequence[str], str], None],
        forking: bool = True,
    ) -> None:
        self.forking = forking
        self._lose = lose
        self._elsewhere: Mapping[str, RemoteHost] = {}
        self._links: dict[str, HostLink] = {}
        self._fork_servers: list[ForkServer] = []
        self._host = host
        self._preload = preload
        self._note = note
        self._levels: dict[str, Level] = {}
        self._supervisors: dict[WorkerKey, WorkerSupervisor] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="equivalence-")

    def warm_up(self) -> None:
        """Let the process start that becomes workers, before it is known which. Raises UserError as `start` does."""
        if self.forking and ForkedProcess.can_connect(self._setup(WorkerKey("reference")), 0):
            self._running_fork_server()

    def start(self, levels: Sequence[Level], elsewhere: Mapping[str, RemoteHost]) -> None:
        """Let a worker for each level, and the reference's, start without waiting for them.

        `elsewhere` has the machine of each level that runs on another one. Raises UserError for an interpreter that
        does not run.
        """
        self._elsewhere = elsewhere
        self._links = {
            remote.name: HostLink(remote.name, [name for name, each in elsewhere.items() if each == remote], self._lose)
            for remote in elsewhere.values()
        }
        self._levels = {level.name: level for level in levels}
        self._start([WorkerKey("reference"), *map(_cell_key, self._levels)])

    def descriptions(self) -> dict[str, protocol.ReadyMessage]:
        """Wait for the workers that were started; what each says of itself, by level, and of the `REFERENCE`."""
        keys = {REFERENCE: WorkerKey("reference"), **{name: _cell_key(name) for name in self._levels}}
        descriptions = {name: self._supervisors[key].wait_until_ready() for name, key in keys.items()}
        for link in self._links.values():
            link.is_open = True
        return descriptions

    def retire(self, names: Collection[str]) -> None:
        """End the workers of these levels."""
        for name in names:
            self._supervisors.pop(_cell_key(name)).close()

    def cell(self, name: str) -> Supervisor:
        """The supervisor of a cell."""
        return self._supervisors[_cell_key(name)]

    def reference(self, *, preloaded: bool) -> Supervisor:
        """The reference's supervisor; a second one, with the preload files, starts when a callable needs them."""
        return self._supervise([WorkerKey("reference", preloaded=preloaded)])[0]

    def fork_per_request(
        self, cells: Sequence[str], preloaded: bool, *, cells_preloaded: bool = True
    ) -> Mapping[str, Supervisor]:
        """Those that fork, started when they are first needed."""
        keys = [WorkerKey("fork_per_request", name, preloaded=cells_preloaded) for name in cells]
        keys.append(WorkerKey("fork_per_request", preloaded=preloaded))
        return dict(zip([*cells, REFERENCE], self._supervise(keys), strict=True))

    def timing_worker(self, cell: str) -> Supervisor:
        """One worker at a time: those of other levels are ended first, with the memory that they hold."""
        key = WorkerKey("timing", cell, preloaded=True)
        for other in [each for each in self._supervisors if each.role == "timing" and each != key]:
            self._supervisors.pop(other).close()
        return self._supervise([key])[0]

    def pids(self) -> Mapping[str, int]:
        """The process behind each supervisor that has one."""
        pids = {key.name: supervisor.pid for key, supervisor in self._supervisors.items()}
        return {name: pid for name, pid in pids.items() if pid is not None}

    def close(self) -> None:
        """End every process and drop their stderr files."""
        for supervisor in self._supervisors.values():
            supervisor.close()
        self._supervisors.clear()
        for fork_server in self._fork_servers:
            fork_server.close()
        self._fork_servers.clear()
        self._folder.cleanup()

    def _supervise(self, keys: Sequence[WorkerKey]) -> list[WorkerSupervisor]:
        """The supervisors of these workers; what is not there yet starts all at once, and is waited for."""
        for supervisor in self._start(keys):
            with contextlib.suppress(HostLost):  # whoever sends it something is told
                supervisor.wait_until_ready()
        return [self._supervisors[key] for key in keys]

    def _start(self, keys: Iterable[WorkerKey]) -> list[WorkerSupervisor]:
        """Start what is not there yet without waiting for it; the supervisors of that."""
        missing = {key: self._new_supervisor(key) for key in keys if key not in self._supervisors}
        for key, supervisor in missing.items():
            self._supervisors[key] = supervisor
            supervisor.start()
        return [*missing.values()]

    def _new_supervisor(self, key: WorkerKey) -> WorkerSupervisor:
        remote = self._host_of(key)
        if remote is None:
            return WorkerSupervisor(self._setup(key), self._launch, self._note)
        launch = functools.partial(HostedProcess, address=remote.address)
        return HostedSupervisor(self._setup(key), launch, self._note, self._links[remote.name])

    def _host_of(self, key: WorkerKey) -> RemoteHost | None:
        """The other machine on which that worker runs; None for this one."""
        return None if key.level is None else self._elsewhere.get(key.level)

    def _launch(self, setup: Setup, generation: int) -> Process:
        # what measures is no fork: glibc reads how memory is filled and cached when a process starts
        if not self.forking or setup.role == "timing" or not ForkedProcess.can_connect(setup, generation):
            return SpawnedProcess(setup, generation)
        return ForkedProcess(setup, generation, fork_server=self._running_fork_server())

    def _running_fork_server(self) -> ForkServer:
        """The process that becomes workers; another one where it is gone."""
        if not self._fork_servers or self._fork_servers[-1].is_gone:
            self._fork_servers.append(ForkServer(self._host.python, Path(self._folder.name), len(self._fork_servers)))
        return self._fork_servers[-1]

    def _setup(self, key: WorkerKey) -> Setup:
        """What a worker's process needs: its caps, its role, its preload files.

        The reference runs the stock kernels at ATen's default capability: a preload file may replace the very operator
        under test, so the reference loads it only for a callable that does not exist without it.
        """
        level = None if key.level is None else self._levels[key.level]
        onednn, aten = (level.onednn, level.aten) if level else (None, "default")
        compiled = Path(self._folder.name) / "inductor"
        settings = environment.variables(onednn, aten, compiled, traced=level is not None)
        return Setup(
            name=key.name,
            python=(self._host_of(key) or self._host).python,
            role=key.role,
            settings=environment.timing_variables(onednn, aten, compiled) if key.role == "timing" else settings,
            folder=Path(self._folder.name),
            preload=self._preload if key.preloaded else (),
            traced=level is not None,
        )


def _cell_key(level: str) -> WorkerKey:
    return WorkerKey("cell", level, preloaded=True)
