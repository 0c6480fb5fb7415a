"""`equivalence issues check`: whether the faults that are known are still there, by their reproducers alone."""

from __future__ import annotations

import argparse
import datetime as dt
import time
from collections import Counter
from collections.abc import Iterable, Mapping

from harness.cli.issues.faults import align_columns, require_own_files, select_faults
from harness.cli.issues.replays import ReproducerRuns, usual_executors
from harness.cli.options import add_build_options
from harness.cli.parser import Commands, add_command
from harness.core import KnownFault, ReproducerCheck, ReproducerState, Verification
from harness.golden import write_verified
from harness.project import Project
from harness.settings import Settings


def add_check_reproducers_command(commands: Commands) -> None:
    """Add its parser."""
    about = "run the reproducers alone: which faults are still there"
    parser = add_command(commands, "check", check_reproducers, about)
    parser.add_argument("faults", nargs="*", metavar="FAULT", help="ids (default: every fault)")
    update = "write into each entry whose reproducers all fail where and when that was"
    parser.add_argument("--update", action="store_true", help=update)
    parser.add_argument("--executors", type=int, default=usual_executors(), metavar="N", help="run N at once")
    add_build_options(parser)


def check_reproducers(options: argparse.Namespace, settings: Settings) -> int:
    """Run the reproducers and say what became of each; 1 where one is stale. Raises UserError."""
    project = Project(settings.root)
    faults = select_faults(project, options.faults)
    if options.update:
        require_own_files(project, "--update")
    cases = project.every_case()
    started = time.monotonic()
    with ReproducerRuns(settings, options.executors) as runs:
        places = [place for fault in faults for place in fault.places]
        checks = {place.name: check for place, check in runs.check(places, cases)}
        build = runs.build
    lines = align_columns((name, str(check)) for name, check in checks.items())
    print("\n".join([*lines, _count_line(checks, time.monotonic() - started)]))  # noqa: T201 - a command prints
    if options.update:
        today = dt.datetime.now(tz=dt.UTC).date().isoformat()
        verified = Verification(build.torch.partition("+")[0], build.cpu, today)
        count = verify_entries(project, failing_faults(faults, checks), verified)
        print(f"verified: written into {count} entries")  # noqa: T201 - a command prints
    return int(any(check.state is ReproducerState.STALE for check in checks.values()))


def failing_faults(faults: Iterable[KnownFault], checks: Mapping[str, ReproducerCheck]) -> list[KnownFault]:
    """Those of which a reproducer was checked, and all that were checked still fail."""
    unchecked = ReproducerState.NOT_CHECKED
    states = {
        fault.id: {checks[place.name].state for place in fault.places if place.name in checks} - {unchecked}
        for fault in faults
    }
    return [fault for fault in faults if states[fault.id] == {ReproducerState.STILL_FAILS}]


def verify_entries(project: Project, faults: Iterable[KnownFault], verified: Verification) -> int:
    """Write into the files of the project where these faults were verified; into how many entries."""
    ids = {fault.id for fault in faults}
    for file in project.known_issues.files:
        if own := [fault for fault in file.faults if fault.id in ids]:
            write_verified(file.path, own, verified)
    return len(ids)


def _count_line(checks: Mapping[str, ReproducerCheck], seconds: float) -> str:
    counts = Counter(check.state for check in checks.values())
    states = ", ".join(f"{state} {counts[state]}" for state in ReproducerState if counts[state])
    return f"{len(checks)} reproducers in {seconds:.0f} s: {states}"
