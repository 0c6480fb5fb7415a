"""A run of a model that ends its worker: the other runs of the same request are not taken for crashes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import Expression
from harness.execution import Executor
from harness.execution.host import probe_host
from harness.models import Answer, InputSpec, Model, ModelExecutor, ModelTrial, answer_of
from harness.models.model import BASELINE
from tests.execution import stand

SHAPE = tuple(Expression.parse(size) for size in ("2", "3", "6", "8"))
INPUT = InputSpec("x", SHAPE, channels_last=True)
MODEL = Model("stand.yaml::lost", "lost", "stand.yaml", 1, "wrong_model.make_crashing", (), (INPUT,), steps=("eval",))

BACKWARD = replace(MODEL, id="stand.yaml::back", factory="wrong_model.make_crashing_backward", steps=("train",))


@pytest.fixture(scope="module")
def models() -> Iterator[ModelExecutor]:
    """Runs the model in an AVX2 cell, in a worker that knows it."""
    if "avx2" not in probe_host(None).flags:
        pytest.skip("needs an x86-64 CPU with AVX2")
    with Executor([stand.AVX2], preload=[Path(__file__).with_name("wrong_model.py")], limit=20.0) as executor:
        model_executor = ModelExecutor(executor)
        assert model_executor.check(MODEL) == model_executor.check(BACKWARD) == ("", "")
        yield model_executor


def test_a_crash_in_nchw_alone_is_no_answer_to_the_question(models: ModelExecutor) -> None:
    """It is a finding about the unconverted run; the converted ones are judged, and channels-last can be turned on."""
    outcome = ModelTrial(MODEL, MODEL.ways[0], models, (), seed=1, draws=1).run()
    (finding,) = outcome.findings
    assert (finding.oracle, finding.layouts) == ("crash", (BASELINE,))
    assert outcome.examples == 1
    assert answer_of([outcome]) is Answer.YES


def test_a_module_whose_gradient_ends_the_process_is_blamed_with_what_its_forward_calls(models: ModelExecutor) -> None:
    """By these an operator is looked up whose gradient is known to crash."""
    outcome = ModelTrial(BACKWARD, BACKWARD.ways[0], models, (), seed=1, draws=1).run()
    assert answer_of([outcome]) is Answer.WRONG
    (module,) = outcome.failures[0].faulty_modules
    assert module.path == "1"
    assert module.message.startswith("the worker died: killed by SIGSEGV")
    assert any(call.startswith("torch.relu(") for call in module.calls)
