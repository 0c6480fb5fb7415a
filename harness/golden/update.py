"""Writing golden/contract and golden/snapshots from what a run observed; what was not run is kept."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.core import Case
from harness.core.text_file import is_there, read_text_file
from harness.errors import UserError
from harness.golden.contract.line import LEVELS, ContractLine
from harness.golden.contract.merge_lines import Axes, merge_lines
from harness.golden.files import contract_file, snapshots_file, suite_of, update_command
from harness.golden.item_observation import ItemObservation
from harness.golden.snapshots.snapshot import Snapshot
from harness.golden.store import Golden

CONTRACT_HEAD: Final = """\
# Which memory format each operator of the suite hands back: the layout contract. A change of a line is a change of
# behaviour. Written by `{command}`, for a person to review.
#
# <tensor> [of <shapes>, or but <shapes>] [in <dtypes>] [at <levels>]: <rule>
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


Observations = Mapping[tuple[str, str], ItemObservation]
"""Name of the case and dtype → what a run observed of it."""


def write_golden(golden: Golden, cases: Sequence[Case], observations: Observations) -> list[str]:
    """Write both files of one suite, and return what has changed, line by line.

    What is written of cases that the suite no longer has goes away only where all of the suite was run, at all levels
    of the contract. Raises UserError where less was run, of another release of PyTorch than what is written: a file is
    of one.
    """
    suite = suite_of(cases[0])
    is_whole = _cover_suite(observations, cases)
    contract, snapshots = golden.contract(cases[0]), golden.snapshots(cases[0])
    (torch,) = {observation.torch for observation in observations.values()}
    if not is_whole and (other := {contract.torch, snapshots.torch} - {"", torch}):
        raise UserError(
            f"{suite}: golden/ is of PyTorch {other.pop()}, and this is {torch}; a file is of one release: observe the "
            f"whole suite at {', '.join(LEVELS)}: `{update_command(suite)}`"
        )
    lines = {} if is_whole else dict(contract.cases)
    kept = {} if is_whole else dict(snapshots.cases)
    for case in cases:
        by_dtype = {
            dtype: observations[case.name, dtype] for dtype in case.dtypes if (case.name, dtype) in observations
        }
        lines[case.name] = _updated_lines(case, contract.lines(case.name), by_dtype)
        kept[case.name] = _updated_snapshots(case, snapshots.cases.get(case.name, ()), by_dtype)
    return [
        *_write(golden.root, contract_file(suite), "".join(_contract_text(suite, torch, lines))),
        *_write(golden.root, snapshots_file(suite), "".join(_snapshots_text(suite, torch, kept))),
    ]


def _cover_suite(observations: Observations, cases: Sequence[Case]) -> bool:
    """Whether every case was observed in all its dtypes, at all levels of the contract."""
    return all(
        (case.name, dtype) in observations
        and {level for _, _, level in observations[case.name, dtype].facts} >= {*LEVELS}
        for case in cases
        for dtype in case.dtypes
    )


def _updated_lines(
    case: Case, before: Sequence[ContractLine], observations: Mapping[str, ItemObservation]
) -> tuple[ContractLine, ...]:
    """The lines of a case after the update, from those of before and what was observed, by dtype."""
    if not observations:
        return tuple(before)
    facts = {dtype: observation.facts for dtype, observation in observations.items()}
    shapes = dict.fromkeys(shape for elements in facts.values() for _, shape, _ in elements)
    return merge_lines(before, facts, Axes(tuple(shapes), case.dtypes))


def _updated_snapshots(
    case: Case, before: Sequence[Snapshot], observations: Mapping[str, ItemObservation]
) -> tuple[Snapshot, ...]:
    """The snapshots of a case after the update, in the order of its dtypes."""
    kept = [snapshot for snapshot in before if snapshot.example.dtype not in observations]
    snapshots = [*kept, *(snapshot for observation in observations.values() for snapshot in observation.snapshots)]
    order = {dtype: place for place, dtype in enumerate(case.dtypes)}
    return tuple(sorted(snapshots, key=lambda snapshot: order.get(snapshot.example.dtype, len(order))))


def _contract_text(suite: str, torch: str, cases: Mapping[str, Sequence[ContractLine]]) -> Iterator[str]:
    levels = f"the levels {', '.join(LEVELS[:-1])} and {LEVELS[-1]}"
    yield CONTRACT_HEAD.format(command=update_command(suite), levels=levels)
    yield f'suite: {suite}\ntorch: "{torch}"\ncases:\n'
    for case, lines in cases.items():
        if lines:
            yield f"  {case}:\n"
            yield from (f"    {line.key}: {line.rule.text}\n" for line in lines)


def _snapshots_text(suite: str, torch: str, cases: Mapping[str, Sequence[Snapshot]]) -> Iterator[str]:
    yield SNAPSHOTS_HEAD.format(command=update_command(suite))
    yield f'suite: {suite}\ntorch: "{torch}"\ncases:{"" if any(cases.values()) else " {}"}\n'
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
    before = read_text_file(path).splitlines() if is_there(path) else None
    now = text.splitlines()
    if before == now:
        return []
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    if before is None:
        return [f"{name}: new, {len(now)} lines"]
    changed = list(difflib.unified_diff(before, now, lineterm="", n=0))[2:]
    return [f"{name}:", *(f"  {line}" for line in changed if not line.startswith("@@"))]
