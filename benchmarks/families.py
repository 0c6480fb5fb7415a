"""Examples a second of each family of operators, and where the time goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from benchmarks.runs import RunCost, open_executor, run_cost, suite_items, suite_names, table, warm_up

HEADER = ("family", "examples", "a second", "a CPU second", "harness", "reference", "cells")


def report(examples: int, python: str | None, families: Collection[str] = ()) -> str:
    """A row for each family (by default: all): examples a second by the clock and by the CPU, and whose time it was."""
    with open_executor(python) as executor:
        rows = []
        for name in families or suite_names():
            items = suite_items(name)
            warm_up(executor, items)
            rows.append(_row(name, run_cost(executor, items, examples)))
    return table(HEADER, rows)


def _row(family: str, cost: RunCost) -> Sequence[str]:
    whole = cost.cpu_seconds or 1.0
    shares = (f"{part / whole:.0%}" for part in (cost.harness, cost.reference, cost.workers))
    return (family, str(cost.examples), f"{cost.rate:.1f}", f"{cost.examples / whole:.1f}", *shares)
