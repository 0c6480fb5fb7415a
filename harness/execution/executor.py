"""The executor: one worker for each proven ISA level, one for the reference, and examples that run in all of them."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from harness.core import Case, Cell, DoubleBackwardState, Example, Level, Observation
from harness.errors import UserError
from harness.execution import requests
from harness.execution.callables import CallableLookup
from harness.execution.cell_settings import AS_USUAL, CellSettings
from harness.execution.in_flight import PendingExample, collect_observations
from harness.execution.isolated_runs import REFERENCE_LIMIT_FACTOR, IsolatedRuns, send_to_fork
from harness.execution.levels import cap_mismatch, kernels_above_caps, representative_levels, require_level
from harness.execution.metadata_batches import ask_for_metadata
from harness.execution.opening import OpenedPool, WorkerOpening, open_in_process
from harness.execution.redundant_levels import RedundantLevels
from harness.execution.result import Build, Result
from harness.execution.workers.pool import Pool
from harness.execution.workers.supervisor import HostLost, PendingRequest, Reply, Request, WorkerLost
from harness.generation import ResolvedExample, resolve_example
from harness.portable import tensor_name

IN_FLIGHT: Final = 8
"""Examples on their way at once: enough that no worker waits for the harness, few enough to send again."""


class Executor:
    """Where examples run. A context manager: workers start on entry and are gone on exit.

    `levels` are all that are declared, `names` those to run (None: the default ones). `python` is the interpreter
    under test (None: this one), `preload` files it runs first, `limit` the CPU seconds an example may take in a cell.
    `in_process` runs everything here, for a debugger, in one cell of that name and without caps. `hosts` are other
    machines, in execnet's words, for levels that are lacking here. Entry raises UserError for levels that do not exist
    or cannot run, and for an interpreter, a preload file or a host that does not work.

    `levels` are those that are declared. `build`, `hosts` (the builds of other machines), `cells` (proven),
    `unavailable` and `aliases` (by level name) are there on entry; `ineffective` (level name: in what its cap did not
    hold), `lost_levels` (level name: why its machine was given up; it is no cell any more) and `incidents` (workers
    replaced) grow.
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
        hosts: Sequence[str] = (),
    ) -> None:
        self.limit = limit
        self.hosts: Mapping[str, Build] = {}
        self.lost_levels: dict[str, str] = {}
        self.cells: tuple[Cell, ...] = ()
        self.unavailable: Mapping[str, str] = {}
        self.aliases: Mapping[str, str] = {}
        self.ineffective: dict[str, str] = {}
        self.incidents: list[str] = []
        self.levels = tuple(levels)
        self._names = names
        self._preload = tuple(preload)
        self._python = python
        self._in_process = in_process
        self._workers = WorkerOpening(
            self.levels, names, python, self._preload, self.incidents.append, self._lose_levels, tuple(hosts)
        )
        self._opened: OpenedPool | None = None

    def run_representative_levels(self) -> None:
        """Run none but the representative ones of the default levels: for models, which need no others.

        Levels that were asked for by name all run. Raises RuntimeError where the workers have been started.
        """
        if self._workers.is_started:
            raise RuntimeError("the levels are chosen before the workers start")
        self._workers.representatives_only = True

    def start(self, *, levels_are_known: bool = True) -> None:
        """Let the workers start, and return at once: entry waits for them. Nothing for a run in this process.

        They take seconds to import torch, in which the caller can do something else, such as find out which levels run:
        then they are started once more. `close` ends them if entry never comes. Raises UserError as entry does.
        """
        if not self._in_process:
            _ = self._workers.start() if levels_are_known else self._workers.warm_up()

    def __enter__(self) -> Self:
        try:
            opened = open_in_process(self._python, self._preload) if self._in_process else self._workers.finish()
        except BaseException:
            self.close()
            raise
        self.cells, self.aliases, self.unavailable = opened.cells, opened.aliases, opened.unavailable
        if not self._in_process:
            self.ineffective |= {cell.name: reason for cell in self.cells if (reason := cap_mismatch(cell))}
        elsewhere = {cell.host: cell.name for cell in self.cells if cell.host in opened.hosts}
        self._callables = CallableLookup(opened.pool, self.limit, preloads=self.preloads, hosts=elsewhere)
        self._build, self.hosts = opened.build, opened.hosts
        self._opened = opened
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """End all workers. May be called again."""
        self._workers.close()
        self._opened = None

    def _lose_levels(self, names: Sequence[str], why: str) -> None:
        """Go on without the levels of a machine that is lost. Raises UserError where there are no others."""
        self.note_incident(f"{why}; {', '.join(names)} cannot be run any more")
        self.lost_levels |= dict.fromkeys(names, why)
        self.cells = tuple(cell for cell in self.cells if cell.name not in self.lost_levels)
        self.cell_names(None)

    @property
    def build(self) -> Build:
        """The build under test and its host."""
        return self._build

    @property
    def is_isolating(self) -> bool:
        """Whether what runs in isolation may crash or hang at no cost: not in this very process."""
        return not self._in_process

    @property
    def preloads(self) -> bool:
        """Whether the workers run preload files first."""
        return bool(self._preload) and not self._in_process

    @property
    def representative_cells(self) -> list[str]:
        """The names of the cells that models run in: all that were asked for by name, else the representative ones."""
        if self._names is not None or not self.cells:
            return self.cell_names(None)
        return representative_levels([cell.level for cell in self.cells], self.levels)

    @property
    def worker_pids(self) -> Mapping[str, int]:
        """The process ids of the workers that run now, by the workers' names: for a debugger to attach to."""
        return self._pool.pids()

    def cell_names(self, cells: Collection[str] | None) -> list[str]:
        """The names of these cells (None: all) in the executor's order; an alias stands for the cell that it equals.

        One that was lost is left out. Raises UserError for a name that no cell has, and where every level was lost.
        """
        if self.lost_levels and not self.cells:
            raise UserError(f"no level is left to run: {'; '.join(dict.fromkeys(self.lost_levels.values()))}")
        names = [cell.name for cell in self.cells]
        if cells is None:
            return names
        for name in cells:
            require_level(name, [*names, *self.aliases, *self.lost_levels])
        chosen = {self.aliases.get(name, name) for name in cells}
        return [name for name in names if name in chosen]

    def note_incident(self, message: str) -> None:
        """Add to the incidents what became of a run because a worker had been replaced."""
        self.incidents.append(message)

    @property
    def _pool(self) -> Pool:
        """The supervisors. Raises RuntimeError outside the context."""
        return self._require_opened().pool

    @property
    def lookup(self) -> CallableLookup:
        """What is asked of callables. Raises RuntimeError outside the context."""
        self._require_opened()
        return self._callables

    @property
    def _isolated_runs(self) -> IsolatedRuns:
        """What sends examples to workers that fork for each. Raises RuntimeError outside the context."""
        return IsolatedRuns(self._pool, self.lookup)

    def _require_opened(self) -> OpenedPool:
        """What entry has opened. Raises RuntimeError outside the context."""
        if self._opened is None:
            raise RuntimeError("an Executor runs examples inside its with block only")
        return self._opened

    def missing_packages(self, case: Case) -> str:
        """Which of the packages that the case requires is missing here, and how to get it; or nothing."""
        return self.lookup.missing_packages(case)

    def path_problem(self, path: str) -> str:
        """What a way to run a call needs and this machine has not; empty where it has all."""
        return self.lookup.path_problem(path)

    def can_do_without_preload(self, case: Case) -> bool:
        """Whether what the case calls is there in a worker that has not run the preload files."""
        return self.lookup.can_do_without_preload(case)

    def check(self, case: Case) -> list[str]:
        """What keeps the case from being called: an unknown callable, an argument it lacks. Empty: nothing."""
        return self.lookup.problems(case)

    def has_independent_reference(self, case: Case) -> bool:
        """Whether the case names a reference, or what it calls is PyTorch's own and the stock kernel is one."""
        return self.lookup.has_independent_reference(case)

    def ask_reference(self, request: Request, *, about: str, limit: float, preloaded: bool) -> Reply:
        """The reference worker's reply; `preloaded`: that of the one which has run the preload files.

        Raises WorkerLost where the worker died or hung, which is then an incident, and another has taken its place.
        """
        return self._pool.reference(preloaded=preloaded).ask(request, about=about, limit=limit)

    def ask_cell(self, cell: str, request: Request, *, about: str, limit: float, measures: bool = False) -> Reply:
        """The reply of a cell's worker; `measures`: of one that does nothing else. Raises WorkerLost as above."""
        return (self._pool.timing_worker if measures else self._pool.cell)(cell).ask(request, about=about, limit=limit)

    def ask_cells(
        self, cells: Iterable[str], request: Request, *, about: str, limit: float
    ) -> dict[str, Reply | WorkerLost]:
        """The replies of several cells' workers, which work at the same time."""
        pending = {name: self._pool.cell(name).send(request, about=about, limit=limit) for name in cells}
        return {name: each.collect_outcome() for name, each in pending.items()}

    def ask_forks(
        self, cells: Sequence[str], request: Request, *, about: str, limit: float, preloaded: bool = False
    ) -> dict[str, Reply | WorkerLost]:
        """As `ask_cells`, each in a fork of a worker that has run nothing: a crash costs no worker and is no incident.

        `preloaded` is for the reference's fork, which is started with those of the cells.
        """
        supervisors = self._pool.fork_per_request(cells, preloaded)
        pending = {name: send_to_fork(supervisors[name], request, about=about, limit=limit) for name in cells}
        return {name: each.collect_outcome() for name, each in pending.items()}

    def run(
        self,
        case: Case,
        examples: Iterable[Example],
        *,
        cells: Collection[str] | None = None,
        traced: Collection[Example] = (),
        redundant: RedundantLevels | None = None,
    ) -> Iterator[Result]:
        """Run examples in the cells (None: all) and yield their results in order, several being under way at once.

        Of `traced` ones the ATen operators are noted too, in the first and the last of the cells: those between are
        capped between. A cell that need not run an example has no observation of it; `redundant` has learnt which from
        examples of the case that ran before in the same cells.
        """
        chosen = self.cell_names(cells)
        redundant = redundant or RedundantLevels([cell for cell in self.cells if cell.name in chosen])
        pending: deque[PendingExample] = deque()
        for example in examples:
            needed = [name for name in chosen if name not in redundant.redundant_cells]
            pending.append(self._send_example(case, example, needed, trace=example in traced))
            if len(pending) == IN_FLIGHT:
                yield self._collect_example(pending.popleft(), chosen, redundant)
        while pending:
            yield self._collect_example(pending.popleft(), chosen, redundant)

    def _collect_example(self, pending: PendingExample, cells: Sequence[str], redundant: RedundantLevels) -> Result:
        """The result of an example; the cells that were skipped run it too if oneDNN ran after all."""
        result = pending.collect()
        skipped = tuple(name for name in cells if name not in pending.cells and name not in self.lost_levels)
        if skipped and any(observation.kernels for observation in result.observations):
            late = self._send_to_cells(resolve_example(pending.case, pending.example), skipped)
            everywhere = {**pending.cells, **late}
            result = replace(pending, cells={name: everywhere[name] for name in cells}).collect()
            skipped = ()
        self._note_kernels(result.observations)
        redundant.note(result.observations)
        return replace(result, skipped=skipped)

    def metadata(
        self, case: Case, examples: Sequence[Example], *, cells: Collection[str] | None = None
    ) -> dict[str, list[Observation]]:
        """Cell → what each example returns there: shapes and strides without values, from one call each.

        It costs a small part of `run`: no reference, no contiguous run, no repetition, one request for many examples.
        Where a worker is lost over them they are sent again one by one. A cell whose machine is lost is left out.
        """
        observations = ask_for_metadata(self._pool, case, examples, self.cell_names(cells), self.limit)
        return {name: answers for name, answers in observations.items() if name not in self.lost_levels}

    def run_isolated(  # noqa: PLR0913 - each is a choice of its own, all but two by keyword
        self,
        case: Case,
        example: Example,
        *,
        cells: Collection[str] | None = None,
        repeats: int = 1,
        after: Sequence[Example] = (),
        limit: float | None = None,
        settings: CellSettings = AS_USUAL,
        traced: bool = False,
    ) -> Result:
        """Run one example where nothing ran before it but `after`, examples of the same case; `repeats` times.

        Each cell forks a worker that never runs a kernel itself, so a crash or a hang costs no new worker. `limit` is
        in seconds for each run (None: the executor's); all runs together get it as many times. `settings` are those of
        the cells, and not of the reference. `traced`: the operators are noted too.
        """
        pending = self._isolated_runs.send(
            case,
            example,
            self.cell_names(cells),
            limit=self.limit if limit is None else limit,
            repeats=max(repeats, 1),
            after=after,
            settings=settings,
            traced=traced,
        )
        return self._collect_isolated(pending)

    def send_isolated(self, case: Case, example: Example, *, cells: Collection[str]) -> Callable[[], Result]:
        """As `run_isolated`, but return while it runs: the answer waits for its result. It is asked once."""
        pending = self._isolated_runs.send(case, example, self.cell_names(cells), limit=self.limit)
        return lambda: self._collect_isolated(pending)

    def _collect_isolated(self, pending: PendingExample) -> Result:
        result = pending.collect()
        self._note_kernels(result.observations)
        return result

    def observe_isolated(  # noqa: PLR0913 - each is a choice of its own, all but two by keyword
        self,
        case: Case,
        example: Example,
        *,
        cells: Collection[str],
        without: Collection[str] = (),
        repeats: int = 1,
        limit: float | None = None,
    ) -> tuple[Observation, ...]:
        """As `run_isolated`, with no reference and without the gradients of the tensors in `without`."""
        limit = self.limit if limit is None else limit
        chosen = self.cell_names(cells)
        pending = self._isolated_runs.send_part(case, example, chosen, without=without, repeats=repeats, limit=limit)
        pairs = [collect_observations(name, each) for name, each in pending.items()]
        omitted = tuple(map(tensor_name.gradient, without))
        observations = tuple(replace(each, omitted=omitted) for pair in pairs for each in pair)
        self._note_kernels(observations)
        return observations

    def double_backward(self, case: Case, example: Example) -> dict[str, tuple[DoubleBackwardState, str]]:
        """Layout: (state, message) of the double backward in the last cell, whose level is the highest."""
        request = requests.double_backward_request(resolve_example(case, example))
        highest = self.cell_names(None)[-1]
        try:
            reply = self.ask_cell(highest, request, about=example.to_json(), limit=self.limit)
        except HostLost:
            return self.double_backward(case, example)
        except WorkerLost as lost:
            return {"drawn": (DoubleBackwardState(lost.how), lost.message)}
        return {layout: (DoubleBackwardState(answer["state"]), answer["message"]) for layout, answer in reply.items()}

    def _send_example(self, case: Case, example: Example, cells: Sequence[str], *, trace: bool) -> PendingExample:
        resolved = resolve_example(case, example)
        reference = self._pool.reference(preloaded=self.lookup.needs_preload(case)).send(
            requests.reference_request(resolved),
            about=example.to_json(),
            limit=self.limit * REFERENCE_LIMIT_FACTOR,
        )
        traced = (cells[0], cells[-1]) if trace else ()
        in_cells = self._send_to_cells(resolved, cells, traced)
        return PendingExample(case, example, reference, in_cells, self.has_independent_reference(case))

    def _send_to_cells(
        self, resolved: ResolvedExample, cells: Sequence[str], traced: Sequence[str] = ()
    ) -> dict[str, PendingRequest]:
        request, about = requests.observation_request(resolved), resolved.example.to_json()
        limit = requests.cpu_limit(resolved.example, self.limit)
        return {
            name: self._pool.cell(name).send({**request, "trace": name in traced}, about=about, limit=limit)
            for name in cells
        }

    def _note_kernels(self, observations: Iterable[Observation]) -> None:
        """Note the first kernel of each cell that its level should not have run."""
        for name, reason in kernels_above_caps(self.cells, self.levels, observations).items():
            if name not in self.ineffective:
                self.ineffective[name] = reason
                self.note_incident(f"level {name} is not effective: {reason}")
