"""The pool: all the supervisors of an executor, started together, the rarer ones when they are first needed."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from harness.core import Level
from harness.errors import UserError
from harness.execution.host import Host
from harness.execution.workers import bundle, environment
from harness.execution.workers.forked import ForkedProcess, ForkServer, is_fork_safe
from harness.execution.workers.process import Process, Setup
from harness.execution.workers.spawned import SpawnedProcess
from harness.execution.workers.supervisor import InProcessSupervisor, Reply, Supervisor, WorkerSupervisor


class Pool(Protocol):
    """Where an executor finds the supervisor for a cell, for the reference, and for a run in isolation."""

    def cell(self, name: str) -> Supervisor:
        """The supervisor of a cell."""

    def reference(self, *, preloaded: bool) -> Supervisor:
        """The supervisor of the reference: the stock kernels, or with the preload files."""

    def fork_per_request(self, cells: Sequence[str], preloaded: bool) -> Mapping[str, Supervisor]:
        """Supervisors whose workers fork for each request, by cell; the reference's is under the empty name."""

    def pids(self) -> Mapping[str, int]:
        """The process ids of the workers that run now, by the workers' names."""

    def close(self) -> None:
        """End every process."""


class InProcessPool:
    """One supervisor in this process for everything: the reference too sees what the preload files replaced."""

    def open(self, preload: Sequence[Path]) -> dict[str, Any]:
        """Import torch here, load the preload files; the description, with ATen's capability as `aten`.

        Raises UserError for a preload file that fails.
        """
        serve = bundle.in_this_process()
        self._supervisor = InProcessSupervisor(serve)
        reply = self._supervisor.ready([str(file.resolve()) for file in preload])
        if reply["problem"]:
            raise UserError(reply["problem"])
        return {**reply, "aten": serve.describe.capability()}

    def cell(self, name: str) -> Supervisor:
        """The one supervisor."""
        del name
        return self._supervisor

    def reference(self, *, preloaded: bool) -> Supervisor:
        """The one supervisor."""
        del preloaded
        return self._supervisor

    def fork_per_request(self, cells: Sequence[str], preloaded: bool) -> Mapping[str, Supervisor]:
        """The one supervisor, under every name."""
        del preloaded
        return dict.fromkeys(["", *cells], self._supervisor)

    def pids(self) -> Mapping[str, int]:
        """The one process there is: this one."""
        return {"in_process": os.getpid()}

    def close(self) -> None:
        """Nothing runs elsewhere."""


class WorkerPool:
    """A worker process for each supervisor, in one interpreter on this host. `note` takes the message of each incident.

    `forking`: the workers are forks of one process that imported torch; else each has an interpreter of its own.
    """

    def __init__(
        self, host: Host, preload: tuple[Path, ...], note: Callable[[str], None], *, forking: bool = True
    ) -> None:
        self.forking = forking
        self._fork_servers: list[ForkServer] = []
        self._python = host.python
        self._preload = preload
        self._note = note
        self._levels: dict[str, Level] = {}
        self._supervisors: dict[str, WorkerSupervisor] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="equivalence-")

    def start(self, levels: Sequence[Level]) -> None:
        """Let a worker for each level, and the reference's, start without waiting for them."""
        self._levels = {level.name: level for level in levels}
        self._begin(["reference", *(f"cell {level.name}" for level in levels)])

    def described(self) -> dict[str, Reply]:
        """Wait for the workers that were started; what each says of itself, by level, and the reference as ``""``."""
        names = {"": "reference", **{name: f"cell {name}" for name in self._levels}}
        return {name: self._supervisors[supervisor].ready() for name, supervisor in names.items()}

    def retire(self, names: Collection[str]) -> None:
        """End the workers of these levels."""
        for name in names:
            self._supervisors.pop(f"cell {name}").close()

    def cell(self, name: str) -> Supervisor:
        """The supervisor of a cell."""
        return self._supervisors[f"cell {name}"]

    def reference(self, *, preloaded: bool) -> Supervisor:
        """The reference's supervisor; a second one, with the preload files, starts when a callable needs them."""
        name = "reference preloaded" if preloaded else "reference"
        self._start([name])
        return self._supervisors[name]

    def fork_per_request(self, cells: Sequence[str], preloaded: bool) -> Mapping[str, Supervisor]:
        """Those that fork, started when they are first needed."""
        names = {name: f"fork_per_request {name}" for name in cells}
        names[""] = "fork_per_request-reference preloaded" if preloaded else "fork_per_request-reference"
        self._start(names.values())
        return {name: self._supervisors[supervisor] for name, supervisor in names.items()}

    def pids(self) -> Mapping[str, int]:
        """The process behind each supervisor that has been started."""
        return {supervisor.setup.name: supervisor.process.pid for supervisor in self._supervisors.values()}

    def close(self) -> None:
        """End every process and drop their stderr files."""
        for supervisor in self._supervisors.values():
            supervisor.close()
        self._supervisors.clear()
        for fork_server in self._fork_servers:
            fork_server.close()
        self._fork_servers.clear()
        self._folder.cleanup()

    def _start(self, names: Iterable[str]) -> None:
        """Start what is not there yet, all at once, and wait for all."""
        for name in self._begin(names):
            self._supervisors[name].ready()

    def _begin(self, names: Iterable[str]) -> list[str]:
        """Start what is not there yet without waiting for it; the names of that."""
        fresh = [name for name in names if name not in self._supervisors]
        for name in fresh:
            self._supervisors[name] = WorkerSupervisor(self._setup(name), self._launched, self._note)
            self._supervisors[name].start()
        return fresh

    def _launched(self, setup: Setup, generation: int) -> Process:
        if not self.forking or not is_fork_safe(setup, generation):
            return SpawnedProcess(setup, generation)
        if not self._fork_servers or self._fork_servers[-1].gone:
            self._fork_servers.append(ForkServer(self._python, Path(self._folder.name), len(self._fork_servers)))
        return ForkedProcess(setup, generation, fork_server=self._fork_servers[-1])

    def _setup(self, name: str) -> Setup:
        """The supervisor's process: its caps, its role, and whether it loads the preload files.

        The reference runs the stock kernels at ATen's default capability: a preload file may replace the very operator
        under test, so the reference loads it only for a callable that does not exist without it.
        """
        kind, _space, rest = name.partition(" ")
        level = self._levels.get(rest)
        traced = level is not None
        settings = environment.variables(
            level.onednn if level else None, level.aten if level else "default", traced=traced
        )
        return Setup(
            name=name.replace(" ", "-"),
            python=self._python,
            role=kind.partition("-")[0],
            settings=settings,
            folder=Path(self._folder.name),
            preload=self._preload if level or rest == "preloaded" else (),
            traced=traced,
        )
