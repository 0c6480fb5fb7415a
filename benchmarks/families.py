"""Examples a second of each family of operators, and where the time goes."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from benchmarks.runs import RunCost, open_executor, run_cost, suite_items, suite_names, table

HEADER = ("family", "examples", "a second", "harness", "reference", "cells")


def report(examples: int, python: str | None, families: Collection[str] = ()) -> str:
    """A row for each family (by default: all of them): examples a second, and shares of the CPU time."""
    with open_executor(python) as executor:
        costs = {name: run_cost(executor, suite_items(name), examples) for name in families or suite_names()}
    return table(HEADER, [_row(name, cost) for name, cost in costs.items()])


def _row(family: str, cost: RunCost) -> Sequence[str]:
    whole = cost.harness + cost.reference + cost.workers or 1.0
    shares = (f"{part / whole:.0%}" for part in (cost.harness, cost.reference, cost.workers))
    return (family, str(cost.examples), f"{cost.rate:.1f}", *shares)
