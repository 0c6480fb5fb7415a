"""Trials over the toy executor: what goes wrong in it, and an entry that accepts it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from harness.core import Example, Expression, KnownIssue
from harness.profiles import PROFILES
from harness.trial import Outcome, Trial
from tests.trial.toy import CASE, ToyExecutor, Wrong

PROFILE = replace(PROFILES["gate"], rows=20, random=10, by_space=False, larger=0)
SMALLEST = {"N": 1, "C": 1, "H": 1, "W": 1}


def right(example: Example, cell: str, layout: str) -> str:
    """Nothing is wrong anywhere."""
    del example, cell, layout
    return ""


def try_case(executor: ToyExecutor, *known_issues: KnownIssue, **options: Any) -> Outcome:
    """A trial over the toy."""
    options.setdefault("profile", PROFILE)
    case = options.pop("case", CASE)
    dtype = options.pop("dtype", "float32")
    trial = Trial(case, dtype, executor, known_issues, seed=1, **options)  # type: ignore[arg-type] # a stand-in
    return trial.run()


def wide(example: Example, cell: str, layout: str) -> str:
    """Wide channels-last images come out wrong, in every cell."""
    del cell
    return "value" if layout == "drawn" and example.sizes["W"] > 2 else ""


def many_channels(end: str) -> Wrong:
    """More than two channels end the worker like that."""

    def wrong(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        return end if example.sizes["C"] > 2 else ""

    return wrong


def known_issue(reproducer: Example, **changes: Any) -> KnownIssue:
    """An entry that accepts `wide`."""
    entry = KnownIssue(
        id="wide",
        cases=(CASE.id,),
        dtypes=("float32",),
        tensors=("output[0]",),
        oracle="values",
        cells=("low", "high"),
        when=Expression.parse("W > 2"),
        reason="a toy is wrong for wide images",
        link="no thread found",
        reproducer=reproducer,
    )
    return replace(entry, **changes)


REPRODUCER = Example(CASE.id, "float32", SMALLEST | {"W": 3}, {"input": "channels_last", "grad_output": "contiguous"})
