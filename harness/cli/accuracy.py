"""`equivalence accuracy`: the worst ratios of error to allowance of a run, kept in golden/accuracy/."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from harness.cli.options import add_record_option
from harness.cli.parser import Commands, add_command
from harness.errors import UserError
from harness.reporting import OperatorItemRecord, Record, example_count, read_operator_record
from harness.settings import NOT_UNDER_CI, Settings, under_ci
from harness.suites import read_document

_FOLDER: Final = Path("golden") / "accuracy"
_HEAD: Final = """\
# The worst ratio of error to allowance of each tensor, over levels, layouts and examples of one run. 1 is the bound.
# What a known issue accepts is left out, and exact tensors have no ratio. Written by `equivalence accuracy`.
"""


def add_accuracy_command(commands: Commands) -> None:
    """Add its parser."""
    about = "write the worst ratios of error to allowance to golden/accuracy/"
    add_record_option(add_command(commands, "accuracy", write_accuracy, about))


def write_accuracy(_: argparse.Namespace, settings: Settings) -> int:
    """Write one file for each suite that the record has the whole of; one that a run had in part keeps its file.

    Raises UserError under CI, and where the record has no ratio at all, or is of suites that the project has not.
    """
    if under_ci():
        raise UserError(f"equivalence accuracy: {NOT_UNDER_CI}")
    record = read_operator_record(settings.record)
    suites: dict[str, list[OperatorItemRecord]] = defaultdict(list)
    for item in record.operators.values():
        if item.ratios:
            suites[Path(item.suite).stem].append(item)
    if not suites:
        raise UserError(f"{settings.record}: no item has a ratio of error to allowance; run the gate first")
    _check_suites(settings.root, {item.suite for items in suites.values() for item in items})
    for suite, items in sorted(suites.items()):
        print(_update(settings.root, settings.root / _FOLDER / f"{suite}.yaml", record, items))  # noqa: T201 - a command prints
    return 0


def _check_suites(root: Path, suites: Iterable[str]) -> None:
    """Raise UserError where the record is that of another project."""
    if strange := sorted(suite for suite in suites if not (root / suite).is_file()):
        names = ", ".join(strange)
        raise UserError(f"the record is of {names}, and {root} has no such suite; name a record of this project")


def _update(root: Path, file: Path, record: Record, items: Sequence[OperatorItemRecord]) -> str:
    """Write the file of one suite, unless it has cases that the run had nothing of; what was done, as a line."""
    if left_out := _cases_of(file) - {item.name for item in items}:
        return f"{file.relative_to(root)}: kept; the run had nothing of {', '.join(sorted(left_out))}"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text("\n".join(_lines(record, items)) + "\n", "utf-8")
    return f"{file.relative_to(root)}: {len(items)} items, worst {_worst(items)}"


def _cases_of(file: Path) -> set[str]:
    """The cases of a file that was written before; none where there is no file. Raises DeclarationError."""
    data = read_document(file).data if file.exists() else None
    return set(data.get("worst") or ()) if isinstance(data, dict) else set()


def _lines(record: Record, items: Sequence[OperatorItemRecord]) -> Iterator[str]:
    yield _HEAD + f"torch: {json.dumps(record.build.torch)}"
    yield f"cpu: {json.dumps(record.build.cpu)}"
    yield f"levels: {json.dumps(record.cells)}"
    yield f"examples: {sum(map(example_count, items))}"
    yield "worst:"
    cases: dict[str, list[OperatorItemRecord]] = defaultdict(list)
    for item in items:
        cases[item.name].append(item)
    for name, of_case in sorted(cases.items()):
        yield f"  {name}:"
        for item in of_case:
            ratios = (f"{json.dumps(tensor)}: {ratio:.2g}" for tensor, ratio in sorted(item.ratios.items()))
            yield f"    {item.dtype}: {{{', '.join(ratios)}}}"


def _worst(items: Sequence[OperatorItemRecord]) -> str:
    ratio, tensor, item = max(
        (ratio, tensor, f"{item.case}[{item.dtype}]") for item in items for tensor, ratio in item.ratios.items()
    )
    return f"{ratio:.2g} ({item}, {tensor})"
