"""Kernels that are wrong on purpose: each is found, in an example as small as the fault allows; PyTorch's own pass."""

from __future__ import annotations

import ast
import json
import re
import sys

import pytest

from harness.core import Example
from harness.failure_scripts import failure_subject
from harness.oracles import NO_PATTERN
from harness.reporting import STOCK, write_script
from harness.script_runner import ScriptRunner
from harness.script_runs import FreshMemory, ScriptRun
from harness.suites import load_suite
from harness.trial import Failure, VariedAspect
from tests.faults.conftest import PLANTED, PYTHON, ROOT, Trials
from tests.faults.expected import FAULTS, IMAGE
from tests.faults.explanations import GOES_AWAY, UNDECIDED, WHERE

DEATHS = ("segfault", "endless")
FICKLE = ("every_tenth_call", "spoiled_by_an_earlier_call")

each = pytest.mark.parametrize("name", FAULTS)


@pytest.fixture
def trials(name: str, request: pytest.FixtureRequest) -> Trials:
    """Where this fault is looked for; skips where the machine lacks the level it needs."""
    found: Trials = request.getfixturevalue("deadly" if name in DEATHS else "planted")
    if missing := set(FAULTS[name].cells).difference(found.levels):
        pytest.skip(f"this machine has no {', '.join(missing)}")
    return found


@pytest.fixture
def failure(name: str, trials: Trials) -> Failure:
    """The failure in which the fault was found."""
    fault = FAULTS[name]
    failures = {failure.finding.key: failure for failure in trials.outcome(fault.item).failures}
    assert fault.key in failures, f"{name} was not found; found were {list(failures)}"
    return failures[fault.key]


def test_every_planted_kernel_is_expected() -> None:
    """The table above names each kernel of the preloaded files, and nothing else."""
    parsed = [node for file in PLANTED for node in ast.parse(file.read_text("utf-8")).body]
    functions = [node for node in parsed if isinstance(node, ast.FunctionDef)]
    assert {function.name for function in functions if function.decorator_list} == set(FAULTS)


FAMILIES = {
    "convolution": ("convolution", ""),
    "pooling": ("pooling", ""),
    "unpooling and samples": ("pooling", "max_unpool|fractional"),
    "activation": ("activation", ""),
    "normalization": ("normalization", ""),
    "resampling": ("resampling", ""),
    "rearrangement": ("rearrangement", ""),
    "padding": ("padding", ""),
    "unary": ("unary", ""),
    "two and three operands": ("binary", ""),
    "reductions": ("reduction", ""),
    "losses": ("loss", ""),
    "copies": ("copies", ""),
    "linear algebra": ("linear_algebra", ""),
    "modules": ("modules", ""),
}
"""The suite of each family, and what the names of its cases begin with; torchvision's is in test_regions.py."""


@pytest.mark.parametrize("family", FAMILIES)
def test_each_family_has_a_fault_of_value_and_one_of_stride_or_gradient(family: str) -> None:
    """What the gate can miss in one family of operators it would find in another: so each has both."""
    suite, prefix = FAMILIES[family]
    cases = {case.name for case in load_suite(ROOT / "suites" / "operators" / f"{suite}.yaml", ROOT).cases}
    findings = {
        fault.key
        for fault in FAULTS.values()
        if (name := fault.item.partition("[")[0]) in cases and re.match(prefix, name)
    }
    moved = {(oracle, tensor) for oracle, tensor in findings if oracle == "strides" or tensor.startswith("grad:")}
    assert moved
    assert any(oracle == "values" for oracle, _ in findings - moved)


@each
def test_the_fault_is_found_for_what_it_is(name: str, failure: Failure, trials: Trials) -> None:
    """The kind says which comparison shows it; it shows in the cells where it is, and again in a fresh worker."""
    fault = FAULTS[name]
    assert failure.finding.kind == fault.finding[2]
    assert set(failure.finding.cells) <= set(fault.cells or trials.levels)
    if name not in FICKLE:
        assert set(failure.finding.cells) == set(fault.cells or trials.levels)
        assert failure.confirmed == "again in a fresh worker"


@each
def test_the_example_is_as_small_as_the_fault_allows(name: str, failure: Failure) -> None:
    """No size, layout, optional tensor, thread or fill is there that the fault does not need."""
    fault, example = FAULTS[name], failure.example
    assert dict(example.sizes) == fault.sizes
    assert {tensor: layout for tensor, layout in example.layouts.items() if layout != "contiguous"} == fault.layouts
    assert fault.present == tuple(tensor for tensor in ("bias",) if tensor in example.layouts)
    assert (example.fill, example.threads, example.inplace) == (fault.fill, fault.threads, fault.inplace)
    assert example.path == fault.path


@each
def test_where_it_is_wrong_is_told_in_a_sentence(name: str, failure: Failure) -> None:
    """The place, and what all elements there hold, as they show in an example large enough."""
    place, _, sizes = failure.pattern.sentence.partition(" (with ")
    assert place == WHERE[name]
    assert not sizes or sizes.startswith(tuple(f"{size} = " for size in failure.example.sizes))
    assert bool(failure.pattern.kinds) == (WHERE[name] not in ("", NO_PATTERN))
    assert bool(failure.elements) == (WHERE[name] != "")


@each
def test_what_makes_it_go_away_is_told(name: str, failure: Failure, trials: Trials) -> None:
    """Formats, views, threads and levels that the kernel asks for, no others, and PyTorch's own kernel."""
    fault = FAULTS[name]
    goes_away = {aspect: set[str]() for aspect in VariedAspect}
    for variation in failure.diagnosis.goes_away:
        goes_away[variation.aspect].add(variation.words)
    assert goes_away.pop(VariedAspect.PRELOAD) == {"no preload files"}
    assert goes_away.pop(VariedAspect.LEVEL) == (set(trials.levels) - set(fault.cells or trials.levels))
    goes_away.pop(VariedAspect.DTYPE)  # several faults are planted in the float32 kernel of the same operator
    assert set().union(*goes_away.values()) == set(GOES_AWAY.get(name, ()))
    undecided = tuple(each.variation.words for each in failure.diagnosis.undecided)
    assert name in FICKLE or undecided == UNDECIDED.get(name, ())
    assert any(each.words == "unpoisoned memory" for each in failure.diagnosis.stays)


@each
def test_the_original_kernel_passes(name: str, failure: Failure, stock: Trials) -> None:
    """Without the planted kernel the small example passes, and no other of the item fails in this way."""
    fault = FAULTS[name]
    judged_results = stock.judged_results(fault.item, failure.example)
    assert not judged_results[0].failures
    assert not [judged.example for judged in judged_results if judged.failure(fault.key)]


@pytest.mark.parametrize("name", ["every_tenth_call"])
def test_a_fault_that_comes_and_goes_is_said_to(failure: Failure) -> None:
    """It is looked for many times over, and said not to show at every call."""
    assert failure.confirmed.startswith("in a fresh worker, not at every call")


@pytest.mark.parametrize("name", ["spoiled_by_an_earlier_call"])
def test_the_call_that_spoiled_later_ones_is_named(failure: Failure) -> None:
    """The earlier example is in the report, as small as it may be."""
    text = failure.confirmed.removeprefix("only after ").removesuffix(" in the same worker")
    assert Example.from_json(json.loads(text)).sizes == IMAGE | {"N": 3}


@pytest.fixture(scope="module")
def script_runs(request: pytest.FixtureRequest) -> dict[str, tuple[ScriptRun, ScriptRun]]:
    """How the script of each fault that is asked about ends with the planted kernels, and with PyTorch's own."""
    texts: dict[str, str] = {}
    names = {item.callspec.params.get("name") for item in request.session.items if hasattr(item, "callspec")}
    for name, fault in FAULTS.items():
        if name not in names:
            continue
        trials: Trials = request.getfixturevalue("deadly" if name in DEATHS else "planted")
        failures = {failure.finding.key: failure for failure in trials.outcome(fault.item).failures}
        if fault.key in failures:
            levels = {cell.name: cell.level for cell in trials.gate.executor.cells}
            subject = failure_subject(trials.case(fault.item), failures[fault.key], levels, tuple(PLANTED))
            texts[name] = write_script(subject, poison=False)
    with ScriptRunner(PYTHON or sys.executable) as runner:
        return {
            name: (
                runner.run(text, FreshMemory.FILLED),
                runner.run(text, FreshMemory.FILLED, arguments=[STOCK]),
            )
            for name, text in texts.items()
        }


@each
def test_the_script_shows_the_fault(
    name: str, failure: Failure, script_runs: dict[str, tuple[ScriptRun, ScriptRun]]
) -> None:
    """Outside the harness it exits with 1 where the kernel is planted, and with 0 where it is PyTorch's own."""
    del failure  # it was found, or the level that it needs is not there
    planted, stock = script_runs[name]
    assert planted.shows_fault, planted.output
    assert (stock.code, stock.shows_fault) == (0, False), stock.output
