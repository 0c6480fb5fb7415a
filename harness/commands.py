"""What the commands do: each takes the parsed options and the settings, prints, and returns an exit code."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from harness.errors import UserError
from harness.gate import Gate
from harness.golden import misfit
from harness.nouns import Case, Example, Finding
from harness.reporting.failure import rows
from harness.reporting.templating import TEMPLATES
from harness.settings import Settings
from harness.verdict import Ruling, rule, table


def doctor(_: argparse.Namespace, settings: Settings) -> int:
    """Print the build under test and each level: available or not, alias of which, with the proof."""
    with Gate(settings) as gate:
        print("\n".join(gate.header()[:-1]))  # noqa: T201 - a command prints
    return 0


def check(options: argparse.Namespace, settings: Settings) -> int:
    """Check suite files without running them. Raises UserError with every mistake."""
    gate = Gate(settings)
    cases = gate.cases([_existing(file).resolve() for file in options.files])
    gate.rehearse(cases.values())
    with gate:
        gate.check(cases.values())
    print(f"{len(cases)} {'case' if len(cases) == 1 else 'cases'}, no mistake")  # noqa: T201 - a command prints
    return 0


def replay(options: argparse.Namespace, settings: Settings) -> int:
    """Run examples in fresh workers at every level and judge them. 1 when one fails, known deviation or not."""
    gate = Gate(settings)
    chosen = [(_case(gate, example, settings.root), example) for example in _examples(options.example)]
    failed = False
    with gate:
        gate.check({case.id: case for case, _ in chosen}.values())
        for case, example in chosen:
            ruling = rule(case, gate.laboratory.isolated(case, example), gate.known(case, example.dtype))
            print(_story(ruling))  # noqa: T201 - a command prints
            failed |= bool(ruling.failures or ruling.settled.accepted)
    return int(failed)


def _story(ruling: Ruling) -> str:
    findings = [*(("", finding) for finding in ruling.failures), *ruling.settled.accepted]
    passed = Finding("values", "output[0]", "universal", {})  # for the table of cells, in which nothing failed
    return TEMPLATES.get_template("replay.txt").render(
        verdict="FAILED" if findings else "PASSED",
        findings=findings,
        tables=[rows(table(ruling, findings[0][1] if findings else passed))],
        untrusted=list(ruling.judgement.untrusted),
        example=ruling.example,
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
