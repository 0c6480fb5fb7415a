"""One run of pytest over suites: the settings, the gate that is opened for it, and the record it becomes."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath
from typing import Final

import pytest

from harness.core import Case, ItemStatus
from harness.core.text_file import is_there
from harness.errors import UserError
from harness.gate import Gate
from harness.golden import Golden, ItemObservation, write_golden
from harness.models import Model, ModelOutcome, WayToRun
from harness.plugin.last_run import LastRun
from harness.plugin.options import SHARED
from harness.plugin.run_files import RunFiles, check_choice, incomplete_lines, resumed_line
from harness.plugin.run_inputs import run_inputs
from harness.plugin.run_plan import RunPlan
from harness.plugin.selection import selected_cases
from harness.preflight import check_callables, check_declarations, check_factories
from harness.reporting import (
    ItemRecord,
    JournalEntry,
    OperatorItemRecord,
    Recorder,
    RecordHead,
    ShardRecord,
    WrittenRecord,
    example_count,
    prepare_record,
)
from harness.resources import is_shipped
from harness.run_header import baseline_lines, header_lines, record_head, release_line
from harness.settings import Settings
from harness.termination import accept_interrupts, termination_requests
from harness.trial import Outcome

KEY: Final = pytest.StashKey["Session"]()


class Session:
    """Lives in the config's stash. The gate's workers start only where items will run or a header is printed."""

    def __init__(self, config: pytest.Config, settings: Settings) -> None:
        self.config = config
        self.settings = settings
        self.gate: Gate | None = None
        self.cases: dict[Path, tuple[Case, ...]] = {}
        self.models: dict[Path, tuple[Model, ...]] = {}
        self.recorder = Recorder()
        self.files: RunFiles | None = None
        self.plan = RunPlan.read(getattr(config, "workerinput", {}).get(SHARED, {}).get("plan", {}))
        self.observations: dict[tuple[str, str], ItemObservation] = {}
        self.not_written: list[str] = []
        self.not_available: set[tuple[str, str]] = set()
        self.remaining = 0
        self._open = contextlib.ExitStack()
        self._signals = contextlib.ExitStack()
        self._entered = False

    @staticmethod
    def of(config: pytest.Config) -> Session:
        """The session of this run."""
        return config.stash[KEY]

    def start(self, files: Sequence[Path]) -> None:
        """Check every suite named, then the levels, the build and the callables. Raises UserError."""
        self._open_files()
        self._signals.enter_context(termination_requests())
        if self.is_xdist_worker:
            accept_interrupts()
        self.gate = Gate(self.settings)
        self._refuse_update_of_shipped(files)
        self._warm_up(self.gate)
        self.cases = {path.resolve(): cases for path, cases in self.gate.project.suites(files).items()}
        self.models = {path.resolve(): models for path, models in self.gate.project.models(files).items()}
        if not self.cases:
            self.gate.executor.run_representative_levels()
        if self.config.option.collectonly:
            return
        if not self.is_xdist_worker:
            cases = [case for suite in self.cases.values() for case in suite]
            self._preflight(self.gate, cases, [model for suite in self.models.values() for model in suite])
        if self.is_xdist_controller:
            self.close()

    def _warm_up(self, gate: Gate) -> None:
        """Let torch be imported for the workers: that takes longer than all that is done before they are needed."""
        self._open.callback(gate.executor.close)
        if not self.config.option.collectonly:
            with contextlib.suppress(UserError):  # entry says it, after what is wrong with the suites
                gate.executor.start(levels_are_known=False)

    def _open_files(self) -> None:
        """Read what an earlier run has left, where this one writes a record. Raises UserError."""
        if self.settings.update_golden and self.settings.resume:
            raise UserError("--eq-resume: an update of golden/ keeps no journal; leave it out")
        if not (self.is_xdist_worker or self.settings.update_golden or self.config.option.collectonly):
            self.files = RunFiles(self.settings)
            self.settings = self.files.settings

    def _refuse_update_of_shipped(self, files: Sequence[Path]) -> None:
        """Raise UserError where golden data would be written into an installed package."""
        if self.settings.update_golden and any(is_shipped(path, self.settings.root) for path in files):
            raise UserError(
                "--eq-update-golden: golden/ of the shipped suites is not written from elsewhere; run it in a checkout"
            )

    def _preflight(self, gate: Gate, cases: Sequence[Case], models: Sequence[Model]) -> None:
        """Everything that can be found wrong before the first item; xdist's controller does it for its workers.

        Of the cases that are not selected it is known that they are well formed, which is all that is asked of them.
        """
        prepare_record(self.settings.record)
        with contextlib.suppress(UserError):  # as above
            gate.executor.start()
        selected = selected_cases(self.config.option.keyword, cases)
        check_declarations(selected, models)
        self._opened_gate(gate)
        missing = check_callables(gate.executor, selected, gate.may_lack_case)
        check_factories(gate.model_executor, models)
        available = [case for case in selected if case.id not in missing]
        verified = gate.verified_releases(cases)
        header = header_lines(gate.executor, self.settings, available)
        release = release_line(gate.executor, verified)
        inputs = run_inputs(self.config, self.settings, [*self.cases, *self.models])
        head = record_head(gate.executor, self.settings, verified, inputs, gate.baseline)
        resumed = self._begin_record(head)
        self.recorder.header = list(filter(None, [*header, *baseline_lines(gate.baseline), release, resumed]))

    def _begin_record(self, head: RecordHead) -> str:
        """Plan the run and begin its journal; the line that says what is resumed. Raises UserError and OSError."""
        if self.files is None:
            self.recorder.head = head
            return ""
        head = self.files.date_head(head)
        self.plan = self.files.plan(head.date, is_shared=self.is_xdist_controller)
        if (shard := self.settings.shard) is not None:
            head = replace(head, shard=ShardRecord(index=shard.index, count=shard.count, basis=self.plan.basis))
        self.recorder.head = head
        self.files.open(head, self.recorder)
        return resumed_line(self.files)

    def choose(self, ids: Iterable[str]) -> None:
        """Note the items of the suites among those that were collected. Raises UserError as `check_choice` does."""
        suites = {path.name for path in (*self.cases, *self.models)}
        chosen = frozenset(name for name in ids if PurePosixPath(name.partition("::")[0]).name in suites)
        check_choice(self.recorder.items, chosen)
        self.recorder.expected = chosen

    def _opened_gate(self, gate: Gate) -> Gate:
        """The gate with its workers, which xdist's workers start when they get their first item."""
        if not self._entered:
            self._open.enter_context(gate)
            self._entered = True
        return gate

    def close(self) -> None:
        """End the workers."""
        self._open.close()

    def finish(self) -> None:
        """End the workers, and let signals end the process again."""
        with self._signals:
            self.close()

    def cases_of(self, path: Path) -> Sequence[Case]:
        """The cases of one file."""
        return self.cases.get(path.resolve(), ())

    def models_of(self, path: Path) -> Sequence[Model]:
        """The models of one file that the profile runs."""
        models = self.models.get(path.resolve(), ())
        return [model for model in models if self.settings.profile.includes(model.profile)]

    def share_budget(self, items: int) -> None:
        """Note how many items share the time budget: xdist's workers run their part of them each."""
        workers = getattr(self.config, "workerinput", {}).get("workercount", 1)
        self.remaining = -(-items // workers)

    def try_case(self, case: Case, dtype: str) -> Outcome:
        """One trial in this process's executor; for an update of golden/ a look at what it would hold."""
        assert self.gate is not None  # noqa: S101 - the case came from it
        if self.settings.update_golden:
            return self._opened_gate(self.gate).observe_case(case, dtype)
        return self._opened_gate(self.gate).try_case(case, dtype, self._share())

    def try_model(self, model: Model, way: WayToRun) -> ModelOutcome:
        """One trial of a model in this process's executor."""
        assert self.gate is not None  # noqa: S101 - the model came from it
        return self._opened_gate(self.gate).try_model(model, way, self._share())

    def _share(self) -> float:
        share = 1.0 / max(self.remaining, 1)
        self.remaining -= 1
        return share

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
        return [*self.recorder.header]

    def receive(self, item: ItemRecord, report: pytest.TestReport) -> None:
        """Take what one item came to, from this process or an xdist worker; an update's is no part of the record."""
        if self.files is not None:
            self.files.add(journal_entry(item, report))
            self.recorder.add(report.nodeid, item)
        elif isinstance(item, OperatorItemRecord) and item.status is ItemStatus.NOT_AVAILABLE:
            self.not_available.add((item.case, item.dtype))

    def close_record(self) -> WrittenRecord | None:
        """Write the record; None where there is none."""
        return self.files.close(self.recorder) if self.files is not None else None

    def last_run(self) -> LastRun:
        """What the run before says of time."""
        return self.files.last_run() if self.files is not None else LastRun()

    def is_like(self, last_run: LastRun) -> bool:
        """Whether an item had as much to do in that run as it has in this one."""
        head = self.recorder.head
        return head is not None and last_run.is_like(self.settings.profile, head.levels)

    @property
    def process_count(self) -> int:
        """How many processes share the items."""
        return len(self.config.option.tx) if self.is_xdist_controller else 1

    def examples_of(self, item: str) -> int:
        """How many examples an item of this run has run so far."""
        record = self.recorder.items.get(item)
        return 0 if record is None else example_count(record)

    def incomplete_lines(self) -> list[str]:
        """What is missing in the record, as lines to print; none where nothing is."""
        return incomplete_lines(self.recorder, self.files.problem if self.files is not None else "")

    def receive_observation(self, case: str, dtype: str, deaths: Sequence[str], observation: ItemObservation) -> None:
        """Take what one item observed for an update of golden/, from this process or an xdist worker.

        Where a call ended its worker it is not written: a known issue has to keep that call from running first.
        """
        self.not_written += [f"{case}[{dtype}]: not written: {death}" for death in deaths]
        if not deaths:
            self.observations[case, dtype] = observation

    def golden_misfits(self, path: Path) -> list[str]:
        """What golden/ and the suite of that file do not agree in; nothing where the project keeps no contract."""
        cases, golden = self.cases_of(path), self._golden_of(path)
        return list(golden.misfits(cases)) if golden is not None and golden.is_kept else []

    def keeps_golden(self, path: Path) -> bool:
        """Whether there is a layout contract of the cases of that file, and this run compares with it."""
        golden = self._golden_of(path)
        return golden is not None and golden.is_kept and not self.settings.update_golden

    def _golden_of(self, path: Path) -> Golden | None:
        """The golden data that belong to a file; None for one without cases."""
        cases = self.cases_of(path)
        return self.gate.project.home_of(cases[0]).golden if self.gate is not None and cases else None

    def update_golden(self) -> list[str]:
        """Write what the items of this run have observed, suite by suite; the lines to print. Raises UserError."""
        if self.gate is None or not self.settings.update_golden:
            return []
        changed = list(self.not_written)
        for cases in self.cases.values():
            ids = {case.id: case.name for case in cases}
            observations = {
                (ids[case], dtype): observation
                for (case, dtype), observation in self.observations.items()
                if case in ids
            }
            lacks = [
                (case.name, dtype) for case in cases for dtype in case.dtypes if (case.id, dtype) in self.not_available
            ]
            changed += write_golden(self.gate.project.golden, cases, observations, lacks) if observations else []
        return changed or ["golden/: nothing has changed"]


def journal_entry(item: ItemRecord, report: pytest.TestReport) -> JournalEntry:
    """The line of the journal: what the item came to, and what pytest made of it."""
    return JournalEntry(
        item=report.nodeid,
        outcome=report.outcome,
        reason=getattr(report, "equivalence_reason", ""),
        properties=tuple((name, _plain(value)) for name, value in report.user_properties),
        record=item,
    )


def _plain(value: object) -> str | int | float:
    """The value of a property as JSON has it: another plugin may give anything."""
    return value if isinstance(value, str | int | float) else str(value)


def suite_files(config: pytest.Config) -> list[Path]:
    """The suite files that the arguments of this run name, directly or by a directory."""
    return sorted({file for argument in config.args for file in _suites_below(config, argument)})


def _suites_below(config: pytest.Config, argument: str) -> Iterator[Path]:
    path = config.invocation_params.dir / argument.partition("::")[0]
    if path.is_dir():
        yield from (file for file in path.rglob("*.yaml") if is_suite(file) and not _is_skipped(config, path, file))
    elif path.suffix == ".yaml" and is_there(path):
        yield path


def _is_skipped(config: pytest.Config, directory: Path, file: Path) -> bool:
    """Whether pytest does not look there: hidden directories, environments, what ``norecursedirs`` names."""
    below = file.relative_to(directory)
    environment = any((directory / parent / "pyvenv.cfg").is_file() for parent in below.parents)
    patterns = config.getini("norecursedirs")
    return environment or any(fnmatch(part, pattern) for part in below.parts[:-1] for pattern in patterns)


def is_suite(path: Path) -> bool:
    """Whether a YAML file found below a directory is a suite: it lies under ``suites/<family>/``."""
    return path.suffix == ".yaml" and "suites" in path.parts[:-2]
