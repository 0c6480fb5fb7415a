"""Writing golden/contract and golden/snapshots from what a run observed; what was not run is kept."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.core import Case, Example
from harness.errors import UserError
from harness.golden.contract.layout_rule import LayoutRule
from harness.golden.contract.lines import LEVELS, Facts, Line
from harness.golden.contract.merge_lines import Axes, merged
from harness.golden.snapshots.snapshot import Digest, Snapshot
from harness.golden.store import Golden, contract_file, snapshots_file, suite_of, update_command

LAYOUTS: Final = """\
# Which memory format each operator of the suite hands back: the layout contract. A change of a line is a change of
# behaviour. Written by `{command}`, for a person to review.
#
# <tensor> [of <shapes>, or but <shapes>] [in <dtypes>] [at <levels>]: <law>
# Left out: every shape that is probed, every dtype of the case, and {levels}.
# They are of one release of PyTorch, and not compared with another.
"""

SNAPSHOTS_HEAD: Final = """\
# Snapshots of the suite and what exactly comes out of them, at every level and in the float64 reference.
# Written by `{command}`, for a person to review.
#
# <tensor>: <dtype> [<shape>] strides [<strides>] sha256 <the first 16 digits, of the values in C order>
# The values are those of every release of PyTorch; the rest is compared within one.
"""


@dataclass(frozen=True)
class Observed:
    """What a run saw of one case in one dtype, with which release of PyTorch."""

    torch: str
    facts: Facts
    snapshots: tuple[Snapshot, ...]

    @classmethod
    def read(cls, data: Mapping[str, Any]) -> Observed:
        """From the plain data that an item sent."""
        facts = {(tensor, shape, level): LayoutRule(text) for tensor, shape, level, text in data["layouts"]}
        return cls(data["torch"], facts, tuple(_snapshot(snapshot) for snapshot in data["snapshots"]))


def _snapshot(data: Mapping[str, Any]) -> Snapshot:
    digests = {name: Digest.parse(text) for name, text in data["results"].items()}
    results = {name: digest for name, digest in digests.items() if digest is not None}
    return Snapshot(Example.from_json(data["example"]), results)


def update(golden: Golden, cases: Sequence[Case], seen: Mapping[tuple[str, str], Observed]) -> list[str]:
    """Write both files of one suite, and return what has changed, line by line.

    `seen` is by case name and dtype. What is written of cases that the suite no longer has goes away only where all of
    the suite was run, at all levels of the contract. Raises UserError where less was run, of another release of PyTorch
    than what is written: a file is of one.
    """
    suite = suite_of(cases[0])
    whole = all(
        (case.name, dtype) in seen and {level for _, _, level in seen[case.name, dtype].facts} >= {*LEVELS}
        for case in cases
        for dtype in case.dtypes
    )
    contract, snapshots = golden.contract(cases[0]), golden.snapshots(cases[0])
    (torch,) = {one.torch for one in seen.values()}
    if not whole and (other := {contract.torch, snapshots.torch} - {"", torch}):
        raise UserError(
            f"{suite}: golden/ is of PyTorch {other.pop()}, and this is {torch}; a file is of one release: observe the "
            f"whole suite at {', '.join(LEVELS)}: `{update_command(suite)}`"
        )
    lines = {} if whole else dict(contract.cases)
    kept = {} if whole else dict(snapshots.cases)
    for case in cases:
        here = {dtype: seen[case.name, dtype] for dtype in case.dtypes if (case.name, dtype) in seen}
        lines[case.name] = _lines(case, contract.lines(case.name), here)
        kept[case.name] = _merged_snapshots(case, snapshots.cases.get(case.name, ()), here)
    return [
        *_write(golden.root, contract_file(suite), "".join(_contract_text(suite, torch, lines))),
        *_write(golden.root, snapshots_file(suite), "".join(_snapshots_text(suite, torch, kept))),
    ]


def _lines(case: Case, before: Sequence[Line], here: Mapping[str, Observed]) -> tuple[Line, ...]:
    if not here:
        return tuple(before)
    shapes = dict.fromkeys(shape for one in here.values() for _, shape, _ in one.facts)
    return merged(before, {dtype: one.facts for dtype, one in here.items()}, Axes(tuple(shapes), case.dtypes))


def _merged_snapshots(case: Case, before: Sequence[Snapshot], here: Mapping[str, Observed]) -> tuple[Snapshot, ...]:
    kept = [snapshot for snapshot in before if snapshot.example.dtype not in here]
    snapshots = [*kept, *(snapshot for one in here.values() for snapshot in one.snapshots)]
    order = {dtype: place for place, dtype in enumerate(case.dtypes)}
    return tuple(sorted(snapshots, key=lambda snapshot: order.get(snapshot.example.dtype, len(order))))


def _contract_text(suite: str, torch: str, cases: Mapping[str, Sequence[Line]]) -> Iterator[str]:
    levels = f"the levels {', '.join(LEVELS[:-1])} and {LEVELS[-1]}"
    yield LAYOUTS.format(command=update_command(suite), levels=levels)
    yield f'suite: {suite}\ntorch: "{torch}"\ncases:\n'
    for case, lines in cases.items():
        if lines:
            yield f"  {case}:\n"
            yield from (f"    {line.key}: {line.layout_rule.text}\n" for line in lines)


def _snapshots_text(suite: str, torch: str, cases: Mapping[str, Sequence[Snapshot]]) -> Iterator[str]:
    some = any(cases.values())
    yield SNAPSHOTS_HEAD.format(command=update_command(suite))
    yield f'suite: {suite}\ntorch: "{torch}"\ncases:{"" if some else " {}"}\n'
    for case, snapshots in cases.items():
        if snapshots:
            yield f"  {case}:\n"
        for snapshot in snapshots:
            example = json.loads(snapshot.example.to_json())
            yield f"  - example: {json.dumps(example)}\n"
            yield from (f"    {name}: {digest.text}\n" for name, digest in snapshot.results.items())


def _write(root: Path, name: str, text: str) -> list[str]:
    """Write the file where it differs, and say how."""
    path = root / name
    before = path.read_text("utf-8").splitlines() if path.is_file() else None
    now = text.splitlines()
    if before == now:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    if before is None:
        return [f"{name}: new, {len(now)} lines"]
    changed = list(difflib.unified_diff(before, now, lineterm="", n=0))[2:]
    return [f"{name}:", *(f"  {line}" for line in changed if not line.startswith("@@"))]
