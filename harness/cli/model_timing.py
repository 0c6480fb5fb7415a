"""`equivalence model --time`: what channels-last gains, measured after all has been judged."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace

from harness.errors import UserError
from harness.gate import Gate
from harness.models import Model, ModelOutcome, ModelTimer, Problem, model_examples
from harness.settings import Settings


def add_timing_options(parser: argparse.ArgumentParser) -> None:
    """The options that ask for times."""
    parser.add_argument("--time", action="store_true", help="how fast it is in both formats, and where the time goes")
    add_thread_option(parser)


def add_thread_option(parser: argparse.ArgumentParser) -> None:
    """The option that says with how many threads to measure."""
    threads = "intra-op threads of what is measured (default: as many as PyTorch takes)"
    parser.add_argument("--threads", metavar="N", type=int, help=threads)


def check_timing_options(options: argparse.Namespace, settings: Settings) -> None:
    """Raise UserError for threads of nothing, or fewer than one, and for times of a run in this process."""
    if options.threads is not None and not options.time:
        raise UserError("--threads: nothing is measured; give --time too")
    check_threads(options)
    if options.time and settings.in_process:
        raise UserError("--time measures in a process of its own; leave out --in-process")


def check_threads(options: argparse.Namespace) -> None:
    """Raise UserError for fewer threads than one."""
    if options.threads is not None and options.threads < 1:
        raise UserError(f"--threads: {options.threads} is less than 1")


def time_outcomes(gate: Gate, model: Model, outcomes: Sequence[ModelOutcome], threads: int | None) -> None:
    """Measure each way to run the model that was judged, and keep the times with its outcome.

    At the highest level, or at each that was asked for by name.
    """
    timer = ModelTimer(gate.executor, gate.model_executor, threads)
    cells = gate.executor.representative_cells
    for way, outcome in zip(model.ways, outcomes, strict=True):
        example = next(model_examples(model, way, gate.settings.seed, 1))
        for cell in (cells if gate.settings.levels else cells[-1:]) if outcome.problem is None else ():
            timing = timer.measure(replace(model, weights=outcome.weights), example, cell)
            if isinstance(timing, Problem):
                outcome.notes.append(f"not measured at {cell}: {timing.sentence}")
            else:
                outcome.timings.append(timing)
