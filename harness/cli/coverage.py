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
from harness.reporting import (
    ReachReport,
    arguments_reach,
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
        offered, functions = gate.executor.catalogue({call for case in cases.values() for call in _calls(case)})
        schemas = gate.executor.lookup.schemas({*record.arguments, *record.inner_arguments})
        torch = gate.executor.build.torch
    covering = _cases_by_function(cases, functions, targets)
    items = record.operators
    reached = count_operators(items.values())
    report = ReachReport(
        record=str(settings.record),
        torch=record.build.torch,
        items=len(items),
        absent=tuple(sorted(_ids(cases.values()) - set(items))),
        operators=reached,
        lists=tuple(list_reach(name, published, reached) for name, published in targets.operators.items()),
        functions=function_reach(
            offered, covering, targets.functions.reasons(), items.values(), targets.functions.through
        ),
        arguments=arguments_reach(record.arguments, record.inner_arguments, schemas, targets.arguments),
        notes=_notes(torch, record.build.torch),
    )
    print(report.text(every_argument=options.arguments))  # noqa: T201 - a command prints
    return 0 if report.complete else 1


def _ids(cases: Iterable[Case]) -> set[str]:
    return {f"{case.id}[{dtype}]" for case in cases for dtype in case.every_dtype}


def _calls(case: Case) -> Collection[str]:
    """The dotted names of the callables that a case runs; an in-place form may be a keyword instead."""
    return [name for name in (case.call, case.inplace) if name and "." in name]


def _cases_by_function(
    cases: Mapping[str, Case], functions: Mapping[str, str], targets: CoverageTargets
) -> Mapping[str, Collection[str]]:
    """Function → the cases that run it: by calling it, in place too, or as golden/coverage.yaml says.

    `functions` has the function of each dotted name that a case calls.
    """
    covering: dict[str, set[str]] = defaultdict(set)
    for case in cases.values():
        for name in _calls(case):
            if name in functions:
                covering[functions[name]].add(case.id)
        if case.inplace == "inplace" and case.call in functions:  # relu(x, inplace=True) is relu_(x), and so its like
            covering[functions[case.call] + "_"].add(case.id)
    for name, case_id in targets.functions.through.items():
        covering[name].add(case_id)
    return covering


def _notes(here: str, recorded: str) -> tuple[str, ...]:
    if here == recorded:
        return ()
    return (f"the functions are those of PyTorch {here}, and the record is of {recorded}",)
