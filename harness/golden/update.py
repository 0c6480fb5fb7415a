"""Writing golden/contract and golden/snapshots from what a run observed; what was not run is kept."""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.core import Case
from harness.core.text_file import is_there, read_text_file
from harness.errors import UserError
from harness.golden.contract.contract import Contract
from harness.golden.contract.line import LEVELS, ContractLine
from harness.golden.contract.merge_lines import Axes, merge_lines
from harness.golden.files import contract_file, snapshots_file, suite_of, update_command
from harness.golden.item_observation import ItemObservation
from harness.golden.release import is_release, sort_releases
from harness.golden.snapshots.snapshot import Snapshot
from harness.golden.snapshots.update_snapshots import update_snapshots
from harness.golden.store import Golden

CONTRACT_HEAD: Final = """\
# Which memory format each operator of the suite hands back: the layout contract. A change of a line is a change of
# behaviour. Written by `{command}`, for a person to review.
#
# <tensor> [of <shapes>, or but <shapes>] [in <dtypes>] [at <levels>] [with torch <releases>]: <rule>
# Left out: every shape that is probed, every dtype of the case, {levels},
# and the verified releases of PyTorch. Another release is not compared.
"""

SNAPSHOTS_HEAD: Final = """\
# Snapshots of the suite and what exactly comes out of them, at every level and in the float64 reference.
# Written by `{command}`, for a person to review.
#
# <tensor>: <dtype> [<shape>] strides [<strides>] sha256 <the first 16 digits, of the values in C order>
# The values are those of every release of PyTorch, or those of `torch`; the rest is compared with the verified ones.
"""


Observations = Mapping[tuple[str, str], ItemObservation]
"""Name of the case and dtype → what a run observed of it."""


def write_golden(
    golden: Golden,
    cases: Sequence[Case],
    observations: Observations,
    not_available: Collection[tuple[str, str]] = (),
) -> list[str]:
    """Write both files of one suite, and return what has changed, line by line.

    What is written of cases that the suite no longer has goes away only where all of the suite was run, at all levels
    of the contract. What is written of other releases of PyTorch stays: what differs from it gets a range. Of less than
    the whole suite a release that the contract is not of changes snapshots only. Items in `not_available` need not have
    been observed: the build has not got what they run. Raises UserError for a PyTorch whose version is no release.
    """
    suite = suite_of(cases[0])
    contract, snapshots = golden.contract(cases[0]), golden.snapshots(cases[0])
    (torch,) = {observation.torch for observation in observations.values()}
    if not is_release(torch):
        raise UserError(f"{suite}: {torch!r} is no release of PyTorch, and golden/ says of which releases it is true")
    is_whole = _cover_suite(observations, cases, not_available)
    lines = {} if is_whole else dict(contract.cases)
    kept = {} if is_whole else dict(snapshots.cases)
    adds_lines = is_whole or torch in contract.verified or not contract.file
    for case in cases:
        by_dtype = {
            dtype: observations[case.name, dtype] for dtype in case.dtypes if (case.name, dtype) in observations
        }
        if adds_lines:
            lines[case.name] = _updated_lines(case, contract, by_dtype, torch)
        kept[case.name] = update_snapshots(case, snapshots, by_dtype, torch)
    added = [torch] if adds_lines else []
    in_contract, in_snapshots = (sort_releases([*file.verified, *added]) for file in (contract, snapshots))
    contract_head = _contract_head(suite, in_contract, _updated_lacks(contract, torch, observations, not_available))
    return [
        *([] if adds_lines else [_advice_for_part(contract, torch, suite)]),
        *_write(golden.root, contract_file(suite), contract_head + "".join(_contract_lines(lines))),
        *_write(golden.root, snapshots_file(suite), "".join(_snapshots_text(suite, in_snapshots, kept))),
    ]


def _advice_for_part(contract: Contract, torch: str, suite: str) -> str:
    """What to do to add a release to a contract, where a part of the suite was observed with it."""
    return (
        f"{contract.file} is of PyTorch {', '.join(contract.verified)}, and this is {torch}: its lines were left as "
        f"they are; to add them, observe the whole suite at {', '.join(LEVELS)}: `{update_command(suite)}`"
    )


def _cover_suite(observations: Observations, cases: Sequence[Case], not_available: Collection[tuple[str, str]]) -> bool:
    """Whether every case was observed in all its dtypes that the build has, at all levels of the contract."""
    return all(
        (case.name, dtype) in observations
        and {level for _, _, level in observations[case.name, dtype].facts} >= {*LEVELS}
        for case in cases
        for dtype in case.dtypes
        if (case.name, dtype) not in not_available
    )


def _updated_lines(
    case: Case, contract: Contract, observations: Mapping[str, ItemObservation], torch: str
) -> tuple[ContractLine, ...]:
    """The lines of a case after the update, from those of before and what was observed, by dtype."""
    before = contract.lines(case.name)
    if not observations:
        return before
    facts = {dtype: observation.facts for dtype, observation in observations.items()}
    shapes = dict.fromkeys(shape for elements in facts.values() for _, shape, _ in elements)
    others = [release for release in contract.releases if release != torch]
    return merge_lines(before, facts, Axes(tuple(shapes), case.dtypes), torch, others)


def _updated_lacks(
    contract: Contract, torch: str, observations: Observations, not_available: Collection[tuple[str, str]]
) -> dict[str, list[str]]:
    """The items that releases have not got, by verified release; what was not run is kept."""
    run = {f"{case}[{dtype}]" for case, dtype in observations}
    lacks = {release: [*items] for release, items in contract.not_available.items()}
    here = [item for item in lacks.get(torch, ()) if item not in run]
    lacks[torch] = list(dict.fromkeys([*here, *(f"{case}[{dtype}]" for case, dtype in not_available)]))
    return {release: lacks[release] for release in sort_releases(lacks) if lacks[release]}


def _contract_head(suite: str, verified: Sequence[str], lacks: Mapping[str, Sequence[str]]) -> str:
    """What stands above the lines of a contract; of items that a release has not got one line for each release."""
    levels = f"the levels {', '.join(LEVELS[:-1])} and {LEVELS[-1]}"
    head = CONTRACT_HEAD.format(command=update_command(suite), levels=levels)
    items = "".join(f'  "{release}": {json.dumps(names)}\n' for release, names in lacks.items() if release in verified)
    not_available = f"not_available:\n{items}" if items else ""
    return f"{head}suite: {suite}\nverified: {json.dumps(verified)}\n{not_available}cases:\n"


def _contract_lines(cases: Mapping[str, Sequence[ContractLine]]) -> Iterator[str]:
    for case, lines in cases.items():
        if lines:
            yield f"  {case}:\n"
            yield from (f"    {line.key}: {line.rule.text}\n" for line in lines)


def _snapshots_text(suite: str, verified: Sequence[str], cases: Mapping[str, Sequence[Snapshot]]) -> Iterator[str]:
    yield SNAPSHOTS_HEAD.format(command=update_command(suite))
    yield f"suite: {suite}\nverified: {json.dumps(verified)}\ncases:{'' if any(cases.values()) else ' {}'}\n"
    for case, snapshots in cases.items():
        if snapshots:
            yield f"  {case}:\n"
        for snapshot in snapshots:
            example = json.loads(snapshot.example.to_json())
            yield f"  - example: {json.dumps(example)}\n"
            if snapshot.releases.specifier:
                yield f'    torch: "{snapshot.releases.specifier}"\n'
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
