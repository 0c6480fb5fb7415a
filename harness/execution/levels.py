"""ISA levels: which can run on a host, whether their caps took effect, and which turn out to be the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from harness.core import Cell, Level, Observation
from harness.errors import UserError, nearest
from harness.execution.host import Host, RemoteHost


def select_levels(
    levels: Sequence[Level], names: Collection[str] | None, host: Host, others: Sequence[Host] = ()
) -> tuple[list[Level], dict[str, str]]:
    """The levels to run, and why the others cannot run here, by name.

    With `names` only these; then one that does not exist, or that the CPU lacks, raises UserError. Without, all that
    are on by default; what this CPU lacks is not available. Nothing left to run raises UserError. What one of `others`
    has, which are other machines, can run.
    """
    for name in names or ():
        require_level(name, [level.name for level in levels])
    wanted = [level for level in levels if (level.default if names is None else level.name in names)]
    unavailable = {
        level.name: reason
        for level in wanted
        if (reason := missing_requirement(level, host)) and not any(can_run(level, other) for other in others)
    }
    if names is not None and unavailable:
        name, reason = next(iter(unavailable.items()))
        raise UserError(f"ISA level {name} cannot run here: {reason}")
    runnable = [level for level in wanted if level.name not in unavailable]
    if not runnable:
        reasons = "; ".join(f"{name} {reason}" for name, reason in unavailable.items()) or "none is declared"
        raise UserError(f"no ISA level can run here: {reasons}")
    return runnable, unavailable


def require_level(name: str, names: Sequence[str]) -> None:
    """Raise UserError, with the closest name, where `name` is none of `names`."""
    if name not in names:
        near = nearest(name, names)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(names)}"
        raise UserError(f"there is no ISA level {name!r}; {hint}")


def missing_requirement(level: Level, host: Host) -> str:
    """Why the level cannot run on the host, or nothing. ATen's cap must not be tried: it is not clamped and crashes."""
    if level.architecture != host.machine:
        return f"needs {level.architecture}; this host is {host.machine}"
    missing = [flag for flag in level.requires if flag not in host.flags]
    return f"needs {', '.join(missing)}; this CPU ({host.cpu}) has no such flag" if missing else ""


def can_run(level: Level, host: Host) -> bool:
    """Whether the host has all that the level needs."""
    return not missing_requirement(level, host)


def place_levels(levels: Iterable[Level], host: Host, others: Sequence[RemoteHost]) -> dict[str, RemoteHost]:
    """The machine, the first of `others` that has it, of each of these levels that this CPU lacks, by its name.

    What runs here runs here. Raises UserError for a machine on which nothing would run.
    """
    lacking = [level for level in levels if not can_run(level, host)]
    placed = {level.name: other for level in lacking if (other := _first_able(level, others))}
    for other in others:
        if other not in placed.values():
            raise UserError(
                f"host {other.name} would run nothing: of the levels of this run its CPU ({other.cpu}) has none that "
                f"is lacking here ({host.cpu}) and on the hosts before it; leave it out, or name levels that it has"
            )
    return placed


def _first_able(level: Level, hosts: Iterable[RemoteHost]) -> RemoteHost | None:
    return next((host for host in hosts if can_run(level, host)), None)


def levels_up_to(level: Level, levels: Iterable[Level]) -> frozenset[str]:
    """The names of the level and of all levels under it in the partial order."""
    by_name = {each.name: each for each in levels}
    names: set[str] = set()
    unvisited = [level.name]
    while unvisited:
        name = unvisited.pop()
        if name not in names:
            names.add(name)
            unvisited += by_name[name].above if name in by_name else ()
    return frozenset(names)


def merge_equal_cells(cells: Sequence[Cell], levels: Sequence[Level]) -> tuple[tuple[Cell, ...], dict[str, str]]:
    """The cells that differ in proof, and for each of the others the name of the one that it equals.

    Of equals the lowest stays, the one with the fewest levels under it.
    """
    lowest: dict[tuple[tuple[str, str], ...], Cell] = {}
    aliases: dict[str, str] = {}
    for cell in sorted(cells, key=lambda cell: len(levels_up_to(cell.level, levels))):
        equal = lowest.setdefault(tuple(sorted(cell.proof.items())), cell)
        if equal is not cell:
            aliases[cell.name] = equal.name
    return tuple(cell for cell in cells if cell.name not in aliases), aliases


def representative_levels(levels: Sequence[Level], declared: Iterable[Level]) -> list[str]:
    """The names of two of these levels: the lowest with ATen kernels of its own (avx2 on x86-64), and the highest."""
    declared = tuple(declared)
    height = {level.name: len(levels_up_to(level, declared)) for level in levels}
    names = [level.name for level in levels]
    vectorised = [level.name for level in levels if level.aten != "default"]
    lowest = [min(vectorised, key=height.__getitem__)] if vectorised else []
    return list(dict.fromkeys([*lowest, max(names, key=height.__getitem__)]))


def cap_mismatch(cell: Cell) -> str:
    """How ATen's effective capability differs from the cap that the cell's level sets, or nothing."""
    cap, effective = cell.level.aten.upper(), cell.proof["aten"]
    return "" if cap == effective else f"ATen was capped at {cap} and runs {effective}"


def kernel_above_cap(cell: Cell, levels: Sequence[Level], kernels: Mapping[str, int]) -> str:
    """Which of the oneDNN kernels that ran belongs to a level above the cell's, or nothing.

    The ISA is the token after a colon (``convolution:brg_conv_bwd:avx2+brg_conv_fwd:avx2`` has two); tokens that no
    level declares say nothing.
    """
    allowed_levels = levels_up_to(cell.level, levels)
    allowed = {token for level in levels if level.name in allowed_levels for token in level.implementations}
    declared = {token for level in levels for token in level.implementations}
    for kernel in kernels:
        for token in re.split(r"[:+]", kernel)[1:]:
            if token in declared - allowed:
                return f"oneDNN ran {kernel}, which is above {cell.level.onednn or cell.name}"
    return ""


def kernels_above_caps(
    cells: Iterable[Cell], levels: Sequence[Level], observations: Iterable[Observation]
) -> dict[str, str]:
    """`kernel_above_cap` of the first observation of each of these cells in which there is one, by the cell's name."""
    by_name = {cell.name: cell for cell in cells}
    reasons: dict[str, str] = {}
    for observation in observations:
        if (cell := by_name.get(observation.cell)) and (reason := kernel_above_cap(cell, levels, observation.kernels)):
            reasons.setdefault(cell.name, reason)
    return reasons
