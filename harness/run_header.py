"""What a run tests and where: build, CPU, and each level with its proof, as printed lines and as the record has it."""

from __future__ import annotations

import platform
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from types import MappingProxyType

from harness.core import Case, Cell
from harness.execution import Build, Executor
from harness.golden import release_of
from harness.reporting import BaselineRecord, BuildRecord, LevelRecord, RecordHead, RunRecord, own_reference_sentence
from harness.settings import Settings


def build_lines(executor: Executor) -> list[str]:
    """The build under test, its CPU, other machines, and the proof of each level: what `equivalence doctor` prints."""
    hosts = [f"host {name}: {build.cpu}; {_build_text(build)}" for name, build in executor.hosts.items()]
    under_test = f"under test: {_build_text(executor.build)}"
    return [under_test, f"cpu: {executor.build.cpu}", *hosts, *_level_lines(executor)]


def baseline_lines(baseline: Executor | None) -> list[str]:
    """The build that the one under test is compared with, and the proof of its levels; nothing where there is none."""
    if baseline is None:
        return []
    levels = [f"against: {line}" for line in _level_lines(baseline)]
    return [f"against: {_build_text(baseline.build)}", f"against: {baseline.cells[0].python}", *levels]


def _build_text(build: Build) -> str:
    return f"PyTorch {build.torch}, oneDNN {build.onednn}, NumPy {build.numpy}, Python {build.python}"


def _level_lines(executor: Executor) -> list[str]:
    return [
        *(f"level {cell.name}{_place_text(executor, cell)}: {_proof_text(cell.proof)}" for cell in executor.cells),
        *(f"level {name}: the same as {same}" for name, same in executor.aliases.items()),
        *(f"level {name}: not available: {reason}" for name, reason in _unavailable_here(executor).items()),
        *(f"level {name}: NOT EFFECTIVE: {reason}" for name, reason in executor.ineffective.items()),
    ]


def _place_text(executor: Executor, cell: Cell) -> str:
    """Where a level runs that does not run here."""
    return f" on {cell.host}" if cell.host in executor.hosts else ""


def header_lines(executor: Executor, settings: Settings, cases: Iterable[Case] = ()) -> list[str]:
    """The lines that open a report: `build_lines`, how much is run, and which cases are their own reference."""
    profile = f"profile: {settings.profile.name}, seed {settings.seed}, 1 and 2 threads"
    own = own_reference_line(executor, cases)
    return [*build_lines(executor), profile, *([f"untrusted: {own}"] if own else [])]


def own_reference_line(executor: Executor, cases: Iterable[Case]) -> str:
    """Which of these cases are their own reference, and what to write in them; nothing where none is."""
    return own_reference_sentence([case.name for case in cases if not executor.has_independent_reference(case)])


def release_line(executor: Executor, verified: Sequence[str] | None) -> str:
    """That golden/ was verified with other releases of PyTorch than this one; nothing where it was with this one."""
    release = release_of(executor.build.torch)
    if verified is None or release in verified:
        return ""
    of = f"PyTorch {', '.join(verified)}" if verified else "no release that all of these suites have"
    return f"golden: verified with {of}; this is {release}: what is new, gone or moved here is listed at the end"


def record_head(
    executor: Executor,
    settings: Settings,
    verified: Sequence[str] | None = None,
    inputs: Mapping[str, str] = MappingProxyType({}),
    baseline: Executor | None = None,
) -> RecordHead:
    """Build, run and levels as the record keeps them; `verified` are the releases that golden/ was verified with.

    `inputs` are digests of what the run depends on beside, `baseline` is the build that this one is compared with.
    """
    return RecordHead(
        _build_record(executor.build),
        RunRecord(
            **asdict(settings.profile),
            profile=settings.profile.name,
            seed=settings.seed,
            rediscovers=settings.rediscover,
        ),
        _level_records(executor),
        verified,
        settings.record.as_posix(),
        datetime.now(UTC).isoformat(timespec="seconds"),
        platform.node(),
        inputs,
        python=settings.python or sys.executable,
        against=baseline_record(baseline),
        hosts={name: _build_record(build) for name, build in executor.hosts.items()},
    )


def baseline_record(baseline: Executor | None) -> BaselineRecord | None:
    """The build that the one under test is compared with as the record keeps it; None where there is none."""
    if baseline is None:
        return None
    return BaselineRecord(
        build=_build_record(baseline.build), levels=_level_records(baseline), interpreter=baseline.cells[0].python
    )


def _build_record(build: Build) -> BuildRecord:
    return BuildRecord(**{name: str(value) for name, value in asdict(build).items() if name != "flags"})


def _level_records(executor: Executor) -> dict[str, LevelRecord]:
    levels = {
        cell.name: LevelRecord(
            state="run", why=_proof_text(cell.proof), host=cell.host if cell.host in executor.hosts else ""
        )
        for cell in executor.cells
    }
    levels |= {name: LevelRecord(state="alias of", why=same) for name, same in executor.aliases.items()}
    levels |= {
        name: LevelRecord(state="not available", why=reason) for name, reason in _unavailable_here(executor).items()
    }
    return levels


def _unavailable_here(executor: Executor) -> dict[str, str]:
    """The levels this CPU lacks, with the reason; those of other architectures are left out."""
    here = {level.name for level in executor.levels if level.architecture in executor.build.platform}
    return {name: why for name, why in executor.unavailable.items() if name in here}


def _proof_text(proof: Mapping[str, str]) -> str:
    return "; ".join(f"{library} {effect}" for library, effect in proof.items())
