"""Double backward: what gradgradcheck says of tiny examples of a case in float64, in both formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.core import (
    Case,
    DoubleBackwardState,
    Example,
    FactChange,
    FactDifference,
    FactKind,
    KnownIssue,
    MissingDoubleBackward,
)
from harness.execution import Executor
from harness.generation import gradcheck_examples
from harness.golden import DOUBLE_BACKWARD_FILE
from harness.trial.known_issues import fatal_cells

ELSEWHERE: Final = (DoubleBackwardState.RAISED, DoubleBackwardState.COARSE)
"""States of which this has nothing to say: another oracle judges what raises, and a difference needs float64."""
FAULTS: Final = (DoubleBackwardState.DIFFERS, DoubleBackwardState.DIED, DoubleBackwardState.HUNG)
"""States that are wrong in any layout."""
BEST_FIRST: Final = (
    DoubleBackwardState.AGREES,
    DoubleBackwardState.REFUSED,
    DoubleBackwardState.CONSTANT,
    *ELSEWHERE,
)
"""Of these the first that any example came to is that of the case."""

Answer = Mapping[str, tuple[DoubleBackwardState, str]]
"""Layout → state and message: what one example came to."""


@dataclass(frozen=True)
class DoubleBackward:
    """`state` is the best that any example came to, `faults` what is wrong, `examples` how many were asked."""

    state: DoubleBackwardState
    faults: tuple[FactDifference, ...]
    examples: int


def has_double_backward(case: Case) -> bool:
    """Whether the case runs in float64 and has a tensor of that dtype with a gradient."""
    return "float64" in case.dtypes and any(spec.grad and spec.dtype in (None, "float64") for spec in case.tensors)


def judge_double_backward(
    case: Case,
    executor: Executor,
    missing_double_backward: MissingDoubleBackward | None,
    known_issues: tuple[KnownIssue, ...],
) -> DoubleBackward:
    """Ask for the double backward of tiny examples, those left out that a known issue keeps from running."""
    examples = [example for example in gradcheck_examples(case, "float64") if not fatal_cells(known_issues, example)]
    answers = [(example, executor.double_backward(case, example)) for example in examples]
    faults = [fault for example, answer in answers if (fault := _fault(example, answer, missing_double_backward))]
    states = {state for _example, answer in answers for state, _message in answer.values()}
    if missing_double_backward and answers and DoubleBackwardState.REFUSED not in states and not faults:
        entry = f"{DOUBLE_BACKWARD_FILE} says that there is none ({missing_double_backward.error})"
        message = f"double backward: {entry}, and there is"
        is_judged = missing_double_backward.is_verified
        faults.append(_difference(FactChange.GONE, message + ("; remove it" if is_judged else ""), is_judged=is_judged))
    best = next((state for state in BEST_FIRST if state in states), DoubleBackwardState.NOT_RUN)
    return DoubleBackward(best, tuple(dict.fromkeys(faults)), len(answers))


def _difference(change: FactChange, message: str, *, is_judged: bool = True) -> FactDifference:
    return FactDifference(FactKind.DOUBLE_BACKWARD, change, message, judged=is_judged)


def _fault(example: Example, answer: Answer, missing: MissingDoubleBackward | None) -> FactDifference | None:
    """What is wrong with the answer for one example; None if all is well.

    A layout of which there is nothing to say here hides no fault of the other.
    """
    about = f"; {example.to_json()}"
    answer = {layout: (state, message) for layout, (state, message) in answer.items() if state not in ELSEWHERE}
    states = {state for state, _message in answer.values()}
    for layout, (state, message) in answer.items():
        if state in FAULTS:
            return _difference(FactChange.NEW, f"double backward {state} in layout {layout}: {message}{about}")
    refusals = {layout: message for layout, (state, message) in answer.items() if state == DoubleBackwardState.REFUSED}
    if refusals:
        return _refusal_fault(refusals, len(answer), missing, about)
    words = {layout: (str(state), message) for layout, (state, message) in answer.items()}
    different = _difference(FactChange.NEW, f"double backward is {words} in the layouts{about}")
    return None if len(states) <= 1 else different


def _refusal_fault(
    refusals: Mapping[str, str], layouts: int, missing: MissingDoubleBackward | None, about: str
) -> FactDifference | None:
    """What is wrong with a refusal in some of that many layouts; None where golden/ names it."""
    alike = len(refusals) == layouts and len(set(refusals.values())) == 1
    is_named = missing is not None and all(missing.error in message for message in refusals.values())
    if missing is not None and is_named and (alike or not missing.both):
        return None
    message = next(iter(refusals.values()))
    change = FactChange.MOVED if missing else FactChange.NEW
    if alike:
        unnamed = f"{DOUBLE_BACKWARD_FILE} does not name it with a reason"
        sentence = f"double backward is refused and {unnamed}: {message}{about}"
        return _difference(change, sentence)
    where = " and ".join(refusals)
    return _difference(
        change, f"double backward is refused in layout {where} otherwise than in the other: {message}{about}"
    )
