"""The executor: one worker for each proven ISA level, one for the reference, and examples that run in all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

from harness.core import Case, Cell, DoubleBackwardState, Example, Level, Observation
from harness.errors import UserError
from harness.execution import levels as rules
from harness.execution import requests
from harness.execution.host import probe
from harness.execution.redundant_levels import RedundantLevels
from harness.execution.result import Build, Result
from harness.execution.workers.forked import ForkUnsafeError
from harness.execution.workers.pool import InProcessPool, Pool, WorkerPool
from harness.execution.workers.supervisor import PendingRequest, Supervisor

IN_FLIGHT: Final = 8
"""Examples on their way at once: enough that no worker waits for the harness, few enough to resend."""

METADATA_AT_ONCE: Final = 32  # examples whose metadata is asked for at once

REFERENCE_LIMIT_FACTOR: Final = 4
"""The reference may take this many times the limit: float64, one thread, up to three runs."""


@dataclass
class _PendingExample:
    """One example under way: its ticket in each cell, and the reference's."""

    example: Example
    reference: tuple[Supervisor, PendingRequest]
    cells: Mapping[str, tuple[Supervisor, PendingRequest]]


class Executor:
    """Where examples run. A context manager: workers start on entry and are gone on exit.

    `levels` are all that are declared, `names` those asked for (None: the default ones). `python` is the interpreter
    under test (None: this one), `preload` files it runs first, `limit` the CPU seconds an example may take in a cell.
    `in_process` runs everything here, for a debugger, in one cell of that name and without caps. Entry raises UserError
    for levels that do not exist or cannot run, and for an interpreter or a preload file that does not work.
    `few`: of the default levels only those that models run at, set before `start` and entry.

    `build`, `cells` (proven), `unavailable` and `aliases` (by level name) are there on entry; `ineffective` (level
    name: in what its cap did not hold) and `incidents` (workers replaced) grow.
    """

    def __init__(  # noqa: PLR0913 - keyword-only, each an option of the gate
        self,
        levels: Sequence[Level],
        *,
        python: str | None = None,
        preload: Sequence[Path] = (),
        limit: float = 10.0,
        names: Collection[str] | None = None,
        in_process: bool = False,
    ) -> None:
        self.levels = tuple(levels)
        self.limit = limit
        self.cells: tuple[Cell, ...] = ()
        self.unavailable: dict[str, str] = {}
        self.aliases: dict[str, str] = {}
        self.ineffective: dict[str, str] = {}
        self.incidents: list[str] = []
        self._python = python
        self._preload = tuple(preload)
        self._names = names
        self._in_process = in_process
        self._forking = True
        self.few = False
        self._needs_preload: dict[tuple[str, str | None], bool] = {}
        self._lacking: dict[tuple[str, ...], str] = {}
        self._pool: Pool | None = None

    def start(self) -> None:
        """Let the workers start, and return at once: entry waits for them. Nothing for a run in this process.

        They take seconds to import torch, in which the caller can do something else; `close` ends them if entry never
        comes. Raises UserError as entry does.
        """
        if not self._in_process:
            self._started()

    def _started(self) -> WorkerPool:
        """The pool, whose workers have begun to start."""
        if isinstance(self._pool, WorkerPool):
            return self._pool
        self._check_preload()
        self._host = probe(self._python)
        self._running, self.unavailable = rules.available(self.levels, self._names, self._host)
        if self.few and self._names is None:
            names = rules.representatives(self._running, self.levels)
            self._running = [level for level in self._running if level.name in names]
        preload = tuple(file.resolve() for file in self._preload)
        pool = self._pool = WorkerPool(self._host, preload, self.incidents.append, forking=self._forking)
        try:
            pool.start(self._running)
        except BaseException:
            self.close()
            raise
        return pool

    def __enter__(self) -> Self:
        try:
            self._open_here() if self._in_process else self._open_workers()
        except BaseException:
            self.close()
            raise
        for cell in self.cells:
            if not self._in_process and (reason := rules.uncapped(cell)):
                self.ineffective[cell.name] = reason
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers. May be called again."""
        if self._pool is not None:
            self._pool.close()
            self._pool = None

    @property
    def build(self) -> Build:
        """The build under test and its host."""
        return self._build

    @property
    def asked(self) -> bool:
        """Whether levels were asked for by name."""
        return self._names is not None

    @property
    def preloads(self) -> bool:
        """Whether the workers run preload files first."""
        return bool(self._preload) and not self._in_process

    @property
    def pool(self) -> Pool:
        """The supervisors. Raises RuntimeError outside the context."""
        if self._pool is None:
            raise RuntimeError("a Executor runs examples inside its with block only")
        return self._pool

    def lacking(self, case: Case) -> str:
        """Which of the packages that the case requires is missing here, and how to get it; or nothing."""
        if not case.requires:
            return ""
        if case.requires not in self._lacking:
            supervisor = self.pool.reference(preloaded=False)
            request = {"op": "packages", "requires": case.requires}
            reply = supervisor.collect(supervisor.send(PendingRequest(request, case.id, self.limit)))
            died = f"importing {', '.join(case.requires)} ended the worker: {reply.get('message')}"
            self._lacking[case.requires] = died if reply.get("status") in {"died", "hung"} else reply["missing"]
        return self._lacking[case.requires]

    def check(self, case: Case) -> list[str]:
        """What keeps the case from being called: an unknown callable, an argument it lacks. Empty: nothing."""
        problems = self._problems(case, preloaded=False)
        return self._problems(case, preloaded=True) if problems and self._preload else problems

    def run(
        self,
        case: Case,
        examples: Iterable[Example],
        *,
        cells: Collection[str] | None = None,
        traced: Collection[Example] = (),
    ) -> Iterator[Result]:
        """Run examples in the cells (None: all) and yield their results in order, several being under way at once.

        Of `traced` ones the ATen operators are noted too, in the first and the last of the cells: those between are
        capped between. A cell that need not run an example (`RedundantLevels`) has no observation of it.
        """
        chosen = self._chosen(cells)
        twins = RedundantLevels([cell for cell in self.cells if cell.name in chosen])
        pending_examples: deque[_PendingExample] = deque()
        for example in examples:
            skipped = twins.skipped
            asked = [name for name in chosen if name not in skipped]
            pending_examples.append(self._dispatch(case, example, asked, example in traced))
            if len(pending_examples) == IN_FLIGHT:
                yield self._landed(case, pending_examples.popleft(), chosen, twins)
        while pending_examples:
            yield self._landed(case, pending_examples.popleft(), chosen, twins)

    def _landed(
        self, case: Case, pending_example: _PendingExample, cells: Sequence[str], twins: RedundantLevels
    ) -> Result:
        """The result of a flight, which the cells that were spared join if oneDNN ran after all."""
        result = self._gather(case, pending_example)
        skipped = tuple(name for name in cells if name not in pending_example.cells)
        if skipped and any(seen.kernels for seen in result.observations):
            asked = {**pending_example.cells, **self._sent(case, pending_example.example, skipped)}
            pending_example = replace(pending_example, cells={name: asked[name] for name in cells})
            result = self._gather(case, pending_example)
            skipped = ()
        twins.note(result.observations)
        return replace(result, skipped=skipped)

    def metadata(
        self, case: Case, examples: Sequence[Example], *, cells: Collection[str] | None = None
    ) -> dict[str, list[Observation]]:
        """Cell → what each example returns there: shapes and strides without values, from one call each.

        It costs a small part of `run`: no reference, no contiguous run, no repetition, one request for many examples.
        Where a worker is lost over them they are sent again one by one.
        """
        chosen = self._chosen(cells)
        found: dict[str, list[Observation]] = {name: [] for name in chosen}
        for batch in (
            examples[start : start + METADATA_AT_ONCE] for start in range(0, len(examples), METADATA_AT_ONCE)
        ):
            asked = requests.metadata_request(case, batch)
            sent = {
                name: self.pool.cell(name).send(PendingRequest(asked, batch[0].to_json(), self.limit))
                for name in chosen
            }
            for name, pending in sent.items():
                seen = requests.metadata(name, self.pool.cell(name).collect(pending))
                found[name] += seen if len(seen) == len(batch) else self._outlined_singly(case, batch, name)
        return found

    def _outlined_singly(self, case: Case, examples: Sequence[Example], name: str) -> Iterator[Observation]:
        supervisor = self.pool.cell(name)
        for example in examples:
            asked = requests.metadata_request(case, [example])
            reply = supervisor.collect(supervisor.send(PendingRequest(asked, example.to_json(), self.limit)))
            yield from requests.metadata(name, reply)

    def isolated(  # noqa: PLR0913 - each is a choice of its own, all but two by keyword
        self,
        case: Case,
        example: Example,
        *,
        cells: Collection[str] | None = None,
        repeats: int = 1,
        after: Sequence[Example] = (),
        limit: float | None = None,
    ) -> Result:
        """Run one example where nothing ran before it but `after`, examples of the same case; `repeats` times.

        Each cell forks a worker that never runs a kernel itself, so a crash or a hang costs no new worker. `limit` is
        in seconds for each run (None: the executor's); all runs together get it as many times.
        """
        chosen = self._chosen(cells)
        preloaded = self._reference_needs_preload(case)
        supervisors = self.pool.fork_per_request(chosen, preloaded)
        limit = (self.limit if limit is None else limit) * (max(repeats, 1) + len(after))
        asked = requests.observation_request(case, example, repeats=max(repeats, 1))
        asked["after"] = [requests.observation_request(case, earlier) for earlier in after]
        found = {name: self._fork(supervisors[name], asked, limit, case) for name in chosen}
        asked = requests.reference_request(case, example)
        reference = self._fork(supervisors[""], asked, limit * REFERENCE_LIMIT_FACTOR, case)
        return self._gather(case, _PendingExample(example, reference, found))

    def double_backward(self, case: Case, example: Example) -> dict[str, tuple[DoubleBackwardState, str]]:
        """Layout: (state, message) of the double backward in the last cell, whose level is the highest."""
        supervisor = self.pool.cell(self.cells[-1].name)
        asked = requests.double_backward_request(case, example)
        reply = supervisor.collect(supervisor.send(PendingRequest(asked, example.to_json(), self.limit)))
        if reply.get("status") in {"died", "hung"}:
            return {"drawn": (DoubleBackwardState(reply["status"]), reply["message"])}
        return {layout: (DoubleBackwardState(found["state"]), found["message"]) for layout, found in reply.items()}

    def _fork(
        self, supervisor: Supervisor, request: dict[str, Any], limit: float, case: Case
    ) -> tuple[Supervisor, PendingRequest]:
        # the forking worker keeps the limit; this one is for when it is itself out of order
        return supervisor, supervisor.send(PendingRequest({**request, "limit": limit}, case.id, limit + 10.0))

    def _dispatch(self, case: Case, example: Example, cells: Sequence[str], trace: bool) -> _PendingExample:
        reference = self.pool.reference(preloaded=self._reference_needs_preload(case))
        asked = requests.reference_request(case, example)
        sent = reference, reference.send(PendingRequest(asked, example.to_json(), self.limit * REFERENCE_LIMIT_FACTOR))
        traced = (cells[0], cells[-1]) if trace else ()
        return _PendingExample(example, sent, self._sent(case, example, cells, traced))

    def _sent(
        self, case: Case, example: Example, cells: Sequence[str], traced: Sequence[str] = ()
    ) -> dict[str, tuple[Supervisor, PendingRequest]]:
        """The example on its way to these cells."""
        asked, about = requests.observation_request(case, example), example.to_json()
        found: dict[str, tuple[Supervisor, PendingRequest]] = {}
        for name in cells:
            supervisor = self.pool.cell(name)
            found[name] = (
                supervisor,
                supervisor.send(PendingRequest({**asked, "trace": name in traced}, about, self.limit)),
            )
        return found

    def _gather(self, case: Case, pending_example: _PendingExample) -> Result:
        observations: list[Observation] = []
        for name, (supervisor, pending) in pending_example.cells.items():
            pair = requests.observations(name, supervisor.collect(pending))
            self._account(name, pair)
            observations += pair
        supervisor, pending = pending_example.reference
        reference = requests.reference(case, pending_example.example, supervisor.collect(pending))
        return Result(pending_example.example, reference, tuple(observations))

    def _account(self, name: str, pair: Iterable[Observation]) -> None:
        cell = next(cell for cell in self.cells if cell.name == name)
        for observation in pair:
            if name not in self.ineffective and (reason := rules.above(cell, self.levels, observation.kernels)):
                self.ineffective[name] = reason
                self.incidents.append(f"level {name} is not effective: {reason}")

    def _chosen(self, cells: Collection[str] | None) -> list[str]:
        names = [cell.name for cell in self.cells]
        if cells is None:
            return names
        for name in cells:
            rules.known(name, [*names, *self.aliases])
        wanted = {self.aliases.get(name, name) for name in cells}
        return [name for name in names if name in wanted]

    def catalogue(self, calls: Collection[str]) -> tuple[list[str], dict[str, str]]:
        """The public functions of torch.nn.functional, and which of them each of `calls` is, if it is one.

        Raises UserError where the worker is lost over it.
        """
        supervisor = self.pool.reference(preloaded=False)
        asked = {"op": "catalogue", "calls": sorted(calls)}
        reply = supervisor.collect(supervisor.send(PendingRequest(asked, "the catalogue", self.limit + 60.0)))
        if reply.get("status") in {"died", "hung"}:
            raise UserError(f"listing torch.nn.functional ended the worker: {reply['message']}")
        return reply["functions"], reply["called"]

    def _problems(self, case: Case, *, preloaded: bool) -> list[str]:
        supervisor = self.pool.reference(preloaded=preloaded)
        # importing a package may be all that happens here, and takes longer than any example
        pending = PendingRequest(requests.check_request(case), case.call, self.limit + 60.0)
        reply = supervisor.collect(supervisor.send(pending))
        if reply.get("status") in {"died", "hung"}:
            return [f"asking for {case.call} ended the worker: {reply['message']}"]
        problems: list[str] = reply["problems"]
        return problems

    def _reference_needs_preload(self, case: Case) -> bool:
        """Whether the callable exists only with the preload files; otherwise the reference is the stock kernel."""
        key = (case.call, case.inplace)
        if key not in self._needs_preload:
            needs = bool(self._preload) and not self._in_process and bool(self._problems(case, preloaded=False))
            self._needs_preload[key] = needs
        return self._needs_preload[key]

    def _check_preload(self) -> None:
        for file in self._preload:
            if not file.is_file():
                raise UserError(f"there is no preload file {file}")

    def _open_workers(self) -> None:
        pool = self._started()
        if not self._described(pool) and pool.forking:
            self._forking = False
            self.close()
            pool = self._started()
            self._described(pool)
        pool.retire(self.aliases)

    def _described(self, pool: WorkerPool) -> bool:
        """Note what the workers say of themselves; whether each is capped in its own way.

        Where they are not, and are forks, their build may have read its caps when it was imported.
        """
        try:
            described = pool.described()
        except ForkUnsafeError:
            return False
        python = self._host.python
        cells = [Cell(level.name, level, python, proof=described[level.name]["proof"]) for level in self._running]
        self.cells, self.aliases = rules.merged(cells, self.levels)
        self._build = Build(**described[""]["build"], cpu=self._host.cpu, flags=self._host.flags)
        return not self.aliases and not any(map(rules.uncapped, self.cells))

    def _open_here(self) -> None:
        self._check_preload()
        if self._python is not None:
            raise UserError("in-process runs use this interpreter; another one cannot be given with them")
        host = probe(None)
        pool = self._pool = InProcessPool()
        described = pool.open(self._preload)
        aten = described["aten"]
        level = Level("in_process", host.machine, None, aten.lower())
        self.cells = (Cell(level.name, level, host.python, proof={"onednn": "", "aten": aten}),)
        self._build = Build(**described["build"], cpu=host.cpu, flags=host.flags)
