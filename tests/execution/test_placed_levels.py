"""Levels that this CPU lacks, on other machines."""

from __future__ import annotations

import pytest

from harness.errors import UserError
from harness.execution.host import Host, RemoteHost
from harness.execution.host_address import parse_host_address
from harness.execution.levels import can_run, place_levels, select_levels
from tests.execution import stand

HERE = Host("python", stand.MACHINE, "a CPU", ("sse4_1",))
LEVELS = (stand.SSE41, stand.AVX2, stand.AVX512)


def host(name: str, *flags: str) -> RemoteHost:
    """Another machine with a CPU of these flags."""
    return RemoteHost(f"{name}:python", stand.MACHINE, f"the CPU of {name}", flags, parse_host_address(f"ssh={name}"))


SMALL, LARGE = host("small", "sse4_1", "avx2"), host("large", "sse4_1", "avx2", "avx512f")


def test_only_what_is_lacking_here_runs_elsewhere() -> None:
    """The first machine that has a level gets it, and none gets what this CPU has."""
    running, unavailable = select_levels(LEVELS, None, HERE, [SMALL, LARGE])
    assert running == [*LEVELS]
    assert unavailable == {}
    assert place_levels(running, HERE, [SMALL, LARGE]) == {"avx2": SMALL, "avx512_core": LARGE}
    assert place_levels(running, HERE, [LARGE]) == {"avx2": LARGE, "avx512_core": LARGE}
    assert can_run(stand.SSE41, HERE)


def test_what_no_machine_has_is_unavailable() -> None:
    """A level that was named is then a mistake, as it is without other machines."""
    assert select_levels(LEVELS, None, HERE, [SMALL])[1].keys() == {"avx512_core"}
    with pytest.raises(UserError, match="ISA level avx512_core cannot run here: needs avx512f"):
        select_levels(LEVELS, ["avx512_core"], HERE, [SMALL])


@pytest.mark.parametrize(
    ("levels", "hosts", "name"),
    [((stand.SSE41,), [LARGE], "large"), (LEVELS, [LARGE, SMALL], "small"), (LEVELS, [host("old", "sse4_1")], "old")],
)
def test_a_machine_on_which_nothing_would_run_is_a_mistake(
    levels: tuple[stand.Level, ...], hosts: list[RemoteHost], name: str
) -> None:
    """An option that selects nothing would look as if the levels were checked."""
    with pytest.raises(UserError) as caught:
        place_levels([level for level in levels if any(can_run(level, each) for each in [HERE, *hosts])], HERE, hosts)
    assert str(caught.value).startswith(f"host {name} would run nothing: of the levels of this run its CPU")
    assert str(caught.value).endswith("leave it out, or name levels that it has")
