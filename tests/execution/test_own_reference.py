"""What the reference runs, and whether that is another operator than the one that is judged."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest

from harness.core import Case
from harness.execution import Executor
from tests.execution import stand
from tests.plugin.project import needs_workers

pytestmark = needs_workers

PRELOAD = """\
import torch

library = torch.library.Library("mine", "DEF")
library.define("twice(Tensor x) -> Tensor")
library.impl("twice", lambda x: x * 3, "CompositeExplicitAutograd")


def twice(x):
    return x + x


def twice_by_itself(x):
    return torch.ops.mine.twice(x) * 1


def twice_of_two(x, y):
    return x + y


torch.nn.functional.twice = twice
"""
WRONG = "torch.ops.mine.twice"
"""An operator that triples: its reference should be twice x."""


@pytest.fixture(scope="module")
def workers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Executor]:
    """One cell whose preload file has an operator of its own and three functions."""
    file = tmp_path_factory.mktemp("preload") / "mine.py"
    file.write_text(PRELOAD)
    with Executor([stand.SSE41], preload=[file], limit=20.0) as opened:
        yield opened


def case(call: str, reference: str | None = None) -> Case:
    """A case of one tensor without a gradient."""
    return stand.case(call, stand.tensor("x", "C", grad=False), reference=reference)


@pytest.mark.parametrize(
    ("call", "reference", "is_independent"),
    [
        ("torch.relu", None, True),
        ("torch.ops.aten.relu", None, True),
        (WRONG, None, False),
        ("mine.twice", None, False),
        ("torch.nn.functional.twice", None, False),
        ("numpy.abs", None, False),
        (WRONG, "mine.twice", True),
        (WRONG, "torch.relu", True),
        (WRONG, "mine.twice_by_itself", False),
    ],
)
def test_what_is_its_own_reference(
    workers: Executor, call: str, reference: str | None, *, is_independent: bool
) -> None:
    """An operator that neither PyTorch nor torchvision has, unless its reference runs operators of theirs alone."""
    own = case(call, reference)
    (result,) = workers.run(own, [stand.example(own, threads=1)])
    assert result.reference.is_independent == is_independent
    assert workers.run_isolated(own, stand.example(own)).reference.is_independent == is_independent
    if call != WRONG or reference != "mine.twice_by_itself":
        assert workers.has_independent_reference(own) == is_independent


def test_the_reference_runs_in_the_place_of_the_call(workers: Executor) -> None:
    """Its numbers are those of the named function on the same inputs; the cell's are the operator's."""
    own = case(WRONG, "mine.twice")
    (result,) = workers.run(own, [stand.example(own)])
    x = result.reference.inputs["x"]
    np.testing.assert_array_equal(result.reference.values["output[0]"], 2 * x)
    np.testing.assert_array_equal(result.observations[0].tensors["output[0]"].values, (3 * x).astype(np.float32))


def test_a_stock_reference_is_computed_without_the_preload_files(workers: Executor) -> None:
    """It goes to the worker that has loaded none, where nothing is replaced."""
    pids = workers.worker_pids
    own = case(WRONG, "torch.relu")
    (result,) = workers.run(own, [stand.example(own)])
    assert "reference" in pids
    np.testing.assert_array_equal(result.reference.values["output[0]"], np.maximum(result.reference.inputs["x"], 0))


@pytest.mark.parametrize(
    ("reference", "problems"),
    [
        ("mine.twice", []),
        ("torch.relu", []),
        ("mine.thrice", ["mine has no 'thrice'; did you mean mine.twice?"]),
        ("torch.rellu", ["torch has no 'rellu'; did you mean torch.relu?"]),
    ],
)
def test_a_reference_that_cannot_be_called_says_why(workers: Executor, reference: str, problems: list[str]) -> None:
    """It is looked up as the call is, with and without the preload files."""
    assert workers.check(case(WRONG, reference)) == problems


def test_a_reference_takes_the_arguments_of_the_call(workers: Executor) -> None:
    """One that takes fewer is a mistake of the suite."""
    two = stand.case("mine.twice_of_two", stand.tensor("x", "C"), stand.tensor("y", "C"), reference="mine.twice")
    assert workers.check(two) == ["mine.twice takes 1 arguments; the case passes 2 by position"]
