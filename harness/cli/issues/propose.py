"""`equivalence issues propose`: what a record shows as new or gone, written down for a person to finish."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from harness.cli.issues.faults import require_own_files
from harness.cli.options import add_build_options
from harness.cli.parser import Commands, add_command
from harness.core import Case, Finding, KnownFault, ReproducerState
from harness.errors import UserError
from harness.gate import Gate
from harness.golden import append_entry, date_fault, edits_of_stale, verified_releases, write_release_edits
from harness.project import Project
from harness.reporting import Record, read_operator_record
from harness.settings import Settings
from harness.trial import NewFailure, Proposer


def add_propose_command(commands: Commands) -> None:
    """Add its parser."""
    about = "write entries for what a record shows as new, and releases for what is gone"
    parser = add_command(commands, "propose", propose_entries, about)
    parser.add_argument("record_file", metavar="RECORD", type=Path, help="a run's record: .equivalence/record.json")
    add_build_options(parser)


def propose_entries(options: argparse.Namespace, settings: Settings) -> int:
    """Write what the record shows into golden/issues, and print it. Raises UserError.

    Where there are failures the build under test must be the record's: they are run again, with their neighbours.
    """
    record = read_operator_record(options.record_file)
    project = Project(settings.root)
    require_own_files(project, "propose")
    failures = [*new_failures(record, project.every_case())]
    faults, lines = propose_faults(settings, project, record, failures) if failures else ([], [])
    edits, open_questions = edits_of_stale(stale_names(record), project.known_issues, record.build.torch)
    write_release_edits(project.known_issues, edits)
    lines += [f'gone: {edit.name}: {edit.field}: "{edit.release}" is written' for edit in edits]
    lines += [*open_questions, *(_append(project, fault) for fault in faults)]
    print("\n".join(lines or ["the record shows nothing new, and nothing gone"]))  # noqa: T201 - a command prints
    return 0


def new_failures(record: Record, cases: Mapping[str, Case]) -> Iterator[NewFailure]:
    """The failures of the record's operators. Raises UserError for those of a case that is not here."""
    aliases = {name: level.why for name, level in record.levels.items() if level.state == "alias of"}
    for item in record.operators.values():
        for failure in item.failures:
            if item.case not in cases:
                raise UserError(f"the record has failures of {item.case}, and there is no such case here")
            finding = failure.finding
            ran = _with_aliases({*finding.cells, *(row.cell for row in failure.rows)}, aliases)
            ratios = dict.fromkeys(sorted(_with_aliases(set(finding.cells), aliases)), 1.0)
            shown = Finding(finding.oracle, finding.tensor, finding.kind, ratios, message=finding.message)
            yield NewFailure(cases[item.case], shown, failure.example, ran)


def _with_aliases(cells: set[str], aliases: Mapping[str, str]) -> set[str]:
    """The cells, and the levels that are the same as one of them here."""
    return cells | {name for name, equal in aliases.items() if equal in cells}


def stale_names(record: Record) -> list[str]:
    """The places of which the record says that their reproducer does not fail any more."""
    checks = [check for item in record.operators.values() for check in item.reproducers.items()]
    return list(dict.fromkeys(name for name, check in checks if check.state is ReproducerState.STALE))


def propose_faults(
    settings: Settings, project: Project, record: Record, failures: Sequence[NewFailure]
) -> tuple[list[KnownFault], list[str]]:
    """The new faults, and a line for each failure that does not show here now. Raises UserError for another build."""
    with Gate(settings) as gate:
        build = gate.executor.build.torch
        if build != record.build.torch:
            raise UserError(
                f"the record is of PyTorch {record.build.torch}, and this is {build}; "
                "--python names the interpreter that has the record's"
            )
        cases = gate.project.every_case()
        faults, gone = Proposer(gate.executor, project.levels, gate.known_issues_of).propose(failures)
    dated = []
    for fault in faults:
        contract = project.golden.contract(cases[fault.places[0].reproducer.case])
        verified = {*contract.verified, *verified_releases(project.known_issues)}
        dated.append(date_fault(fault, record.build.torch, verified))
    return dated, [_passing_line(failure) for failure in gone]


def _passing_line(failure: NewFailure) -> str:
    name = f"{failure.case.name}[{failure.example.dtype}]"
    return f"not proposed: {name}: {failure.finding.message}: its example does not fail that way here and now"


def _append(project: Project, fault: KnownFault) -> str:
    """Write the entry into the file of its suite; the line that says so."""
    suite = Path(fault.places[0].reproducer.case.partition("::")[0])
    path = project.root / "golden" / "issues" / suite.name
    name = append_entry(path, fault, project.known_issues, project.levels)
    places = "1 place" if len(fault.places) == 1 else f"{len(fault.places)} places"
    return f"new: {name} ({fault.severity}, {places}) in {path.relative_to(project.root)}: write its reason"
