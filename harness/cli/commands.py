"""What the commands do: each takes the parsed options and the settings, prints, and returns an exit code."""

from __future__ import annotations

import argparse
import json
from pathlib import Path
from typing import Final

from harness.core import Case, Example, Finding
from harness.errors import UserError
from harness.gate import Gate
from harness.generation import probe_shapes
from harness.golden import Golden, answer, answer_table, misfit
from harness.reporting.failure import rows
from harness.reporting.templating import TEMPLATES
from harness.settings import Settings
from harness.trial import JudgedResult, rule, table

MARKS: Final = ("<!-- equivalence contract -->", "<!-- end -->")
"""The lines of a Markdown file between which the table goes."""


def doctor(_: argparse.Namespace, settings: Settings) -> int:
    """Print the build under test and each level: available or not, alias of which, with the proof."""
    with Gate(settings) as gate:
        print("\n".join(gate.header()[:-1]))  # noqa: T201 - a command prints
    return 0


def check(options: argparse.Namespace, settings: Settings) -> int:
    """Check suite files without running them. Raises UserError with every mistake."""
    gate = Gate(settings)
    files = [_existing(file).resolve() for file in options.files]
    cases = gate.cases(files)
    models = [model for found in gate.models(files).values() for model in found]
    gate.rehearse(cases.values(), models)
    with gate:
        missing = gate.check(cases.values()) | gate.check_models(models)
    counted = [_counted(number, noun) for number, noun in ((len(cases), "case"), (len(models), "model")) if number]
    print(f"{', '.join(counted)}, no mistake")  # noqa: T201 - a command prints
    for why in dict.fromkeys(missing.values()):
        print(f"not looked at: {why}")  # noqa: T201 - a command prints
    return 0


def contract(options: argparse.Namespace, settings: Settings) -> int:
    """Print the table of which operators keep channels-last, or write it between the marks of a file.

    Raises UserError where golden/contract, or the file or its marks, are missing.
    """
    table = "\n".join(contract_table(settings))
    if options.write is None:
        print(table)  # noqa: T201 - a command prints
        return 0
    path = _existing(options.write)
    before, begin, rest = path.read_text("utf-8").partition(MARKS[0])
    _, end, after = rest.partition(MARKS[1])
    if not end:
        raise UserError(f"contract: {path} has no lines {MARKS[0]} and {MARKS[1]}, between which the table goes")
    path.write_text(f"{before}{begin}\n\n{table}\n\n{end}{after}", "utf-8")
    return 0


def contract_table(settings: Settings) -> list[str]:
    """The table as lines of Markdown, of every suite of the project. Raises UserError."""
    gate = Gate(settings)
    files = [path for path in sorted(settings.root.glob("suites/*/*.yaml")) if path.is_file()]
    if not gate.golden.is_kept:
        raise UserError("contract: there is no golden/contract here; `pytest suites --eq-update-golden` writes it")
    answers = {
        file.stem: {case.name: said for case in cases if (said := _answer(gate.golden, case))}
        for file, cases in gate.suites(files).items()
    }
    return [*answer_table({suite: found for suite, found in answers.items() if found})]


def _answer(golden: Golden, case: Case) -> str | None:
    return answer(golden.contract(case), case, probe_shapes(case, case.dtypes[0]))


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def replay(options: argparse.Namespace, settings: Settings) -> int:
    """Run examples in fresh workers at every level and judge them. 1 when one fails, known issue or not."""
    gate = Gate(settings)
    chosen = [(_case(gate, example, settings.root), example) for example in _examples(options.example)]
    failed = False
    with gate:
        gate.check({case.id: case for case, _ in chosen}.values())
        for case, example in chosen:
            judged = rule(case, gate.executor.isolated(case, example), gate.known(case, example.dtype))
            print(_story(judged))  # noqa: T201 - a command prints
            failed |= bool(judged.failures or judged.partition.accepted)
    return int(failed)


def _story(judged: JudgedResult) -> str:
    findings = [*(("", finding) for finding in judged.failures), *judged.partition.accepted]
    passed = Finding("values", "output[0]", "universal", {})  # for the table of cells, in which nothing failed
    return TEMPLATES.get_template("replay.txt").render(
        verdict="FAILED" if findings else "PASSED",
        findings=findings,
        tables=[rows(table(judged, findings[0][1] if findings else passed))],
        untrusted=list(judged.judgement.untrusted),
        example=judged.example,
    )


def _examples(text: str) -> list[Example]:
    """One example, or a list of them, from JSON text or a file of it. Raises UserError."""
    try:
        found = text if text.lstrip().startswith(("{", "[")) else _existing(Path(text)).read_text("utf-8")
        if not found.lstrip().startswith("["):
            return [Example.from_json(found)]
        if several := [Example.from_json(one) for one in json.loads(found)]:
            return several
    except (ValueError, OSError) as error:
        raise UserError(f"replay: {error}") from None
    raise UserError("replay: the list holds no example")


def _case(gate: Gate, example: Example, root: Path) -> Case:
    file, _, name = example.case.partition("::")
    cases = gate.cases([_existing(root / file)])
    if example.case not in cases:
        raise UserError(f"replay: {file} has no case {name!r}; it has {', '.join(one.name for one in cases.values())}")
    case = cases[example.case]
    if problem := misfit(case, example):
        raise UserError(f"replay: the example does not fit {example.case}: {problem}")
    return case


def _existing(path: Path) -> Path:
    if not path.is_file():
        raise UserError(f"there is no file {path}")
    return path
