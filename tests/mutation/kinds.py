"""Every kind of file that the harness reads: the shipped ones to change, and what reads them."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import yaml

from harness.core import Case, Example
from harness.failure_database import FailureDatabase
from harness.golden import (
    describe_misfit,
    load_contract,
    load_coverage_targets,
    load_known_issues,
    load_missing_double_backwards,
    load_snapshots,
)
from harness.models import load_file, load_model_known_issues, model_summary
from harness.preflight import check_declarations
from harness.reporting import read_record, terminal_summary
from harness.suites import Suite, load_levels, load_suite, read_document
from tests.reporting.records import model_item, operator_item, record

ROOT: Final = Path(__file__).resolve().parents[2]
CASE: Final = "suites/operators/pooling.yaml::max_pool2d"


class File(NamedTuple):
    """A file to change: where it lies below the root, and its text."""

    path: str
    text: str


@dataclass(frozen=True)
class Kind:
    """One kind of file: files to change, and how the changed file at a path below a root is read.

    The reader raises UserError, or ValueError where that is its own word for what is wrong.
    """

    files: tuple[File, ...]
    read: Callable[[Path, Path], object]


@functools.cache
def cases() -> dict[str, Case]:
    """The cases of the shipped suites by id."""
    suites = [load_suite(path, ROOT) for path in sorted((ROOT / "suites" / "operators").glob("*.yaml"))]
    return {case.id: case for suite in suites for case in suite.cases}


def read_suite(path: Path, root: Path) -> None:
    """Read a suite of cases or models, and draw a few examples of each, as happens before anything runs."""
    content = load_file(path, root)
    if isinstance(content, Suite):
        check_declarations(content.cases)
    else:
        check_declarations((), content.models)


def read_issues(path: Path, root: Path) -> None:
    """Read known issues and check them against the shipped suites."""
    load_known_issues([path], load_levels(ROOT / "suites" / "isa.yaml")).check(cases(), root)


def read_contract(path: Path, root: Path) -> None:
    """Read a layout contract, of whichever suite it is."""
    load_contract(path, _suite_named_in(path), path.relative_to(root).as_posix())


def read_snapshots(path: Path, root: Path) -> None:
    """Read snapshots, of whichever suite they are, and see whether they fit."""
    snapshots = load_snapshots(path, _suite_named_in(path), path.relative_to(root).as_posix())
    for name, of_case in snapshots.cases.items():
        case = cases().get(f"{_suite_named_in(path)}::{name}")
        for snapshot in of_case if case else ():
            describe_misfit(case, snapshot.example)


def read_coverage(path: Path, root: Path) -> None:
    """Read what the suites must reach, and check it."""
    load_coverage_targets(path).check(cases(), root)


def read_double_backward(path: Path, root: Path) -> None:
    """Read the cases without a second derivative, and check them."""
    load_missing_double_backwards(path).check(cases(), root)


def read_a_record(path: Path, _: Path) -> None:
    """Read a record and make the summaries of it."""
    known = read_record(path)
    terminal_summary(known)
    model_summary(known)


def read_example(path: Path, _: Path) -> None:
    """Read an example from its JSON, and see whether it fits its case; ValueError is what the reader says."""
    example = Example.from_json(path.read_text("utf-8", "replace"))
    describe_misfit(cases()[CASE], example)


def read_failures(path: Path, root: Path) -> None:
    """Read the saved failures of a case; what is none is left out."""
    database = FailureDatabase(root, cases()[CASE], "float32")
    database.path.parent.mkdir(parents=True, exist_ok=True)
    path.replace(database.path)
    assert all(isinstance(example, Example) for example in database.load())


def _suite_named_in(path: Path) -> str:
    """What the file says is its suite, in a line of its own."""
    lines = path.read_text("utf-8", "replace").splitlines()
    return next((line.removeprefix("suite: ") for line in lines if line.startswith("suite: ")), "x")


def _pieces(pattern: str, key: str, entries: int = 2) -> Iterator[File]:
    """Shipped files, each cut to a few entries of the mapping below `key`: short texts are read often."""
    for path in sorted(ROOT.glob(pattern)):
        text = path.read_text("utf-8")
        root = yaml.compose(text, yaml.CSafeLoader)
        written = {name.value: value for name, value in root.value}.get(key)
        starts = [name.start_mark.line for name, _ in written.value] if written is not None else []
        lines = text.splitlines(keepends=True)
        for first in range(0, len(starts), entries):
            end = starts[first + entries] if first + entries < len(starts) else len(lines)
            piece = "".join([*lines[: starts[0]], *lines[starts[first] : end]])
            text_of_piece = piece if _is_closed(piece) else _without_aliases(text, key, first, entries)
            yield File(path.relative_to(ROOT).as_posix(), text_of_piece)


def _is_closed(piece: str) -> bool:
    """Whether all that the piece refers to is in it."""
    try:
        yaml.compose(piece, yaml.CSafeLoader)
    except yaml.YAMLError:
        return False
    return True


class _PlainDumper(yaml.SafeDumper):
    """Writes out what was an alias."""

    def ignore_aliases(self, _: object) -> bool:
        """Every value is written where it stands."""
        return True


def _without_aliases(text: str, key: str, first: int, entries: int) -> str:
    """The file's data with a few entries below `key`, written anew."""
    data = yaml.load(text, yaml.CSafeLoader)
    kept = dict(list(data[key].items())[first : first + entries])
    return yaml.dump({**data, key: kept}, Dumper=_PlainDumper, sort_keys=False)


def _whole(pattern: str) -> tuple[File, ...]:
    paths = sorted(ROOT.glob(pattern))
    return tuple(File(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths)


def _example_texts() -> Iterator[str]:
    """The example of a case with everything in it, and those of some snapshots."""
    example = Example(CASE, "float32", {"N": 1, "kernel": (2, 2)}, {"input": "channels_last"}, ("bias",))
    yield example.to_json()
    for file in _whole("golden/snapshots/pooling.yaml"):
        for snapshots in yaml.load(file.text, yaml.CSafeLoader)["cases"].values():
            yield from (json.dumps(snapshot["example"]) for snapshot in snapshots)


@functools.cache
def kinds() -> dict[str, Kind]:
    """All kinds by name."""
    examples = tuple(_example_texts())
    a_record = record(operator_item(), model_item()).text()
    return {
        "operators": Kind(tuple(_pieces("suites/operators/*.yaml", "cases", 1)), read_suite),
        "models": Kind(tuple(_pieces("suites/models/*.yaml", "models", 1)), read_suite),
        "levels": Kind(_whole("suites/isa.yaml"), lambda path, _: load_levels(path)),
        "known issues": Kind(tuple(_pieces("golden/issues/*.yaml", "issues")), read_issues),
        "known issues of models": Kind(_whole("golden/models.yaml"), lambda path, _: load_model_known_issues(path)),
        "layout contract": Kind(tuple(_pieces("golden/contract/*.yaml", "cases", 4)), read_contract),
        "snapshots": Kind(tuple(_pieces("golden/snapshots/*.yaml", "cases")), read_snapshots),
        "coverage": Kind(_whole("golden/coverage.yaml"), read_coverage),
        "double backward": Kind(_whole("golden/double_backward.yaml"), read_double_backward),
        "accuracy": Kind(_whole("golden/accuracy/*.yaml"), lambda path, _: read_document(path)),
        "record": Kind((File("record.json", a_record),), read_a_record),
        "example": Kind(tuple(File("example.json", text) for text in examples), read_example),
        "saved failures": Kind((File("failures.json", f"[{', '.join(examples[:3])}]"),), read_failures),
    }
