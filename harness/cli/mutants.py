"""`equivalence mutants`: kernels that are wrong on purpose, and what the gate finds of them."""

from __future__ import annotations

import argparse
import contextlib
import queue
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Self

from harness.cli.answer import STANDARD_OUTPUT, publish_report
from harness.cli.issues.replays import usual_executors
from harness.cli.options import add_build_options, check_writable
from harness.cli.parser import Commands, add_command
from harness.core import Case
from harness.errors import UserError, did_you_mean
from harness.gate import Gate
from harness.mutants import (
    Mutant,
    MutantItem,
    MutantOutcome,
    MutantReport,
    MutantTrial,
    Peer,
    Planting,
    load_catalogue,
    mutant_row,
    open_planting,
    report_text,
    row_text,
)
from harness.profiles import PROFILES
from harness.resources import SHIPPED
from harness.settings import Settings

LIMIT: Final = 2.0
"""CPU seconds that an example may take in a cell: mutants that hang are waited for."""


def add_mutants_command(commands: Commands) -> None:
    """Add its parser."""
    about = "plant wrong kernels one after the other, and say which of them the gate finds"
    parser = add_command(commands, "mutants", run_mutants, about)
    parser.add_argument(
        "mutants", nargs="*", metavar="NAME", help="mutants, or families such as pooling (default: all)"
    )
    parser.add_argument("--examples", type=int, metavar="N", help="examples of an item (default: those of a gate)")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="the seed of a run (default: 0, the gate's)")
    parser.add_argument("-n", type=int, default=usual_executors(), metavar="N", dest="runs", help="run N at once")
    alone = "leave out what fixed shapes, and a plain Hypothesis test, find of the same mutants"
    parser.add_argument("--no-peers", action="store_true", help=alone)
    parser.add_argument("--json", metavar="FILE", help="what became of each as JSON; -: standard output, and no text")
    add_build_options(parser)


def run_mutants(options: argparse.Namespace, settings: Settings) -> int:
    """Run the mutants and say what became of each; 1 where one is missed. Raises UserError."""
    if settings.in_process or settings.hosts or settings.preload:
        raise UserError(
            "equivalence mutants plants kernels in workers of its own; no --in-process, --host or --preload"
        )
    if options.json not in (None, STANDARD_OUTPUT):
        check_writable(Path(options.json))
    mutants = select_mutants(options.mutants)
    profile = replace(PROFILES["gate"].with_examples(options.examples), limit=LIMIT)
    started, outcomes = time.monotonic(), []
    settings = replace(settings, profile=profile, seed=options.seed)
    peers = () if options.no_peers else tuple(Peer)
    with MutantRuns(settings, mutants, options.runs, peers) as runs:
        for outcome in runs.outcomes():
            outcomes.append(outcome)
            print(row_text(mutant_row(outcome)), file=sys.stderr, flush=True)  # noqa: T201 - how far it is
        build = runs.gate.executor.build
        report = MutantReport(
            torch=build.torch,
            onednn=build.onednn,
            cpu=build.cpu,
            levels=[cell.name for cell in runs.gate.executor.cells],
            seed=options.seed,
            most_examples=options.examples,
            seconds=round(time.monotonic() - started, 1),
            rows=[mutant_row(outcome) for outcome in outcomes],
        )
    publish_report(report_text(report), report.model_dump_json(indent=1) + "\n", options.json)
    return int(bool(report.missed_rows))


def select_mutants(names: Sequence[str]) -> dict[str, Mutant]:
    """The mutants of these names and families; all if none is named. Raises UserError for an unknown one."""
    catalogue = load_catalogue()
    families = {mutant.family for mutant in catalogue.values()}
    for name in names:
        if name not in catalogue and name not in families:
            raise UserError(f"there is no mutant {name!r}{did_you_mean(name, [*catalogue, *families])}")
    return {name: mutant for name, mutant in catalogue.items() if not names or {name, mutant.family} & {*names}}


@dataclass(frozen=True)
class _Runner:
    """A gate of its own, and what is planted in its workers."""

    gate: Gate
    planting: Planting


class MutantRuns:
    """Gates that share out the mutants. A context manager; the workers of each serve all its mutants."""

    def __init__(
        self, settings: Settings, mutants: Mapping[str, Mutant], runs: int, peers: Sequence[Peer] = ()
    ) -> None:
        self._settings = settings
        self._mutants = mutants
        self._peers = peers
        self._count = max(min(runs, len(mutants)), 1)
        self._idle: queue.SimpleQueue[_Runner] = queue.SimpleQueue()
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        """Start the workers. Raises UserError where the build under test cannot be used."""
        with contextlib.ExitStack() as opening:
            runners = []
            for _ in range(self._count):
                planted = opening.enter_context(open_planting(self._mutants))
                gate = Gate(replace(self._settings, preload=(planted.preload,)))
                opening.callback(gate.executor.close)
                gate.executor.start()
                runners.append(_Runner(gate, planted))
            for runner in runners:
                opening.enter_context(runner.gate)
                self._idle.put(runner)
            self.gate = runners[0].gate
            self._cases = self._shipped_cases(runners)
            self._open = opening.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._open.close()

    def _shipped_cases(self, runners: Sequence[_Runner]) -> dict[str, Case]:
        """The cases of the suites that the mutants are of; each project has read them, and what is known of them."""
        families = sorted({mutant.family for mutant in self._mutants.values()})
        files = [SHIPPED / "suites" / "operators" / f"{family}.yaml" for family in families]
        cases = [runner.gate.project.cases(files) for runner in runners]
        return cases[0]

    def outcomes(self) -> Iterator[MutantOutcome]:
        """What becomes of each mutant, in the order of the catalogue."""
        with ThreadPoolExecutor(self._count) as threads:
            yield from threads.map(self._run, self._mutants.values())

    def _run(self, mutant: Mutant) -> MutantOutcome:
        runner = self._idle.get()
        try:
            gate = runner.gate
            items = [self._item(gate, mutant, name) for name in mutant.items]
            profile = gate.settings.profile
            trial = MutantTrial(mutant, items, gate.executor, runner.planting, profile, gate.arrays, self._peers)
            return trial.run()
        finally:
            self._idle.put(runner)

    def _item(self, gate: Gate, mutant: Mutant, name: str) -> MutantItem:
        """The item of that name. Raises UserError where the suite has no such case, or not in that dtype."""
        case_name, _, dtype = name.removesuffix("]").partition("[")
        case = self._cases.get(f"suites/operators/{mutant.family}.yaml::{case_name}")
        if case is None or dtype not in (*case.dtypes, *case.unsupported):
            raise UserError(f"{mutant.name}: {mutant.family} has no item {name}")
        corpus = gate.project.home_of(case).golden.corpus(case)
        return MutantItem(name, case, dtype, gate.known_issues_of(case, dtype), gate.item_seed(case, dtype), corpus)
