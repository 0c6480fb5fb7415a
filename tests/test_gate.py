"""The gate without workers: what it remembers of failures, its clock, and the known issues of an item."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.core import Example, Expression, KnownFault, KnownIssue, Severity
from harness.errors import UserError
from harness.execution import Build, Executor
from harness.gate import Gate
from harness.settings import settings
from harness.trial import Outcome, Trial
from tests.trial.toy import CASE, ToyExecutor

BUILD = Build("2.9.0", "3.9", "some CPU", "3.11.7", "2.1", "Linux-x86_64", ("avx2",))


@pytest.fixture
def gate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Gate:
    """A gate whose executor is entered without starting anything."""
    monkeypatch.setattr(Executor, "__enter__", lambda self: self)
    return Gate(settings(tmp_path, {"examples": "10", "profile": "quick", "budget": "100"}))


def with_toy(gate: Gate, wrong: Any) -> Gate:
    """The same gate over the toy."""
    toy: Any = ToyExecutor(wrong)
    toy.build = BUILD
    gate.executor = toy
    return gate


def test_torch_missing_in_this_process(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run in this process where torch is not installed is a mistake with one message."""

    def enter(_: Executor) -> None:
        raise ModuleNotFoundError("No module named 'torch'", name="torch")

    monkeypatch.setattr(Executor, "__enter__", enter)
    with pytest.raises(UserError, match="has no torch; a run in this process needs torch"), gate:
        pass


def test_a_failure_is_remembered_until_it_passes(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run begins with it; once it passes, it is forgotten; a run that was cut short forgets nothing."""

    def wrong(example: Example, cell: str, layout: str) -> str:
        return "value" if example.sizes["W"] > 2 and layout == "drawn" and cell else ""

    def right(example: Example, cell: str, layout: str) -> str:
        del example, cell, layout
        return ""

    assert with_toy(gate, wrong).try_case(CASE, "float32").status == "failed"
    again = with_toy(gate, wrong).try_case(CASE, "float32")
    assert again.examples["saved"] == 1
    with monkeypatch.context() as patch:
        patch.setattr(Trial, "run", lambda trial: Outcome(trial.case.id, trial.dtype, complete=False))
        assert with_toy(gate, right).try_case(CASE, "float32").status == "not run"
    assert with_toy(gate, right).try_case(CASE, "float32").examples["saved"] == 1
    assert with_toy(gate, right).try_case(CASE, "float32").examples["saved"] == 0


def test_an_item_gets_its_share_of_the_time_that_is_left(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """The budget begins with the workers; what one item does not use is there for the rest."""
    now = [1000.0]
    deadlines: list[float | None] = []

    def run(trial: Trial) -> Outcome:
        deadlines.append(trial.deadline)
        return Outcome(trial.case.id, trial.dtype)

    monkeypatch.setattr(Trial, "run", run)
    monkeypatch.setattr("harness.gate.time.monotonic", lambda: now[0])
    with gate:
        idle = gate.executor
        for now[0], share in ((1000.0, 0.25), (1060.0, 0.5), (1200.0, 0.5)):
            with_toy(gate, None).try_case(CASE, "float32", share)
        gate.executor = idle
    assert deadlines == [1025.0, 1080.0, 1200.0]


def test_known_issues_for_the_build_under_test(gate: Gate) -> None:
    """The known issues of an item are those of its case and dtype, for this PyTorch."""
    reproducer = Example(CASE.id, "float32", {}, {})
    when = Expression.parse("W > 1")
    entry = KnownIssue(
        id="a",
        cases=(CASE.id,),
        dtypes=("float32",),
        tensors=("*",),
        oracle="crash",
        cells=("low",),
        when=when,
        reason="",
        link="",
        reproducer=reproducer,
        torch=">=2.9",
    )
    places = (entry, replace(entry, id="b", torch="<2.9"))
    fault = KnownFault("a", "", Severity.CRASH, "", "", places)
    shipped = gate.project.known_issues
    gate.project.known_issues = replace(shipped, files=(replace(shipped.files[0], faults=(fault,)),))
    assert [issue.id for issue in with_toy(gate, None).known_issues_of(CASE, "float32")] == ["a"]
    assert list(gate.known_issues_of(CASE, "float16")) == []
