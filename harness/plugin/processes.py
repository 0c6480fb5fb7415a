"""How many processes share a run where ``-n`` does not say it, and how long the run should take.

Both follow from what the items took in the last run, where that left a record.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from harness.errors import UserError
from harness.plugin.last_run import read_last_run
from harness.plugin.options import read_settings
from harness.plugin.run_files import last_record_path
from harness.plugin.selection import matching_items
from harness.plugin.session import suite_files
from harness.portable.memory_limit import machine_memory
from harness.settings import Settings

MEMORY_OF_PROCESS: Final = 3 * 2**30
"""Bytes that a process takes with its workers: 1.7 and 2.4 GB were measured of two that had run operators at night for
a quarter of an hour, and models are trained in float64."""

WORTH_SHARING: Final = 60.0
"""Seconds of a run for which more processes are started: each imports torch and reads the suites for itself."""


@dataclass(frozen=True)
class Machine:
    """What processes share: `cores`, and `memory` in bytes."""

    cores: int
    memory: int

    @classmethod
    def here(cls) -> Machine:
        """The cores that this process may use, and the memory of the machine or of the container that it is in."""
        has_affinity = hasattr(os, "sched_getaffinity")
        return cls(len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1, machine_memory())

    @property
    def room(self) -> int:
        """For how many processes, each with its workers, there is room; at least one."""
        return max(1, min(self.cores, self.memory // MEMORY_OF_PROCESS))


def distribute(config: pytest.Config) -> None:
    """Choose how many processes xdist starts, where the run may be distributed and nobody has said it.

    Whoever has said it is obeyed; processes that share suites take one item after another, the longest first.
    """
    if hasattr(config, "workerinput") or not config.pluginmanager.has_plugin("xdist"):
        return
    options = config.option
    settings = _distributed_settings(config)
    if settings is not None:
        options.numprocesses = process_count(Machine.here(), _expected_seconds(config, settings), _is_narrowed(config))
    if (options.numprocesses or options.tx) and options.maxschedchunk is None and suite_files(config):
        options.maxschedchunk = 1


def process_count(machine: Machine, seconds: float | None, is_narrowed: bool) -> int:
    """How many processes xdist starts for a run that takes one process so many seconds; 0 where this one does it all.

    Where nobody knows how many (None), a run of a selection is taken to be short, and any other to be long.
    """
    is_short = is_narrowed if seconds is None else seconds < WORTH_SHARING
    return 0 if is_short or machine.room == 1 else machine.room


def _distributed_settings(config: pytest.Config) -> Settings | None:
    """The settings of a run that is to be distributed, and of which nothing says how; None of any other."""
    options = config.option
    is_decided = options.numprocesses is not None or options.tx or options.dist != "no" or options.distload
    if is_decided or options.usepdb or options.trace or options.collectonly:
        return None
    try:
        settings = read_settings(config)
    except (UserError, OSError):  # the session says it
        return None
    return settings if settings.distribute and not settings.in_process else None


def _is_narrowed(config: pytest.Config) -> bool:
    """Whether something selects among the items of the suites."""
    selects = (config.option.keyword, config.option.markexpr, getattr(config.option, "lf", False))
    return any(selects) or any("::" in argument for argument in config.args)


def _expected_seconds(config: pytest.Config, settings: Settings) -> float | None:
    """What the items that are selected now took in the last run, if that was like this one; None: nobody knows."""
    last_run = read_last_run(last_record_path(settings.record))
    if not last_run.is_like(settings.profile, settings.levels) or getattr(config.option, "lf", False):
        return None
    named = [item for item in last_run.seconds if any(_is_below(item, config, each) for each in config.args)]
    items = matching_items(config.option.keyword, named)
    return sum(last_run.seconds[item] for item in items) if items else None


def _is_below(item: str, config: pytest.Config, argument: str) -> bool:
    """Whether a node id is one of those that an argument of pytest's names: a folder, a suite, an item."""
    path, _, name = argument.partition("::")
    place = os.path.relpath(config.invocation_params.dir / path, config.rootpath)
    prefix = f"{Path(place).as_posix()}::{name}" if name else Path(place).as_posix()
    return place == "." or item == prefix or item.startswith((f"{prefix}/", f"{prefix}::"))
