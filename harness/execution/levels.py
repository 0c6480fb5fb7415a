"""ISA levels: which can run on a host, whether their caps took effect, and which turn out to be the same."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence

from harness.core import Cell, Level
from harness.errors import UserError, nearest
from harness.execution.host import Host


def available(levels: Sequence[Level], names: Collection[str] | None, host: Host) -> tuple[list[Level], dict[str, str]]:
    """The levels to run, and why the others cannot run here.

    With `names` only these; then one that does not exist, or that the CPU lacks, raises UserError. Without, all that
    are on by default; what this CPU lacks is not available. Nothing left to run raises UserError.
    """
    asked = [level for level in levels if _wanted(level, names)]
    for name in names or ():
        known(name, [level.name for level in levels])
    lacking = {level.name: reason for level in asked if (reason := lack(level, host))}
    if names is not None and lacking:
        raise UserError(f"ISA level {next(iter(lacking))} cannot run here: {next(iter(lacking.values()))}")
    found = [level for level in asked if level.name not in lacking]
    if not found:
        reasons = "; ".join(f"{name} {reason}" for name, reason in lacking.items()) or "none is declared"
        raise UserError(f"no ISA level can run here: {reasons}")
    return found, lacking


def _wanted(level: Level, names: Collection[str] | None) -> bool:
    return level.name in names if names is not None else level.default


def known(name: str, names: Sequence[str]) -> None:
    """Raise UserError, with the closest name, where `name` is none of `names`."""
    if name not in names:
        near = nearest(name, names)
        hint = f"did you mean {near}?" if near else f"there are {', '.join(names)}"
        raise UserError(f"there is no ISA level {name!r}; {hint}")


def lack(level: Level, host: Host) -> str:
    """Why the level cannot run on the host, or nothing. ATen's cap must not be tried: it is not clamped and crashes."""
    if level.architecture != host.machine:
        return f"needs {level.architecture}; this host is {host.machine}"
    missing = [flag for flag in level.requires if flag not in host.flags]
    return f"needs {', '.join(missing)}; this CPU ({host.cpu}) has no such flag" if missing else ""


def below(level: Level, levels: Iterable[Level]) -> frozenset[str]:
    """The names of the level and of all levels under it in the partial order."""
    named = {each.name: each for each in levels}
    found: set[str] = set()
    rest = [level.name]
    while rest:
        name = rest.pop()
        if name not in found:
            found.add(name)
            rest += named[name].above if name in named else ()
    return frozenset(found)


def merged(cells: Sequence[Cell], levels: Sequence[Level]) -> tuple[tuple[Cell, ...], dict[str, str]]:
    """The cells that differ in proof, and for each of the others the name of the one that it equals.

    Of equals the lowest stays, the one with the fewest levels under it.
    """
    kept: dict[tuple[tuple[str, str], ...], Cell] = {}
    aliases: dict[str, str] = {}
    for cell in sorted(cells, key=lambda cell: len(below(cell.level, levels))):
        same = kept.setdefault(tuple(sorted(cell.proof.items())), cell)
        if same is not cell:
            aliases[cell.name] = same.name
    return tuple(cell for cell in cells if cell.name not in aliases), aliases


def representatives(levels: Sequence[Level], declared: Iterable[Level]) -> list[str]:
    """The names of two of these levels: the lowest with ATen kernels of its own (avx2 on x86-64), and the highest."""
    declared = tuple(declared)
    height = {level.name: len(below(level, declared)) for level in levels}
    lowest = min((level for level in levels if level.aten != "default"), key=lambda one: height[one.name], default=None)
    highest = max(levels, key=lambda one: height[one.name])
    return list(dict.fromkeys([*([lowest.name] if lowest else []), highest.name]))


def uncapped(cell: Cell) -> str:
    """How ATen's effective capability differs from what was asked, or nothing."""
    asked, found = cell.level.aten.upper(), cell.proof["aten"]
    return "" if asked == found else f"ATen was capped at {asked} and runs {found}"


def above(cell: Cell, levels: Sequence[Level], kernels: Mapping[str, int]) -> str:
    """Which implementation that ran belongs to a level above the cell's, or nothing.

    The ISA is the token after a colon (``convolution:brg_conv_bwd:avx2+brg_conv_fwd:avx2`` has two); tokens that no
    level declares say nothing.
    """
    under = below(cell.level, levels)
    allowed = {token for level in levels if level.name in under for token in level.implementations}
    declared = {token for level in levels for token in level.implementations}
    for kernel in kernels:
        for token in re.split(r"[:+]", kernel)[1:]:
            if token in declared - allowed:
                return f"oneDNN ran {kernel}, which is above {cell.level.onednn or cell.name}"
    return ""
