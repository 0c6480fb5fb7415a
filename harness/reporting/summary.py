"""The terminal summary: a view of the record, rendered from `templates/summary.txt`."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from harness.core import CellState, ReproducerCheck, ReproducerState
from harness.portable.dtypes import DTYPES
from harness.reporting.record import Record, total
from harness.reporting.templating import TEMPLATES

MARKS: Final = {
    CellState.PASSED: ".",
    CellState.FAILED: "F",
    CellState.KNOWN_ISSUE: "d",
    CellState.UNTRUSTED: "u",
    CellState.NOT_RUN: "-",
}
WORST_FIRST: Final = (CellState.FAILED, CellState.KNOWN_ISSUE, CellState.PASSED, CellState.UNTRUSTED)


def terminal_summary(record: Record) -> str:
    """Matrix of case x dtype x level, counts, kernels hit at each level, coverage, headroom, what is not trusted.

    Empty where only models ran, which have a table of their own.
    """
    outcomes = record.cases
    if not outcomes:
        return ""
    return TEMPLATES.get_template("summary.txt").render(
        cells=record.cells,
        levels=record.levels,
        marks=MARKS,
        dtypes=_dtypes(outcomes),
        rows=_rows(record),
        hits=_hits(record),
        examples=+total(outcome["examples"] for outcome in outcomes),
        untrusted=total(outcome["untrusted"] for outcome in outcomes).most_common(),
        skipped=total(outcome["skipped"] for outcome in outcomes).most_common(),
        checked=total(counts for outcome in outcomes for counts in outcome["cells"].values()),
        known_issues=_known_issues(outcomes),
        doubles=Counter(outcome["double"] for outcome in outcomes if outcome["double"]).most_common(),
        unchecked=_unchecked(outcomes),
        pairs=total(outcome["coverage"] for outcome in outcomes),
        golden=total({"facts": one["golden"]["facts"], "snapshots": one["golden"]["snapshots"]} for one in outcomes),
        not_compared=sorted({said for one in outcomes for said in one["golden"]["not_compared"]}),
        incidents=[incident for outcome in outcomes for incident in outcome["incidents"]],
        notes=[f"{_name(outcome)}[{outcome['dtype']}]: {note}" for outcome in outcomes for note in outcome["notes"]],
    )


def state(outcome: dict[str, Any], cell: str) -> CellState:
    """What one cell came to over all examples: the worst thing, and `untrusted` only where nothing was checked."""
    counts = outcome["cells"].get(cell, {})
    return next((name for name in WORST_FIRST if counts.get(name)), CellState.NOT_RUN)


def _name(outcome: dict[str, Any]) -> str:
    return str(outcome["case"]).rpartition("::")[2]


def _dtypes(outcomes: Iterable[dict[str, Any]]) -> list[str]:
    seen = {outcome["dtype"] for outcome in outcomes}
    return [dtype for dtype in DTYPES if dtype in seen]


def _rows(record: Record) -> list[dict[str, Any]]:
    cases: dict[str, list[dict[str, Any]]] = {}
    for outcome in record.cases:
        cases.setdefault(outcome["case"], []).append(outcome)
    return [
        {
            "name": case.rpartition("::")[2],
            "marks": {one["dtype"]: "".join(MARKS[state(one, cell)] for cell in record.cells) for one in outcomes},
            "examples": sum(sum(one["examples"].values()) for one in outcomes),
            "ratio": max((ratio for one in outcomes for ratio in one["ratios"].values()), default=None),
            "pairs": _share(total(one["coverage"] for one in outcomes)),
            "seconds": sum(one["seconds"] for one in outcomes),
        }
        for case, outcomes in cases.items()
    ]


def _share(coverage: dict[str, int]) -> str:
    return f"{100 * coverage['pairs'] // coverage['of']} %" if coverage.get("of") else "-"


def _hits(record: Record) -> dict[str, list[tuple[str, int]]]:
    """Cell → implementations with counts, most used first, then by name."""
    return {
        cell: sorted(
            total(outcome["hits"].get(cell, {}) for outcome in record.cases).items(), key=lambda hit: (-hit[1], hit[0])
        )
        for cell in record.cells
    }


def _known_issues(outcomes: Iterable[dict[str, Any]]) -> list[tuple[str, int, str]]:
    """Known issue → how many examples it accepted, and what its reproducer says, where that is worth saying."""
    counts = total(outcome["known_issues"] for outcome in outcomes)
    reproducers = [item for outcome in outcomes for item in outcome["reproducers"].items()]
    checks = {name: ReproducerCheck(ReproducerState(data["state"]), data["detail"]) for name, data in reproducers}
    states = {name: str(check) for name, check in checks.items() if check.state != ReproducerState.OF_ANOTHER_ITEM}
    return [(name, counts.get(name, 0), states.get(name, "")) for name in sorted({*counts, *states})]


def _unchecked(outcomes: Iterable[dict[str, Any]]) -> list[str]:
    return sorted(f"{_name(outcome)}[{outcome['dtype']}]" for outcome in outcomes if outcome["status"] == "untrusted")
