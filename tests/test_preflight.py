"""What is found wrong before the first item: all of it at once, each with its place."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from harness.core import Case, Expression, Numerics, Size
from harness.errors import UserError
from harness.models import InputSpec, Model
from harness.preflight import check_callables, check_declarations, check_factories
from tests.trial.toy import CASE

OTHER = replace(CASE, id="suites/x.yaml::other", name="other", line=9)
MODEL = Model("suites/models/m.yaml::net", "net", "m", 3, "nets.net", (), ())


@dataclass
class Answers:
    """Stands for a worker: what it lacks and finds wrong, by the name of a case or a model."""

    lacks: dict[str, str] = field(default_factory=dict)
    problems: dict[str, list[str]] = field(default_factory=dict)

    def missing_packages(self, case: Case) -> str:
        """The package that the case lacks, as an executor answers."""
        return self.lacks.get(case.name, "")

    def check(self, declared: Case | Model) -> Any:
        """As an executor answers for a case, and a model executor for a model."""
        problems = self.problems.get(declared.name, [])
        return problems if isinstance(declared, Case) else (self.lacks.get(declared.name, ""), "; ".join(problems))


def test_every_case_that_cannot_be_drawn_is_named() -> None:
    """The cases that cannot be drawn are reported together, each at its place."""
    wrong = replace(CASE, require=(Expression.parse("N < 0"),), column=3)
    other = replace(wrong, id="suites/x.yaml::other", line=9, column=5)
    with pytest.raises(UserError) as error:
        check_declarations([wrong, CASE, other])
    lines = str(error.value).splitlines()
    assert [line.partition(": nothing satisfies")[0] for line in lines] == [
        f"suites/operators/toy.yaml:4:3: {CASE.name}",
        f"suites/x.yaml:9:5: {CASE.name}",
    ]


def test_problems_of_all_cases_come_together() -> None:
    """Each begins with its place and the name; a case that lacks a package is not asked about."""
    executor: Any = Answers({"double": "no scipy"}, {"double": ["not asked"], "other": ["no such name", "no such key"]})
    with pytest.raises(UserError) as error:
        check_callables(executor, [CASE, OTHER])
    assert str(error.value).splitlines() == [
        "suites/x.yaml:9:1: other: no such key",
        "suites/x.yaml:9:1: other: no such name",
    ]


def test_a_missing_package_is_no_mistake() -> None:
    """A missing package is answered by the id of the case or the model that needs it."""
    executor: Any = Answers({"double": "no scipy", "net": "no torchvision"})
    assert check_callables(executor, [CASE, OTHER]) == {CASE.id: "no scipy"}
    assert check_factories(executor, [MODEL]) == {MODEL.id: "no torchvision"}


def test_what_a_release_may_lack_is_no_mistake() -> None:
    """A callable that golden/ has seen in other releases only is missing here; any other one is a mistake."""
    executor: Any = Answers(problems={"double": ["torch has no 'double'"], "other": ["no such name"]})
    assert check_callables(executor, [CASE], lambda case: case is CASE) == {CASE.id: "torch has no 'double'"}
    with pytest.raises(UserError) as error:
        check_callables(executor, [CASE, OTHER], lambda case: case is CASE)
    assert str(error.value) == "suites/x.yaml:9:1: other: no such name"


def test_a_factory_that_cannot_be_had_is_a_mistake() -> None:
    """The message about a factory begins with its place and the name."""
    executor: Any = Answers(problems={"net": ["nets has no 'net'"]})
    with pytest.raises(UserError, match=r"^suites/models/m\.yaml:3:1: net: nets has no 'net'$"):
        check_factories(executor, [MODEL])


def numerics(**changes: Any) -> Numerics:
    """How sums of products are judged, but for the changes."""
    return replace(Numerics("multilinear", "multilinear"), **changes)


def tensor(**changes: Any) -> dict[str, Any]:
    """The first tensor of the toy, alone, with the changes."""
    return {"tensors": (replace(CASE.tensors[0], **changes),)}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"numerics": numerics(terms=Expression.parse("None"))}, "'None' is None, where a number is needed"),
        ({"numerics": numerics(terms=Expression.parse("(N, C)"))}, "'(N, C)' is (1, 16), where a number is needed"),
        (
            {"numerics": numerics(each={"output[0]": numerics(below=Expression.parse("'a'"))})},
            "where a number is needed",
        ),
        ({"numerics": numerics(each={"output[0]": numerics(below=Expression.parse("-N"))})}, "'-N' is negative"),
        (tensor(between=(Expression.parse("0"), Expression.parse("None"))), "'None' is None, where a number is needed"),
        (
            tensor(shape=(Expression.parse("1000000000000"),)),
            "its tensors have 1,000,000,000,000 elements",
        ),
        (tensor(shape=(Expression.parse("9223372036854775807"),) * 9), "no more than 134,217,728 can be run"),
    ],
    ids=["terms", "a list", "indices", "negative indices", "range", "size", "product"],
)
def test_a_value_that_no_example_can_have_is_refused(changes: dict[str, Any], words: str) -> None:
    """What is computed of the sizes is looked at before a worker has to make sense of it."""
    with pytest.raises(UserError) as error:
        check_declarations([replace(CASE, **changes)])
    assert str(error.value).startswith("suites/operators/toy.yaml:4:1: double: ")
    assert words in str(error.value)


RANGE = Size("N", "range", low=Expression.parse("0"), high=Expression.parse("9223372036854775807"))
NO_RANGE = Size("N", "range", low=Expression.parse("None"), high=Expression.parse("3"))


@pytest.mark.parametrize(
    ("sizes", "shape", "words"),
    [
        ((RANGE,), "N", "elements; no more than 134,217,728"),
        ((NO_RANGE,), "N", "None is None, and a bound is a whole number"),
        ((), "None", "has the shape (None,)"),
    ],
    ids=["wide range", "no range", "no size"],
)
def test_an_input_that_no_model_can_take_is_refused(sizes: tuple[Size, ...], shape: str, words: str) -> None:
    """A wide range is drawn from without being written out."""
    inputs = (InputSpec("x", (Expression.parse(shape),)),)
    with pytest.raises(UserError) as error:
        check_declarations([], [replace(MODEL, sizes=sizes, inputs=inputs)])
    assert words in str(error.value)
