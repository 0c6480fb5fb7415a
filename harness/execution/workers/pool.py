"""The bench: all the stations of a laboratory, started together, the rarer ones when they are first needed."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from harness.core import Level
from harness.errors import UserError
from harness.execution.host import Host
from harness.execution.workers import bundle, environment
from harness.execution.workers.forked import Forked, Nursery, possible
from harness.execution.workers.process import Process, Setup
from harness.execution.workers.spawned import Started
from harness.execution.workers.supervisor import LocalStation, Reply, Station, WorkerStation


class Bench(Protocol):
    """Where a laboratory finds the station for a cell, for the reference, and for a run in isolation."""

    def cell(self, name: str) -> Station:
        """The station of a cell."""

    def reference(self, *, preloaded: bool) -> Station:
        """The station of the reference: the stock kernels, or with the preload files."""

    def pristine(self, cells: Sequence[str], preloaded: bool) -> Mapping[str, Station]:
        """Stations that fork for each request, by cell; the reference's is under the empty name."""

    def close(self) -> None:
        """End every process."""


class LocalBench:
    """One station in this process for everything: the reference too sees what the preload files replaced."""

    def open(self, preload: Sequence[Path]) -> dict[str, Any]:
        """Import torch here, load the preload files; the description, with ATen's capability as `aten`.

        Raises UserError for a preload file that fails.
        """
        serve = bundle.in_this_process()
        self._station = LocalStation(serve)
        reply = self._station.ready([str(file.resolve()) for file in preload])
        if reply["problem"]:
            raise UserError(reply["problem"])
        return {**reply, "aten": serve.describe.capability()}

    def cell(self, name: str) -> Station:
        """The one station."""
        del name
        return self._station

    def reference(self, *, preloaded: bool) -> Station:
        """The one station."""
        del preloaded
        return self._station

    def pristine(self, cells: Sequence[str], preloaded: bool) -> Mapping[str, Station]:
        """The one station, under every name."""
        del preloaded
        return dict.fromkeys(["", *cells], self._station)

    def close(self) -> None:
        """Nothing runs elsewhere."""


class WorkerBench:
    """A worker process for each station, in one interpreter on this host. `note` is told of each incident.

    `forking`: the workers are forks of one process that imported torch; else each has an interpreter of its own.
    """

    def __init__(
        self, host: Host, preload: tuple[Path, ...], note: Callable[[str], None], *, forking: bool = True
    ) -> None:
        self.forking = forking
        self._nurseries: list[Nursery] = []
        self._python = host.python
        self._preload = preload
        self._note = note
        self._levels: dict[str, Level] = {}
        self._stations: dict[str, WorkerStation] = {}
        self._folder = tempfile.TemporaryDirectory(prefix="equivalence-")

    def start(self, levels: Sequence[Level]) -> None:
        """Let a worker for each level, and the reference's, start without waiting for them."""
        self._levels = {level.name: level for level in levels}
        self._begin(["reference", *(f"cell {level.name}" for level in levels)])

    def described(self) -> dict[str, Reply]:
        """Wait for the workers that were started; what each says of itself, by level, and the reference as ``""``."""
        names = {"": "reference", **{name: f"cell {name}" for name in self._levels}}
        return {name: self._stations[station].ready() for name, station in names.items()}

    def retire(self, names: Collection[str]) -> None:
        """End the workers of these levels."""
        for name in names:
            self._stations.pop(f"cell {name}").close()

    def cell(self, name: str) -> Station:
        """The station of a cell."""
        return self._stations[f"cell {name}"]

    def reference(self, *, preloaded: bool) -> Station:
        """The reference's station; a second one, with the preload files, starts when a callable needs them."""
        name = "reference preloaded" if preloaded else "reference"
        self._start([name])
        return self._stations[name]

    def pristine(self, cells: Sequence[str], preloaded: bool) -> Mapping[str, Station]:
        """Forking stations, started on first need."""
        names = {name: f"pristine {name}" for name in cells}
        names[""] = "pristine-reference preloaded" if preloaded else "pristine-reference"
        self._start(names.values())
        return {name: self._stations[station] for name, station in names.items()}

    def close(self) -> None:
        """End every process and drop their stderr files."""
        for station in self._stations.values():
            station.close()
        self._stations.clear()
        for nursery in self._nurseries:
            nursery.close()
        self._nurseries.clear()
        self._folder.cleanup()

    def _start(self, names: Iterable[str]) -> None:
        """Start what is not there yet, all at once, and wait for all."""
        for name in self._begin(names):
            self._stations[name].ready()

    def _begin(self, names: Iterable[str]) -> list[str]:
        """Start what is not there yet without waiting for it; the names of that."""
        fresh = [name for name in names if name not in self._stations]
        for name in fresh:
            self._stations[name] = WorkerStation(self._setup(name), self._launched, self._note)
            self._stations[name].start()
        return fresh

    def _launched(self, setup: Setup, generation: int) -> Process:
        if not self.forking or not possible(setup, generation):
            return Started(setup, generation)
        if not self._nurseries or self._nurseries[-1].gone:
            self._nurseries.append(Nursery(self._python, Path(self._folder.name), len(self._nurseries)))
        return Forked(setup, generation, nursery=self._nurseries[-1])

    def _setup(self, name: str) -> Setup:
        """The station's process: its caps, its role, and whether it loads the preload files.

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
