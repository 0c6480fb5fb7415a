"""`equivalence accuracy`: the worst ratios of error to allowance of a run, kept in golden/accuracy/."""

from __future__ import annotations

import argparse
import json
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from harness.cli.options import add_record_option
from harness.cli.parser import Commands, add_command
from harness.errors import UserError
from harness.reporting import read_record
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

    Raises UserError under CI, and where the record has no ratio at all.
    """
    if under_ci():
        raise UserError(f"equivalence accuracy: {NOT_UNDER_CI}")
    record = read_record(settings.record)
    suites: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for item in record["items"].values():
        if item.get("ratios"):
            suites[Path(item["case"].partition("::")[0]).stem].append(item)
    if not suites:
        raise UserError(f"{settings.record}: no item has a ratio of error to allowance; run the gate first")
    for suite, items in sorted(suites.items()):
        file = settings.root / _FOLDER / f"{suite}.yaml"
        name = file.relative_to(settings.root)
        if left_out := _cases_of(file) - {_case(item) for item in items}:
            print(f"{name}: kept; the run had nothing of {', '.join(sorted(left_out))}")  # noqa: T201 - a command prints
            continue
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("\n".join(_lines(record, items)) + "\n", "utf-8")
        print(f"{name}: {len(items)} items, worst {_worst(items)}")  # noqa: T201 - a command prints
    return 0


def _case(item: Mapping[str, Any]) -> str:
    return str(item["case"].partition("::")[2])


def _cases_of(file: Path) -> set[str]:
    """The cases of a file that was written before; none where there is no file. Raises DeclarationError."""
    data = read_document(file).data if file.exists() else None
    return set(data.get("worst") or ()) if isinstance(data, dict) else set()


def _lines(record: Mapping[str, Any], items: list[Mapping[str, Any]]) -> Iterator[str]:
    yield _HEAD + f"torch: {json.dumps(record['build']['torch'])}"
    yield f"cpu: {json.dumps(record['build']['cpu'])}"
    yield f"levels: {json.dumps([name for name, level in record['levels'].items() if level['state'] == 'run'])}"
    yield f"examples: {sum(sum(item['examples'].values()) for item in items)}"
    yield "worst:"
    by_case: dict[str, dict[str, Mapping[str, float]]] = defaultdict(dict)
    for item in items:
        by_case[_case(item)][item["dtype"]] = item["ratios"]
    for case, dtypes in sorted(by_case.items()):
        yield f"  {case}:"
        for dtype, ratios in dtypes.items():
            by_tensor = ", ".join(f"{json.dumps(tensor)}: {ratio:.2g}" for tensor, ratio in sorted(ratios.items()))
            yield f"    {dtype}: {{{by_tensor}}}"


def _worst(items: list[Mapping[str, Any]]) -> str:
    ratio, tensor, item = max(
        (ratio, name, f"{item['case']}[{item['dtype']}]") for item in items for name, ratio in item["ratios"].items()
    )
    return f"{ratio:.2g} ({item}, {tensor})"
