"""A model with one wrong layer: the layer is named, and so is the operator example that shows it alone."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.version import Version

from harness.core import CellState, Example, Finding
from harness.failure_scripts import failure_subject
from harness.gate import Gate
from harness.models import FaultyModule, Model, ModelOutcome
from harness.profiles import PROFILES
from harness.reporting import STOCK, write_script
from harness.script_runner import ScriptRunner
from harness.script_runs import FreshMemory
from harness.settings import settings
from harness.trial import Failure, Trial, VariedAspect
from tests.faults.conftest import PYTHON, ROOT
from tests.plugin.project import Project

HERE = Path(__file__).parent
OpenModels = tuple[Gate, dict[str, Model]]


@pytest.fixture(scope="module")
def models(levels: list[str]) -> Iterator[OpenModels]:
    """A gate at the highest of the levels, with the planted kernels, and the models by name."""
    chosen = settings(ROOT, {"profile": "gate", "levels": levels[-1], "python": PYTHON,
                             "preload": [str(HERE / "wrong_layers.py")]})  # fmt: skip
    with Gate(chosen) as gate:
        if Version(gate.executor.build.torch) < Version("2.9"):
            pytest.skip("the planted kernels need torch.library.get_kernel")
        (declared,) = gate.project.models([HERE / "models.yaml"]).values()
        yield gate, {model.name: model for model in declared}


def outcome_of(models: OpenModels, name: str, way: int = 0) -> ModelOutcome:
    """One trial of a model in one way to run it."""
    gate, by_name = models
    return gate.try_model(by_name[name], by_name[name].ways[way])


def worst_of(outcome: ModelOutcome) -> tuple[FaultyModule, Finding]:
    """The first faulty module, and the worst finding."""
    (failure,) = outcome.failures
    return failure.faulty_modules[0], failure.findings[0]


def test_a_convolution_in_the_middle_is_named(models: OpenModels) -> None:
    """All that comes after the fourteenth convolution is wrong too, and it is the one that is named."""
    outcome = outcome_of(models, "fourteenth_convolution")
    assert outcome.status == "failed"
    module, finding = worst_of(outcome)
    assert (finding.kind, finding.oracle) == ("layout", "values")
    assert (module.path, module.class_name) == ("39", "Conv2d")
    assert "[2, 16, 8, 8] NHWC strides [1024, 1, 128, 16]" in module.calls[0]
    assert module.replay is not None
    example = json.loads(module.replay.example)
    assert example["case"] == "suites/operators/convolution.yaml::conv2d"
    assert (example["sizes"]["Cg"], example["sizes"]["Kg"], example["sizes"]["H"]) == (16, 17, 8)
    assert module.replay.verdict is CellState.FAILED


def test_the_operator_example_of_a_finding_fails_when_it_is_replayed(models: OpenModels) -> None:
    """`equivalence replay` takes it as it is printed, and fails in the same way at the same level."""
    module, _finding = worst_of(outcome_of(models, "fourteenth_convolution"))
    assert module.replay is not None
    options = ("--preload", str(HERE / "wrong_layers.py"), "--levels", module.cell)
    run = Project(ROOT).command("replay", *options, module.replay.example)
    assert run.code == 1, run.output
    assert run.output.startswith("FAILED: ")
    assert "output[0] differs from the float64 reference" in run.output


def test_a_batch_norm_that_is_wrong_backward_is_named(models: OpenModels) -> None:
    """Nothing is wrong forward, and of the gradients that of one weight."""
    outcome = outcome_of(models, "batch_norm_backward")
    module, finding = worst_of(outcome)
    assert (finding.oracle, finding.tensor) == ("values", "grad:16.weight")
    assert (module.path, module.class_name) == ("16", "BatchNorm2d")
    assert "torch.nn.functional.batch_norm(" in module.calls[0]


def test_an_activation_that_loses_the_format_is_named(models: OpenModels) -> None:
    """It is a finding of its own though every value is right, and the layout report has the row."""
    outcome = outcome_of(models, "lost_format")
    module, finding = worst_of(outcome)
    assert (finding.oracle, finding.tensor) == ("strides", "module:14")
    assert finding.message == "14 (ReLU): torch.nn.functional.relu got NHWC and gave NCHW"
    assert (module.path, module.class_name) == ("14", "ReLU")
    assert module.replay is not None
    assert module.replay.verdict is CellState.FAILED
    (row,) = [row for row in outcome.layout if row.module == "14"]
    assert (row.formats_in, row.formats_out) == ("nhwc", "nchw")


@pytest.mark.parametrize("way", [0, 1])
def test_models_without_such_a_layer_pass(models: OpenModels, way: int) -> None:
    """The same kernels are right for all other shapes, in evaluation and in a training step."""
    outcome = outcome_of(models, "first_layers", way)
    assert outcome.status == "passed"
    assert not outcome.failures


@dataclass(frozen=True)
class LayerFault:
    """What the operator example of a wrong layer must be found as: its finding, the sizes the kernel asks for, where.

    `goes_away` is what makes it go away beside the preload file, which is for all.
    """

    key: tuple[str, str]
    sizes: dict[str, int]
    where: str
    goes_away: frozenset[str] = frozenset({"input in contiguous"})


LAYER_FAULTS = {
    "fourteenth_convolution": LayerFault(
        ("values", "output[0]"), {"Cg": 16, "Kg": 17}, "all in the last column (W = 13): each too large by 1"
    ),
    "batch_norm_backward": LayerFault(
        ("values", "grad:weight"),
        {"C": 29},
        "all in the last index of dim 0 (dim 0 = 29), after the last full block of 4",
    ),
    "lost_format": LayerFault(("strides", "output[0]"), {"C": 44}, ""),
}


@pytest.fixture(scope="module")
def layer_failures(models: OpenModels) -> dict[str, Failure]:
    """The failure of the operator item that each wrong layer's example is of, by the name of its model."""
    gate, _ = models
    failures: dict[str, Failure] = {}
    for name, fault in LAYER_FAULTS.items():
        module, _finding = worst_of(outcome_of(models, name))
        assert module.replay is not None
        example = Example.from_json(json.loads(module.replay.example))
        case = gate.project.every_case()[example.case]
        known_issues = gate.known_issues_of(case, example.dtype)
        profile = PROFILES["replay"]
        outcome = Trial(case, example.dtype, gate.executor, known_issues, profile, seed=1, saved=[example]).run()
        failures[name] = next(failure for failure in outcome.failures if failure.finding.key == fault.key)
    return failures


@pytest.mark.parametrize("name", LAYER_FAULTS)
def test_the_operator_of_a_wrong_layer_fails_as_what_is_planted(layer_failures: dict[str, Failure], name: str) -> None:
    """The sizes by which the kernel knows its layer stay, the sentence of where is right, and what makes it go away."""
    fault, failure = LAYER_FAULTS[name], layer_failures[name]
    assert failure.finding.kind == "layout"
    assert {size: failure.example.sizes[size] for size in fault.sizes} == fault.sizes
    assert failure.pattern.sentence.partition(" (with ")[0] == fault.where
    goes_away = {each.words for each in failure.diagnosis.goes_away if each.aspect is not VariedAspect.DTYPE}
    assert goes_away == fault.goes_away | {"no preload files"}


def test_the_scripts_of_wrong_layers_show_them(models: OpenModels, layer_failures: dict[str, Failure]) -> None:
    """Outside the harness each exits with 1 where the kernels are planted, and with 0 where they are PyTorch's own."""
    gate, _ = models
    levels = {cell.name: cell.level for cell in gate.executor.cells}
    cases, preload = gate.project.every_case(), (HERE / "wrong_layers.py",)
    texts = {
        name: write_script(failure_subject(cases[failure.example.case], failure, levels, preload), poison=False)
        for name, failure in layer_failures.items()
    }
    with ScriptRunner(PYTHON or sys.executable) as runner:
        planted = {name: runner.run(text, FreshMemory.FILLED) for name, text in texts.items()}
        stock = {name: runner.run(text, FreshMemory.FILLED, arguments=[STOCK]) for name, text in texts.items()}
    assert {name: run.shows_fault for name, run in planted.items()} == dict.fromkeys(LAYER_FAULTS, True)
    assert {name: (run.code, run.shows_fault) for name, run in stock.items()} == dict.fromkeys(LAYER_FAULTS, (0, False))
