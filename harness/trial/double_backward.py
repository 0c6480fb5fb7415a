"""Double backward: what gradgradcheck says of tiny examples of a case in float64, in both formats."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from harness.core import Case, Example, KnownIssue, MissingDoubleBackward
from harness.execution import Executor
from harness.generation import gradcheck_examples
from harness.trial.known_issues import fatal_cells

FILE: Final = "golden/double_backward.yaml"
ELSEWHERE: Final = ("raised", "coarse")
"""States of which this has nothing to say: another oracle judges what raises, and a difference needs float64."""

Said = Mapping[str, tuple[str, str]]


@dataclass(frozen=True)
class Double:
    """`state` is the best that any example came to, `faults` are sentences, `examples` how many were asked."""

    state: str
    faults: tuple[str, ...]
    examples: int


def differentiated(case: Case) -> bool:
    """Whether the case runs in float64 and has a tensor of that dtype with a gradient."""
    return "float64" in case.dtypes and any(spec.grad and spec.dtype in (None, "float64") for spec in case.tensors)


def double_backward(
    case: Case,
    executor: Executor,
    missing_double_backward: MissingDoubleBackward | None,
    known_issues: tuple[KnownIssue, ...],
) -> Double:
    """Ask for the double backward of tiny examples, those left out that a known issue keeps from running."""
    examples = [one for one in gradcheck_examples(case, "float64") if not fatal_cells(known_issues, one)]
    answers = [(example, executor.double_backward(case, example)) for example in examples]
    faults = [fault for example, said in answers if (fault := _fault(example, said, missing_double_backward))]
    states = {state for _example, said in answers for state, _message in said.values()}
    if missing_double_backward and answers and "refused" not in states and not faults:
        faults.append(
            f"double backward: {FILE} says that there is none ({missing_double_backward.error}), and there is; remove it"
        )
    ranked = [state for state in ("agrees", "refused", "constant", *ELSEWHERE) if state in states]
    return Double(ranked[0] if ranked else "not run", tuple(dict.fromkeys(faults)), len(answers))


def _fault(example: Example, said: Said, missing_double_backward: MissingDoubleBackward | None) -> str:
    """What is wrong with the answers for one example; nothing if all is well."""
    about = f"; {example.to_json()}"
    states = {state for state, _message in said.values()}
    if states.intersection(ELSEWHERE):
        return ""
    for layout, (state, message) in said.items():
        if state in ("differs", "died", "hung"):
            return f"double backward {state} in layout {layout}: {message}{about}"
    refused = {layout: message for layout, (state, message) in said.items() if state == "refused"}
    if not refused:
        return "" if len(states) == 1 else f"double backward is {said} in the layouts{about}"
    alike = len(refused) == len(said) and len(set(refused.values())) == 1
    message = next(iter(refused.values()))
    if (
        missing_double_backward
        and all(missing_double_backward.error in each for each in refused.values())
        and (alike or not missing_double_backward.both)
    ):
        return ""
    if alike:
        return f"double backward is refused and {FILE} does not name it with a reason: {message}{about}"
    return f"double backward is refused in layout {' and '.join(refused)} otherwise than in the other: {message}{about}"
