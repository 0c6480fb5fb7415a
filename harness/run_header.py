"""What a run tests and where: build, CPU, and each level with its proof, as printed lines and as the record has it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict

from harness.execution import Executor
from harness.reporting import BuildRecord, LevelRecord, RecordHead, RunRecord
from harness.settings import Settings


def build_lines(executor: Executor) -> list[str]:
    """The build under test, its CPU, and the proof of each level: what `equivalence doctor` prints."""
    build = executor.build
    return [
        f"under test: PyTorch {build.torch}, oneDNN {build.onednn}, NumPy {build.numpy}, Python {build.python}",
        f"cpu: {build.cpu}",
        *(f"level {cell.name}: {_proof_text(cell.proof)}" for cell in executor.cells),
        *(f"level {name}: the same as {same}" for name, same in executor.aliases.items()),
        *(f"level {name}: not available: {reason}" for name, reason in _unavailable_here(executor).items()),
        *(f"level {name}: NOT EFFECTIVE: {reason}" for name, reason in executor.ineffective.items()),
    ]


def header_lines(executor: Executor, settings: Settings) -> list[str]:
    """The lines that open a report: `build_lines`, and how much is run."""
    return [*build_lines(executor), f"profile: {settings.profile.name}, seed {settings.seed}, 1 and 2 threads"]


def record_head(executor: Executor, settings: Settings) -> RecordHead:
    """Build, run and levels as the record keeps them."""
    build = {name: str(value) for name, value in asdict(executor.build).items() if name != "flags"}
    levels = {cell.name: LevelRecord(state="run", why=_proof_text(cell.proof)) for cell in executor.cells}
    levels |= {name: LevelRecord(state="alias of", why=same) for name, same in executor.aliases.items()}
    levels |= {
        name: LevelRecord(state="not available", why=reason) for name, reason in _unavailable_here(executor).items()
    }
    return RecordHead(
        BuildRecord(**build),
        RunRecord(**asdict(settings.profile), profile=settings.profile.name, seed=settings.seed),
        levels,
    )


def _unavailable_here(executor: Executor) -> dict[str, str]:
    """The levels this CPU lacks, with the reason; those of other architectures are left out."""
    here = {level.name for level in executor.levels if level.architecture in executor.build.platform}
    return {name: why for name, why in executor.unavailable.items() if name in here}


def _proof_text(proof: Mapping[str, str]) -> str:
    return "; ".join(f"{library} {effect}" for library, effect in proof.items())
