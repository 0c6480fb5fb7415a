"""Single modules on the reference's own input: what comes of it, and what does where the reference's worker is lost."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Self

import pytest

from harness.core import Expression, Size
from harness.execution import Executor
from harness.execution.host import probe_host
from harness.models import ModelExecutor, ModelOutcome, ModelTrial
from harness.models.examples import model_examples
from harness.models.isolation import IsolatedModule, ModuleIsolation, NotIsolated
from harness.models.model import InputSpec, Model
from tests.execution import stand

HEIGHT = Size("H", "choice", (8, 6, 9, 7))
SHAPE = tuple(Expression.parse(size) for size in ("2", "3", "H", "8"))
INPUT = InputSpec("x", SHAPE, channels_last=True)
MODEL = Model("stand.yaml::wrong", "wrong", "stand.yaml", 1, "wrong_model.make", (HEIGHT,), (INPUT,), steps=("eval",))
IMAGES = {"nchw": [("nchw", "float32")], "both": [("nhwc", "float32")]}


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    """An AVX2 cell, with a preload file that makes the model."""
    if "avx2" not in probe_host(None).flags:
        pytest.skip("needs an x86-64 CPU with AVX2")
    with Executor([stand.AVX2], preload=[Path(__file__).with_name("wrong_model.py")], limit=20.0) as opened:
        yield opened


@pytest.fixture(scope="module")
def models(executor: Executor) -> ModelExecutor:
    """Runs the model in that cell; the reference has run the preload file too, for there is no model without it."""
    model_executor = ModelExecutor(executor)
    assert model_executor.check(MODEL) == ("", "")
    return model_executor


def kill_reference(executor: Executor) -> None:
    """End the worker in which the model's reference runs, from outside."""
    os.kill(executor.worker_pids["reference-preloaded"], signal.SIGKILL)


def isolation(models: ModelExecutor, seed: int) -> ModuleIsolation:
    """The isolation of an example of the model."""
    (example,) = model_examples(MODEL, MODEL.ways[0], seed, 1)
    return ModuleIsolation(models, MODEL, example)


def run_trial(models: ModelExecutor) -> ModelOutcome:
    """A trial of two examples."""
    return ModelTrial(MODEL, MODEL.ways[0], models, (), seed=1, draws=2).run()


def test_a_module_runs_by_itself_on_the_reference_s_input(models: ModelExecutor) -> None:
    """The layer that is wrong in the whole model is so by itself, and what it called is noted."""
    with isolation(models, seed=1) as modules:
        assert [call.path for call in modules.calls] == ["0", "1", ""]
        module = modules.isolate(modules.calls[1], "avx2", ["both"], IMAGES)
    assert isinstance(module, IsolatedModule)
    unconverted, converted = (observation.tensors["output[0]"].values for observation in module.observations)
    assert (unconverted[..., :-1] == converted[..., :-1]).all()
    assert (unconverted[..., -1] != converted[..., -1]).all()
    assert any(call.function.endswith("mul") for call in module.calls)


def test_a_reference_worker_that_is_lost_is_an_incident(executor: Executor, models: ModelExecutor) -> None:
    """Its death is noted, and that no module can be isolated, once; the calls that it kept are asked for no more."""
    before = len(executor.incidents)
    with isolation(models, seed=2) as modules:
        kill_reference(executor)
        outcomes = [modules.isolate(call, "avx2", ["both"], IMAGES) for call in modules.calls[:2]]
    reason = "the reference's worker no longer has the module calls (died: killed by SIGKILL)"
    assert outcomes == [NotIsolated(reason)] * 2
    death, consequence = executor.incidents[before:]
    assert death.startswith("worker reference-preloaded died (killed by SIGKILL) on model-feed of ")
    assert consequence.startswith('modules of {"model": "stand.yaml::wrong"')
    assert consequence.endswith(f"cannot be run by themselves: {reason}")
    with isolation(models, seed=2) as modules:
        assert isinstance(modules.isolate(modules.calls[0], "avx2", ["both"], IMAGES), IsolatedModule)


def test_a_reference_worker_that_was_replaced_has_no_calls(executor: Executor, models: ModelExecutor) -> None:
    """Whoever finds the worker dead, the one that takes its place says that the calls are not there."""
    before = len(executor.incidents)
    with isolation(models, seed=3) as modules:
        kill_reference(executor)
        assert "ended the worker" in executor.check(stand.case("wrong_model.nothing"))[0]
        outcome = modules.isolate(modules.calls[0], "avx2", ["both"], IMAGES)
    assert isinstance(outcome, NotIsolated)
    assert outcome.reason.startswith("the reference's worker no longer has the module calls (")
    death, consequence = executor.incidents[before:]
    assert death.startswith("worker reference-preloaded died (killed by SIGKILL) on wrong_model.nothing")
    assert consequence.endswith(outcome.reason)


def test_a_trial_goes_on_without_its_reference_worker(
    executor: Executor, models: ModelExecutor, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The failures are the same but for the module to blame, and the incidents are in the outcome."""

    class Killed(ModuleIsolation):
        def __enter__(self) -> Self:
            entered = super().__enter__()
            kill_reference(executor)
            return entered

    whole = run_trial(models)
    assert [[module.path for module in failure.faulty_modules] for failure in whole.failures] == [["1"], ["1"]]
    assert whole.incidents == []
    monkeypatch.setattr("harness.models.localise.ModuleIsolation", Killed)
    outcome = run_trial(models)
    assert outcome.examples == 2
    assert [failure.faulty_modules for failure in outcome.failures] == [(), ()]
    assert all(failure.not_localised.startswith("the reference's worker no longer") for failure in outcome.failures)
    assert [failure.findings for failure in outcome.failures] == [failure.findings for failure in whole.failures]
    assert sum("cannot be run by themselves" in incident for incident in outcome.incidents) == 2
