"""``python -m benchmarks [NAME ...]``: all of the benchmarks, or those named."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from benchmarks import families, handwritten, kernels, levels, memory, processes

BENCHMARKS: Final[Mapping[str, Callable[[int, str | None], str]]] = {
    "families": families.report,
    "handwritten": handwritten.report,
    "kernels": kernels.report,
    "levels": levels.report,
    "memory": memory.report,
    "processes": processes.report,
}
"""What can be measured, and what does it: examples of each item, and the interpreter under test."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, and print a table for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument("--examples", type=int, default=16, help="examples of each item (default: %(default)s)")
    parser.add_argument("--python", default=os.environ.get("EQUIVALENCE_PYTHON"), help="the interpreter under test")
    chosen = parser.parse_args(arguments)
    if unknown := [name for name in chosen.names if name not in BENCHMARKS]:
        parser.error(f"there is no benchmark {unknown[0]!r}; there are {', '.join(BENCHMARKS)}")
    for name in chosen.names or BENCHMARKS:
        print(f"{name}\n{BENCHMARKS[name](chosen.examples, chosen.python)}\n", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
