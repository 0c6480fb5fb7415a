"""`equivalence coverage`: what a full run reached, against golden/coverage.yaml and the schemas of operators."""

from __future__ import annotations

import argparse
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping

from harness.cli.options import add_build_options, add_record_option
from harness.cli.parser import Commands, add_command
from harness.core import Case
from harness.gate import Gate
from harness.golden import CoverageTargets, load_coverage_targets
from harness.portable.operator_protocol import CatalogueReply
from harness.reporting import (
    FunctionReach,
    ReachReport,
    Record,
    arguments_reach,
    cases_by_operator,
    count_operators,
    function_reach,
    list_reach,
    read_operator_record,
)
from harness.resources import resource
from harness.settings import Settings


def add_coverage_command(commands: Commands) -> None:
    """Add its parser."""
    about = "the operators, functions and kinds of arguments that a full run reached, or missed"
    parser = add_command(commands, "coverage", print_coverage, about)
    every_argument = "also list of what kinds each argument of each operator has been"
    parser.add_argument("--arguments", action="store_true", help=every_argument)
    add_record_option(parser)
    add_build_options(parser)


def print_coverage(options: argparse.Namespace, settings: Settings) -> int:
    """Print it. 1 where a listed operator did not run, or a function has neither a checked case nor a reason.

    So too where an argument of an operator never had a kind that its schema asks for, and there is no reason.
    """
    record = read_operator_record(settings.record)
    targets = load_coverage_targets(resource(settings.root, "golden/coverage.yaml"))
    gate = Gate(settings)
    cases = gate.project.every_case()
    targets.check(cases, settings.root)
    with gate:
        calls = {call for case in cases.values() for call in _calls(case)}
        catalogue = gate.executor.lookup.catalogue(calls, targets.functions)
        schemas = gate.executor.lookup.schemas({*record.arguments, *record.inner_arguments})
        torch = gate.executor.build.torch
    items = record.operators
    reached = count_operators(items.values())
    report = ReachReport(
        record=str(settings.record),
        torch=record.build.torch,
        items=len(items),
        absent=tuple(sorted(_ids(cases.values()) - set(items))),
        operators=reached,
        lists=tuple(list_reach(name, published, reached) for name, published in targets.operators.items()),
        functions=_functions_by_namespace(catalogue, cases, targets, record),
        arguments=arguments_reach(record.arguments, record.inner_arguments, schemas, targets.arguments),
        notes=_notes(
            torch, record.build.torch, [name for name, offered in catalogue["functions"].items() if not offered]
        ),
    )
    print(report.text(every_argument=options.arguments))  # noqa: T201 - a command prints
    return 0 if report.complete else 1


def _functions_by_namespace(
    catalogue: CatalogueReply, cases: Mapping[str, Case], targets: CoverageTargets, record: Record
) -> dict[str, FunctionReach]:
    """What the functions of each module or class that is there come to."""
    covering = _cases_by_function(cases, catalogue["called"], targets)
    items = record.operators.values()
    running = cases_by_operator(items, record.arguments)
    reaches = {}
    for namespace, offered in catalogue["functions"].items():
        known = targets.functions[namespace]
        if offered:
            covered = _cases_of(namespace, offered, covering, running)
            reaches[namespace] = function_reach(offered, covered, known.reasons(), items, known.through)
    return reaches


def _cases_of(
    namespace: str,
    offered: Mapping[str, str],
    covering: Mapping[str, Collection[str]],
    running: Mapping[str, Collection[str]],
) -> dict[str, Collection[str]]:
    """Function of the namespace → its cases: those `covering` it by name, else those `running` its operator."""
    return {
        name: covering.get(f"{namespace}.{name}", ()) or running.get(operator, ()) for name, operator in offered.items()
    }


def _ids(cases: Iterable[Case]) -> set[str]:
    return {f"{case.id}[{dtype}]" for case in cases for dtype in case.every_dtype}


def _calls(case: Case) -> Collection[str]:
    """The dotted names of the callables that a case runs; an in-place form may be a keyword instead."""
    return [name for name in (case.call, case.inplace) if name and "." in name]


def _cases_by_function(
    cases: Mapping[str, Case], functions: Mapping[str, Collection[str]], targets: CoverageTargets
) -> Mapping[str, Collection[str]]:
    """Function → the cases that run it: by calling it, in place too, or as golden/coverage.yaml says.

    `functions` has the functions that each dotted name is which a case calls. Each has its namespace before it.
    """
    covering: dict[str, set[str]] = defaultdict(set)
    for case in cases.values():
        for name in _calls(case):
            for function in functions.get(name, ()):
                covering[function].add(case.id)
        if case.inplace == "inplace":  # relu(x, inplace=True) is relu_(x), and so its like
            for function in functions.get(case.call or "", ()):
                covering[function + "_"].add(case.id)
    for namespace, known in targets.functions.items():
        for name, case_id in known.through.items():
            covering[f"{namespace}.{name}"].add(case_id)
    return covering


def _notes(here: str, recorded: str, lacking: Iterable[str]) -> tuple[str, ...]:
    notes = [f"{namespace} is not there, or has no functions" for namespace in lacking]
    if here != recorded:
        notes.append(f"the functions are those of PyTorch {here}, and the record is of {recorded}")
    return tuple(notes)
