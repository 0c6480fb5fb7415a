"""What can be found wrong before the first item runs: declarations that cannot be drawn, callables that do not exist.

Each check raises one UserError with the problems of all cases, or of all models.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from harness.core import Case
from harness.errors import UserError
from harness.execution import Executor
from harness.generation import arguments, declared_examples, positional, ranges, sampled_examples, shapes, terms
from harness.models import Model, ModelExecutor, model_arguments, model_examples, model_shapes

EXAMPLES: Final = 60
"""Examples of each case drawn before anything runs, to see that its sizes, shapes and arguments go together."""


def check_declarations(cases: Iterable[Case], models: Iterable[Model] = ()) -> None:
    """Draw a few examples of each; no worker is needed. Raises UserError."""
    problems = [problem for case in cases for problem in _case_problems(case)]
    _raise_if_any([*problems, *(problem for model in models for problem in _model_problems(model))])


def check_callables(executor: Executor, cases: Iterable[Case]) -> dict[str, str]:
    """Ask a worker whether every callable and argument exists. Raises UserError.

    Cases of which a package is missing here are left out: the answer is what is missing, by the id of the case.
    """
    problems: list[str] = []
    missing: dict[str, str] = {}
    for case in cases:
        if lacking := executor.missing_packages(case):
            missing[case.id] = lacking
        else:
            problems += [f"{_place(case)}: {problem}" for problem in executor.check(case)]
    _raise_if_any(problems)
    return missing


def check_factories(executor: ModelExecutor, models: Iterable[Model]) -> dict[str, str]:
    """Ask a worker for every factory: what is missing here, by the id of the model that needs it. Raises UserError."""
    problems: list[str] = []
    missing: dict[str, str] = {}
    for model in models:
        lacking, problem = executor.check(model)
        if problem:
            problems.append(f"{_place(model)}: {problem}")
        elif lacking:
            missing[model.id] = lacking
    _raise_if_any(problems)
    return missing


def _case_problems(case: Case) -> Iterator[str]:
    """Why no example of the case can be drawn; at most one reason, which is enough."""
    try:
        drawn = sampled_examples(case, case.dtypes[0], EXAMPLES)
        for example in [*declared_examples(case, case.dtypes[0]), *drawn]:
            shapes(case, example)
            positional(case, example)
            arguments(case, example)
            for dtype in case.every_dtype:
                ranges(case, example.but(dtype=dtype))
            terms(case, example)
    except UserError as error:
        yield str(error)


def _model_problems(model: Model) -> Iterator[str]:
    """Why no example of the model can be made; at most one reason."""
    try:
        for example in model_examples(model, model.ways[0], 0, EXAMPLES):
            model_shapes(model, example)
            model_arguments(model, example)
    except UserError as error:
        yield str(error)


def _place(declared: Case | Model) -> str:
    """File, line and name, as messages begin."""
    return f"{declared.id.partition('::')[0]}:{declared.line}: {declared.name}"


def _raise_if_any(problems: list[str]) -> None:
    if problems:
        raise UserError("\n".join(problems))
