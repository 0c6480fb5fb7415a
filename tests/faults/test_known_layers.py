"""A model with a layer whose operator is known to be wrong: that explains the finding, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from packaging.version import Version

from harness.core import CellState, Expression
from harness.gate import Gate
from harness.models import (
    InputAnswer,
    InputSpec,
    Model,
    ModelOutcome,
    OperatorReplay,
    WayToRun,
    model_answer,
    model_text,
)
from harness.models.model import Step
from harness.settings import settings
from tests.faults.conftest import PYTHON, ROOT

HERE = Path(__file__).parent
SHAPE = (2, 3, 12, 9)


def opened(levels: list[str], *preload: str) -> Gate:
    """A gate at the highest of the levels with these files."""
    chosen = {
        "profile": "gate",
        "levels": levels[-1],
        "python": PYTHON,
        "preload": [str(HERE / name) for name in preload],
    }
    return Gate(settings(ROOT, chosen))


@pytest.fixture(scope="module")
def gate(levels: list[str]) -> Iterator[Gate]:
    """A gate that knows the models of `known_layers.py`, on PyTorch's own kernels."""
    with opened(levels, "known_layers.py") as gate:
        yield gate


def outcome_of(gate: Gate, name: str, step: Step = "eval") -> ModelOutcome:
    """One trial of a model of `known_layers.py`."""
    inputs = (InputSpec("x", tuple(Expression.parse(str(size)) for size in SHAPE)),)
    model = Model(f"here::{name}", name, "here", 1, f"known_layers.{name}", (), inputs)
    return gate.try_model(model, WayToRun(step, "eager", "float32"))


@pytest.mark.parametrize("step", ["eval", "train"])
def test_wrong_values_of_a_known_operator_are_counted_under_its_known_issue(gate: Gate, step: Step) -> None:
    """All that comes after the layer is wrong too, and the module is named with the example that shows it alone."""
    outcome = outcome_of(gate, "one_column", step)
    assert outcome.status == "known issue", outcome
    assert set(outcome.known_issues) == {"separable-upsample-one-column"}
    assert not outcome.failures
    (module,) = outcome.explained
    assert (module.path, module.class_name) == ("3", "OneColumn")
    replay = module.replay
    assert replay is not None
    known = OperatorReplay(replay.example, CellState.KNOWN_ISSUE, ("separable-upsample-one-column",))
    assert (replay, replay.outcome) == (known, "failed")
    example = json.loads(replay.example)
    assert example["case"] == "suites/operators/resampling.yaml::bilinear_antialias"
    assert {name: example["sizes"][name] for name in ("C", "H", "W", "P", "Q")} == {
        "C": 4,
        "H": 8,
        "W": 5,
        "P": 3,
        "Q": 1,
    }


def test_a_lost_format_of_a_known_operator_is_counted_under_its_known_issue(gate: Gate) -> None:
    """The layer is told with its call, and so is the operator example."""
    outcome = outcome_of(gate, "logistic")
    assert (outcome.status, dict(outcome.known_issues)) == ("known issue", {"logsigmoid-format": 1})
    (module,) = outcome.explained
    assert (module.path, module.class_name) == ("1", "LogSigmoid")
    assert module.replay is not None
    assert json.loads(module.replay.example)["case"] == "suites/operators/activation.yaml::logsigmoid"
    image = InputAnswer(name="input", shape=tuple(SHAPE), dtype="float32", is_image=True)
    text = model_text(model_answer("known_layers:logistic", [image], [outcome]))
    assert "RIGHT but for what is known: logsigmoid-format" in text
    assert "known of its operator (logsigmoid-format) at " in text
    assert f"equivalence replay '{module.replay.example}'" in text


def test_what_no_known_issue_knows_remains_a_failure(gate: Gate) -> None:
    """Of two layers that lose the format one is known, and the other is told and fails."""
    outcome = outcome_of(gate, "both")
    assert (outcome.status, dict(outcome.known_issues)) == ("failed", {"logsigmoid-format": 1})
    (failure,) = outcome.failures
    assert [finding.tensor for finding in failure.findings] == ["module:3"]
    assert [module.path for module in failure.faulty_modules] == ["3"]
    assert [module.path for module in outcome.explained] == ["1"]


def test_what_a_model_selects_is_judged(gate: Gate, levels: list[str]) -> None:
    """The largest numbers and where they are pass; behind a wrong convolution both are wrong."""
    assert outcome_of(gate, "Chooser").status == "passed"
    with opened(levels, "known_layers.py", "wrong_layers.py") as wrong:
        if Version(wrong.executor.build.torch) < Version("2.9"):
            pytest.skip("the planted kernels need torch.library.get_kernel")
        outcome = outcome_of(wrong, "Chooser")
    (failure,) = outcome.failures
    assert {"output['scores']", "output['places']"} <= {finding.tensor for finding in failure.findings}
    assert failure.faulty_modules[0].path == "second"
