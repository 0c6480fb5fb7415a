"""What one more ISA level costs: the same examples at the first level alone, and at all of them."""

from __future__ import annotations

from collections.abc import Sequence

from benchmarks.runs import Item, open_executor, run_cost, suite_items, table, warm_up


def report(examples: int, python: str | None, items: Sequence[Item] | None = None) -> str:
    """Examples a second with one level and with all, and what each further level adds to the time of the first."""
    items = items or suite_items("convolution", ["conv2d"], ["float32"])
    with open_executor(python) as executor:
        names = executor.cell_names(None)
        warm_up(executor, items)
        every = run_cost(executor, items, examples)
    with open_executor(python, names[:1]) as executor:
        warm_up(executor, items)
        first = run_cost(executor, items, examples)
    added = (every.wall / first.wall - 1) / max(1, len(names) - 1)
    rows = [(names[0], f"{first.rate:.1f}"), (f"all {len(names)}", f"{every.rate:.1f}")]
    return (
        f"{table(('levels', 'examples a second'), rows)}\neach further level adds {added:.0%} of the time of the first"
    )
