"""`equivalence issues show`: everything that is written of one fault, its reproducers as `replay` takes them."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Mapping, Sequence

from harness.cli.issues.faults import place_cases, select_faults
from harness.cli.parser import Commands, add_command
from harness.core import Case, KnownFault, KnownIssue
from harness.golden import complete_layouts
from harness.project import Project
from harness.settings import Settings


def add_show_command(commands: Commands) -> None:
    """Add its parser."""
    parser = add_command(commands, "show", show_fault, "all that is known of one fault, with its reproducers")
    parser.add_argument("fault", metavar="FAULT", help="its id: `equivalence issues list` lists them")


def show_fault(options: argparse.Namespace, settings: Settings) -> int:
    """Print one fault. Raises UserError where there is none of that id."""
    project = Project(settings.root)
    (fault,) = select_faults(project, [options.fault])
    print("\n".join(fault_lines(fault, project.every_case())))  # noqa: T201 - a command prints
    return 0


def fault_lines(fault: KnownFault, cases: Mapping[str, Case]) -> list[str]:
    """The fault as it is printed: what is said of it as a whole, then each of its places."""
    return [*_head_lines(fault), *(line for place in fault.places for line in ["", *_place_lines(place, cases)])]


def _head_lines(fault: KnownFault) -> Iterator[str]:
    yield f"{fault.id} ({fault.severity}): {fault.summary}"
    yield f"  reason: {fault.reason}"
    yield f"  link: {fault.link}"
    yield from _field_lines([("since", fault.since), ("fixed", fault.fixed)])
    if fault.verified:
        yield f"  verified: {fault.verified.date} on PyTorch {fault.verified.torch}, {fault.verified.cpu}"


def _place_lines(place: KnownIssue, cases: Mapping[str, Case]) -> Iterator[str]:
    yield f"{place.name}: {place.oracle} of {', '.join(place.tensors)}"
    matched = ", ".join(case.name for case in place_cases(place, cases))
    aliases = ", ".join(f"{name}: {meaning.text}" for name, meaning in place.aliases.items())
    fields = (
        ("cases", f"{', '.join(place.cases)} ({matched or 'none here'})"),
        ("dtypes", ", ".join(place.dtypes)),
        ("levels", ", ".join(place.cells)),
        ("when", place.when.text),
        ("as", aliases),
        ("accumulates in", place.accumulates_in or ""),
        ("PyTorch", place.torch),
        ("note", place.note),
    )
    yield from _field_lines(fields)
    case = cases.get(place.reproducer.case)
    example = complete_layouts(case, place.reproducer) if case else place.reproducer
    yield f"  reproducer: {example.to_json()}"


def _field_lines(fields: Sequence[tuple[str, str]]) -> Iterator[str]:
    """A line for each field that says something."""
    return (f"  {name}: {text}" for name, text in fields if text)
