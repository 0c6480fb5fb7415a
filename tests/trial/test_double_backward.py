"""What is made of the answers about double backward."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from harness.core import (
    Case,
    DoubleBackwardState,
    Example,
    Expression,
    FactChange,
    FactKind,
    KnownIssue,
    MissingDoubleBackward,
)
from harness.trial import Outcome
from harness.trial.double_backward import has_double_backward, judge_double_backward
from tests.trial.toy import CASE
from tests.trial.trials import known_issue

Answer = dict[str, tuple[DoubleBackwardState, str]]
AGREES = (DoubleBackwardState.AGREES, "")
CONSTANT = (DoubleBackwardState.CONSTANT, "")
NONE = (DoubleBackwardState.REFUSED, "RuntimeError: derivative for aten::toy_backward is not implemented")
KNOWN = MissingDoubleBackward("derivative for aten::toy_backward is not implemented", "nobody has written it")
IN_FLOAT64 = replace(CASE, dtypes=("float64",))


@dataclass
class Answers:
    """An executor that gives the same answer about every example, and notes them."""

    answer: Answer
    examples: list[Example] = field(default_factory=list)

    def double_backward(self, case: Case, example: Example) -> Answer:
        """The answer."""
        del case
        self.examples.append(example)
        return self.answer


def both(drawn: tuple[DoubleBackwardState, str], contiguous: tuple[DoubleBackwardState, str]) -> Any:
    """An executor with these answers."""
    return Answers({"drawn": drawn, "contiguous": contiguous})


def faults(executor: Any, missing_double_backward: MissingDoubleBackward | None = None) -> list[str]:
    """The sentences, without the example at their end."""
    double = judge_double_backward(IN_FLOAT64, executor, missing_double_backward, ())
    return [fault.message.partition("; {")[0] for fault in double.faults if fault.judged]


def test_what_agrees_in_both_formats_is_well() -> None:
    """Tiny examples of the case were asked about, channels-last and with real numbers."""
    executor = both(AGREES, AGREES)
    double = judge_double_backward(IN_FLOAT64, executor, None, ())
    assert (double.state, double.faults) == (DoubleBackwardState.AGREES, ())
    assert double.examples == len(executor.examples) > 0
    assert {example.fill for example in executor.examples} == {"reals"}
    assert {example.layouts["input"] for example in executor.examples} == {"channels_last"}


@pytest.mark.parametrize("state", [DoubleBackwardState.DIFFERS, DoubleBackwardState.DIED, DoubleBackwardState.HUNG])
@pytest.mark.parametrize("layout", ["drawn", "contiguous"])
def test_a_wrong_derivative_is_a_fault(state: DoubleBackwardState, layout: str) -> None:
    """So are a crash and a hang; the sentence names the layout."""
    executor = Answers({"drawn": AGREES, "contiguous": AGREES, layout: (state, "off by 2")})
    assert faults(executor)[0] == f"double backward {state} in layout {layout}: off by 2"


def test_a_refusal_must_be_named() -> None:
    """The sentence gives the message and the file."""
    (message,) = {*faults(both(NONE, NONE))}
    assert (
        message
        == f"double backward is refused and golden/double_backward.yaml does not name it with a reason: {NONE[1]}"
    )
    assert faults(both(NONE, NONE), KNOWN) == []


def test_a_refusal_must_be_the_one_that_is_named() -> None:
    """Another error than the file's is a fault."""
    assert faults(both(NONE, NONE), replace(KNOWN, error="another"))


def test_a_refusal_in_one_format_is_a_fault_unless_it_is_known_to_be() -> None:
    """The formats must be alike, in what is refused and in the words."""
    (message,) = {*faults(both(NONE, AGREES), KNOWN)}
    assert message == f"double backward is refused in layout drawn otherwise than in the other: {NONE[1]}"
    assert faults(both(NONE, (DoubleBackwardState.REFUSED, f"{NONE[1]} here")), KNOWN)
    assert faults(both(NONE, AGREES), replace(KNOWN, both=False)) == []


def test_a_refusal_that_has_gone_is_to_be_removed() -> None:
    """What the file names and autograd computes is stale."""
    (message,) = faults(both(AGREES, AGREES), KNOWN)
    assert message.endswith("and there is; remove it")


def test_a_refusal_that_has_gone_in_a_release_that_nobody_saw_is_listed() -> None:
    """There it is no mistake of the file, and the item does not fail for it."""
    double = judge_double_backward(IN_FLOAT64, both(AGREES, AGREES), replace(KNOWN, is_verified=False), ())
    (fault,) = double.faults
    assert (fault.fact, fault.change, fault.judged) == (FactKind.DOUBLE_BACKWARD, FactChange.GONE, False)
    outcome = Outcome(CASE.id, "float64", faults=list(double.faults))
    assert (outcome.double_failures, outcome.has_failed) == ([], False)


def test_a_difference_says_whether_it_is_new_or_moved() -> None:
    """A refusal that the file does not name is new; one that it names otherwise has moved."""
    for known, change in ((None, FactChange.NEW), (replace(KNOWN, error="another"), FactChange.MOVED)):
        double = judge_double_backward(IN_FLOAT64, both(NONE, NONE), known, ())
        assert {fault.change for fault in double.faults} == {change}


def test_a_derivative_in_one_format_only_is_a_fault() -> None:
    """A gradient that depends on nothing in one format, and on something in the other."""
    assert faults(both(CONSTANT, AGREES))
    assert faults(both(CONSTANT, CONSTANT)) == []


@pytest.mark.parametrize("state", [DoubleBackwardState.RAISED, DoubleBackwardState.COARSE])
def test_what_others_judge_is_no_fault_here(state: DoubleBackwardState) -> None:
    """A call that raises is the error oracle's; single precision has no finite differences."""
    assert faults(both((state, "no"), AGREES)) == []
    assert faults(both((state, "no"), (state, "no"))) == []


@pytest.mark.parametrize("state", [DoubleBackwardState.RAISED, DoubleBackwardState.COARSE])
def test_what_others_judge_in_one_layout_hides_no_fault_of_the_other(state: DoubleBackwardState) -> None:
    """A wrong derivative and an unnamed refusal of contiguous tensors count though the drawn ones raise already."""
    (wrong,) = {*faults(both((state, "no"), (DoubleBackwardState.DIFFERS, "off by 2")))}
    assert wrong == "double backward differs in layout contiguous: off by 2"
    (refused,) = {*faults(both((state, "no"), NONE))}
    assert refused.startswith("double backward is refused and golden/double_backward.yaml does not name it")
    assert faults(both((state, "no"), NONE), KNOWN) == []


def test_examples_that_are_known_to_crash_are_left_out() -> None:
    """A known issue of a crash keeps them from running here too."""
    example = Example(CASE.id, "float64", {}, {})
    crash: KnownIssue = known_issue(
        example, oracle="crash", tensors=("*",), dtypes=("float64",), when=Expression.parse("N > 0")
    )
    double = judge_double_backward(IN_FLOAT64, both(AGREES, AGREES), None, (crash,))
    assert (double.state, double.examples) == (DoubleBackwardState.NOT_RUN, 0)


def test_only_what_has_a_gradient_in_float64_is_asked() -> None:
    """Not a case of integers, nor one without gradients."""
    assert has_double_backward(IN_FLOAT64)
    assert not has_double_backward(CASE)
    assert not has_double_backward(replace(IN_FLOAT64, tensors=(replace(CASE.tensors[0], grad=False),)))
