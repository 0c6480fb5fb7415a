"""What can be found wrong before the first item runs: declarations that cannot be drawn, callables that do not exist.

Each check raises one DeclarationError with the mistakes of all cases, or of all models, each at its place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import Case
from harness.errors import UndrawableError, UserError
from harness.execution import Executor
from harness.generation import (
    arguments,
    check_indices,
    declared_examples,
    describe_excess,
    positional,
    ranges,
    sampled_examples,
    shapes,
    terms,
)
from harness.models import Model, ModelExecutor, model_arguments, model_examples, model_shapes
from harness.suites import DeclarationError, Mistake

EXAMPLES: Final = 60
"""Examples of each case drawn before anything runs, to see that its sizes, shapes and arguments go together."""


CaseTest = Callable[[Case], bool]
"""Whether something is true of a case."""


def check_declarations(cases: Iterable[Case], models: Iterable[Model] = ()) -> None:
    """Draw a few examples of each; no worker is needed. Raises DeclarationError."""
    _raise_if_any(declaration_mistakes(cases, models))


def declaration_mistakes(cases: Iterable[Case], models: Iterable[Model] = ()) -> list[Mistake]:
    """Why no example can be drawn of those of which none can; at most one reason for each."""
    return [
        *(Mistake(*_place(case), f"{case.name}: {why}") for case in cases for why in _case_problems(case)),
        *(Mistake(*_place(model), f"{model.name}: {why}") for model in models for why in _model_problems(model)),
    ]


@dataclass(frozen=True)
class Lookup:
    """What a worker says of callables: those that do not exist or do not take their arguments, and what is missing.

    `missing` are the packages that are not there, and the callables that a release may lack, by the id of the case or
    the model that needs them.
    """

    mistakes: tuple[Mistake, ...]
    missing: Mapping[str, str]


def check_callables(
    executor: Executor, cases: Iterable[Case], may_lack: CaseTest = lambda _: False
) -> Mapping[str, str]:
    """Ask a worker whether every callable and argument exists. Raises DeclarationError.

    Cases of which a package is missing here are left out, and those of which a callable or argument is that this
    release `may_lack`: the answer is what is missing, by the id of the case.
    """
    return _missing_or_raise(look_up_callables(executor, cases, may_lack))


def look_up_callables(executor: Executor, cases: Iterable[Case], may_lack: CaseTest = lambda _: False) -> Lookup:
    """What a worker says of the callables and arguments of these cases; `may_lack` is that of `check_callables`."""
    mistakes: list[Mistake] = []
    missing: dict[str, str] = {}
    for case in cases:
        if lacking := executor.missing_packages(case):
            missing[case.id] = lacking
        elif (lacks := executor.check(case)) and may_lack(case):
            missing[case.id] = "; ".join(lacks)
        else:
            mistakes += [Mistake(*_place(case), f"{case.name}: {problem}") for problem in lacks]
    return Lookup(tuple(mistakes), missing)


def check_factories(executor: ModelExecutor, models: Iterable[Model]) -> Mapping[str, str]:
    """Ask a worker for every factory: what is missing here, by the id of the model. Raises DeclarationError."""
    return _missing_or_raise(look_up_factories(executor, models))


def look_up_factories(executor: ModelExecutor, models: Iterable[Model]) -> Lookup:
    """What a worker says of the factories of these models."""
    mistakes: list[Mistake] = []
    missing: dict[str, str] = {}
    for model in models:
        lacking, problem = executor.check(model)
        if problem:
            mistakes.append(Mistake(*_place(model), f"{model.name}: {problem}"))
        elif lacking:
            missing[model.id] = lacking
    return Lookup(tuple(mistakes), missing)


def _case_problems(case: Case) -> Iterator[str]:
    """Why no example of the case can be drawn; at most one reason, which is enough."""
    try:
        drawn = sampled_examples(case, case.dtypes[0], EXAMPLES)
        for example in [*declared_examples(case, case.dtypes[0]), *drawn]:
            shapes(case, example)
            if excess := describe_excess(case, example):
                yield excess
                return
            positional(case, example)
            arguments(case, example)
            for dtype in case.every_dtype:
                ranges(case, example.but(dtype=dtype))
            terms(case, example)
            check_indices(case, example)
    except UserError as error:
        yield error.message if isinstance(error, UndrawableError) else str(error)


def _model_problems(model: Model) -> Iterator[str]:
    """Why no example of the model can be made; at most one reason."""
    try:
        for example in model_examples(model, model.ways[0], 0, EXAMPLES):
            model_shapes(model, example)
            model_arguments(model, example)
    except UserError as error:
        yield error.message if isinstance(error, UndrawableError) else str(error)


def _place(declared: Case | Model) -> tuple[str, int, int]:
    """The file, line and column where it is declared."""
    return declared.id.partition("::")[0], declared.line, declared.column


def _missing_or_raise(lookup: Lookup) -> Mapping[str, str]:
    _raise_if_any(lookup.mistakes)
    return lookup.missing


def _raise_if_any(mistakes: Sequence[Mistake]) -> None:
    if mistakes:
        raise DeclarationError(mistakes)
