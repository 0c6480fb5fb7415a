"""`equivalence corpus`: what records of nights have reached becomes the examples that a gate runs first."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Mapping
from pathlib import Path

from harness.cli.parser import Commands, add_command
from harness.core import Case
from harness.golden import CorpusCase, corpus_file, corpus_text, load_corpus
from harness.project import Project
from harness.reporting import corpus_of, read_operator_record
from harness.settings import Settings


def add_corpus_command(commands: Commands) -> None:
    """Add its parser."""
    about = "the examples that reach all that the examples of records reached, for golden/corpus"
    parser = add_command(commands, "corpus", keep_corpus, about)
    parser.add_argument(
        "records", nargs="+", type=Path, metavar="RECORD", help="records of --eq-record, best of nights"
    )
    parser.add_argument("--write", action="store_true", help="write them to golden/corpus/; cases not in them are kept")


def keep_corpus(options: argparse.Namespace, settings: Settings) -> int:
    """Print a line for each case, and write the files where that is asked for.

    Raises UserError for what is no record.
    """
    project = Project(settings.root)
    corpora = corpus_of(map(read_operator_record, options.records))
    by_suite: dict[str, dict[str, Case]] = defaultdict(dict)
    for case in project.every_case().values():
        by_suite[case.id.partition("::")[0]][case.name] = case
    for suite, cases in by_suite.items():
        fresh = {name: corpora[case.id] for name, case in cases.items() if case.id in corpora}
        if not fresh:
            continue
        for name, kept in fresh.items():
            print(f"{suite}::{name}: {len(kept.examples)} examples, {len(kept.kernels)} kernels")  # noqa: T201
        if options.write:
            _write(settings.root, suite, cases, fresh)
    return 0


def _write(root: Path, suite: str, cases: Mapping[str, Case], fresh: Mapping[str, CorpusCase]) -> None:
    """Write the file of a suite, in the order of its cases."""
    path = root / corpus_file(suite)
    before = load_corpus(path, suite, corpus_file(suite)).cases
    kept = {name: fresh.get(name) or before.get(name) for name in cases}
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(corpus_text(suite, {name: case for name, case in kept.items() if case and case.examples}), "utf-8")
