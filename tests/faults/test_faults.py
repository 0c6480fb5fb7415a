"""Kernels that are wrong on purpose: each is found, in an example as small as the fault allows; PyTorch's own pass."""

from __future__ import annotations

import ast
import json
import re
import sys
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.core import Example
from harness.failure_scripts import failure_subject
from harness.oracles import NO_PATTERN
from harness.reporting import STOCK, write_script
from harness.script_runs import ScriptRun, run_scripts
from harness.suites import load_suite
from harness.trial import Failure, VariedAspect
from tests.faults.conftest import PLANTED, PYTHON, ROOT, Trials
from tests.faults.explanations import GOES_AWAY, UNDECIDED, WHERE

NHWC = {"input": "channels_last"}
IMAGE = {"N": 1, "C": 1, "H": 1, "W": 1}
VOLUME = {"D": 1, "N": 1, "H": 1, "W": 1}
POOL = {"kernel": (1, 1), "stride": (1, 1), "pad_h": 0, "pad_w": 0, "count_include_pad": True, "divisor": None}
POOL3D = POOL | {"kernel": (1, 1, 1), "stride": (1, 1, 1), "pad_d": 0}
UNPOOL = {"kernel": (1, 1), "stride": (1, 1), "pad_h": 0, "pad_w": 0, "extra_h": 0, "extra_w": 0}
PAD = {"before": (0, 0), "after": (0, 0)}
CONV = {"kernel": (1, 1), "stride": (1, 1), "dilation": (1, 1), "padding": (0, 0)}


@dataclass(frozen=True)
class Fault:
    """What finds a planted kernel, and the least example of it: `sizes` in full, `layouts` those not contiguous.

    `cells` empty: every level. `present` names the optional tensors that the fault needs.
    """

    item: str
    finding: tuple[str, str, str]
    sizes: dict[str, Any]
    layouts: dict[str, str] = field(default_factory=dict)
    cells: tuple[str, ...] = ()
    present: tuple[str, ...] = ()
    fill: str = "integers"
    threads: int = 1
    inplace: bool = False
    path: str = "plain"

    @property
    def key(self) -> tuple[str, str]:
        """Oracle and tensor."""
        return self.finding[:2]


OUTPUT = ("values", "output[0]")

FAULTS = {
    "tail_of_8_channels": Fault("relu[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "tail_of_16_channels": Fault("silu[bfloat16]", (*OUTPUT, "layout"), IMAGE | {"C": 17, "W": 2}, NHWC),
    "one_channel": Fault("relu_3d[float64]", (*OUTPUT, "layout"), IMAGE | {"D": 1, "W": 2}, NHWC),
    "one_column": Fault("avg_pool2d[float32]", (*OUTPUT, "universal"), IMAGE | POOL | {"ceil_mode": False, "H": 2}),
    "third_sample": Fault("adaptive_avg_pool2d[float32]", (*OUTPUT, "universal"), IMAGE | {"N": 3, "out": (1, 2)}),
    "both_formats": Fault("softshrink[float32]", (*OUTPUT, "universal"), IMAGE | {"H": 3, "lambd": 0.5}),
    "last_channel_of_a_shuffle": Fault(
        "pixel_shuffle[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "r": 1, "W": 2}, NHWC
    ),
    "padded_on_the_right": Fault(
        "pad_reflect[float32]", (*OUTPUT, "layout"), IMAGE | PAD | {"C": 2, "after": (0, 1), "W": 2}, NHWC
    ),
    "gradient_of_a_border": Fault(
        "pad_replicate[float64]", ("values", "grad:input", "universal"), IMAGE | PAD | {"after": (1, 0)}
    ),
    "format_lost_by_a_flip": Fault(
        "flip[float64]", ("strides", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2, "dims": (3,)}, NHWC
    ),
    "dilated": Fault(
        "conv2d_depthwise[float64]",
        (*OUTPUT, "universal"),
        IMAGE | CONV | {"C": 2, "multiplier": 1, "kernel": (1, 2), "dilation": (1, 2), "W": 3},
    ),
    "grouped": Fault(
        "conv2d[float32]",
        (*OUTPUT, "layout"),
        CONV | {"N": 1, "groups": 2, "Cg": 1, "Kg": 1, "H": 1, "W": 2},
        NHWC,
    ),
    "ceil_mode_only": Fault("avg_pool2d[float64]", (*OUTPUT, "universal"), IMAGE | POOL | {"ceil_mode": True, "W": 2}),
    "one_isa_level": Fault("sigmoid[float32]", (*OUTPUT, "isa"), IMAGE, cells=("avx2",)),
    "two_threads": Fault("sigmoid[float64]", (*OUTPUT, "universal"), IMAGE | {"N": 2}, threads=2),
    "in_place_only": Fault("silu[float64]", (*OUTPUT, "universal"), IMAGE | {"W": 2}, inplace=True),
    "strided_only": Fault("tanh[float64]", (*OUTPUT, "layout"), IMAGE | {"W": 2}, {"input": "channels_last:slice_c"}),
    "unaligned": Fault("mish[float64]", (*OUTPUT, "layout"), IMAGE, {"input": "contiguous:offset"}),
    "refuses_channels_last": Fault("hardtanh[float32]", ("error", "", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "nan_is_lost": Fault("hardtanh[float64]", (*OUTPUT, "universal"), IMAGE, fill="special"),
    "nan_is_lost_in_one_format": Fault(
        "silu[float16]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="special"
    ),
    "sign_of_zero_is_lost": Fault(
        "hardswish[float64]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="special"
    ),
    "wrong_index": Fault(
        "adaptive_max_pool2d_with_indices[float32]",
        ("values", "output[1]", "layout"),
        IMAGE | {"C": 2, "W": 2, "out": (1, 2)},
        NHWC,
    ),
    "accumulates_in_bfloat16": Fault(
        "adaptive_avg_pool3d[float32]", (*OUTPUT, "universal"), IMAGE | {"D": 1, "out": (1, 1, 2)}, fill="reals"
    ),
    "computed_in_float32": Fault("gelu[float64]", (*OUTPUT, "universal"), IMAGE | {"approximate": "none"}),
    "memory_nobody_wrote": Fault("hardsigmoid[float32]", (*OUTPUT, "universal"), IMAGE | {"W": 3}),
    "gradient_of_the_weight": Fault(
        "conv2d_depthwise[float64]",
        ("values", "grad:weight", "universal"),
        IMAGE | CONV | {"C": 2, "multiplier": 1, "kernel": (1, 2), "W": 2},
    ),
    "gradient_of_the_bias": Fault(
        "conv2d[float32]",
        ("values", "grad:bias", "universal"),
        CONV | {"N": 1, "groups": 1, "Cg": 1, "Kg": 2, "H": 1, "W": 1},
        present=("bias",),
    ),
    "contiguous_grad_output": Fault(
        "silu[float32]", ("values", "grad:input", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC
    ),
    "format_lost": Fault("hardswish[float32]", ("strides", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "format_of_the_gradient_lost": Fault(
        "adaptive_avg_pool2d[float64]",
        ("strides", "grad:input", "layout"),
        IMAGE | {"C": 2, "W": 2, "out": (1, 2)},
        NHWC | {"grad_output": "channels_last"},
    ),
    "second_group": Fault(
        "group_norm[float64]", (*OUTPUT, "universal"), VOLUME | {"groups": 2, "Cg": 1, "W": 2}, fill="reals"
    ),
    "gradient_of_a_scale": Fault(
        "batch_norm_training[float32]",
        ("values", "grad:weight", "layout"),
        VOLUME | {"C": 2, "W": 2, "momentum": 0.125},
        NHWC,
        fill="reals",
    ),
    "format_of_a_norm_lost": Fault(
        "group_norm[float32]",
        ("strides", "output[0]", "layout"),
        VOLUME | {"groups": 1, "Cg": 2, "W": 2},
        NHWC,
        fill="reals",
    ),
    "last_column_of_a_resampled_image": Fault(
        "bilinear[float32]",
        (*OUTPUT, "layout"),
        IMAGE | {"C": 2, "W": 2, "P": 1, "Q": 2, "align_corners": False},
        NHWC,
        fill="reals",
    ),
    "format_of_a_resampled_gradient_lost": Fault(
        "nearest[float64]",
        ("strides", "grad:input", "layout"),
        IMAGE | {"C": 2, "W": 2, "scale": (1.0, 1.0)},
        NHWC | {"grad_output": "channels_last"},
    ),
    "bytes_cut_off": Fault(
        "bilinear[uint8]",
        (*OUTPUT, "layout"),
        IMAGE | {"C": 2, "W": 2, "P": 2, "Q": 1, "align_corners": False},
        NHWC,
        fill="reals",
    ),
    "last_channel_of_a_copy": Fault("clone[uint8]", (*OUTPUT, "layout"), IMAGE | {"D": 1, "C": 2, "W": 2}, NHWC),
    "format_of_a_factory_lost": Fault(
        "full_like[int32]", ("strides", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="reals"
    ),
    "last_query": Fault(
        "scaled_dot_product_attention[float32]", (*OUTPUT, "universal"), {"N": 1, "heads": 1, "L": 4, "d": 4}
    ),
    "gradient_of_the_keys": Fault(
        "scaled_dot_product_attention[float32]",
        ("values", "grad:key", "universal"),
        {"N": 1, "heads": 1, "L": 4, "d": 4},
    ),
    "mask_for_each_image": Fault(
        "atan2[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "kept": (True, False, True)}, NHWC
    ),
    "format_of_the_first_lost": Fault(
        "maximum[float64]",
        ("strides", "output[0]", "layout"),
        IMAGE | {"C": 2, "W": 2, "kept": (True, True, True)},
        NHWC,
    ),
    "product_of_a_column": Fault(
        "addcmul[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "value": 1}, {"input": "channels_last"}
    ),
    "format_of_three_lost": Fault(
        "lerp[float64]",
        ("strides", "output[0]", "layout"),
        IMAGE | {"C": 2, "W": 2, "kept": (True, True, True)},
        NHWC,
    ),
    "last_channel_put_back": Fault(
        "max_unpool2d[float32]", (*OUTPUT, "layout"), IMAGE | UNPOOL | {"C": 2, "W": 2}, NHWC
    ),
    "gradient_of_a_last_window": Fault(
        "fractional_max_pool2d[float64]",
        ("values", "grad:input", "universal"),
        {"N": 1, "C": 1, "kernel": (1, 1), "out": (2, 1), "alpha": (1, 1), "sample": 0.25},
    ),
    "extreme_of_the_channels": Fault(
        "amax[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "over": (1,), "keepdim": True}, NHWC
    ),
    "gradient_of_the_last_class": Fault(
        "softmax[float32]",
        ("values", "grad:input", "layout"),
        IMAGE | {"C": 2, "W": 2, "dim": 1},
        {"grad_output": "channels_last"},
        fill="reals",
    ),
    "ignored_pixels_count": Fault(
        "nll_loss[float32]", (*OUTPUT, "universal"), IMAGE | {"reduction": "mean", "ignored": 1}, fill="reals"
    ),
    "behind_a_refused_backward": Fault(
        "nll_loss[float64]",
        (*OUTPUT, "layout"),
        IMAGE | {"C": 2, "W": 2, "reduction": "mean", "ignored": -100},
        NHWC,
        fill="reals",
    ),
    "mean_in_bfloat16": Fault(
        "mse_loss[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "reduction": "mean"}, NHWC, fill="reals"
    ),
    "sum_without_the_last": Fault(
        "huber_loss[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2, "reduction": "sum"}, NHWC, fill="reals"
    ),
    "gradient_without_a_mean": Fault(
        "mse_loss[float64]",
        ("values", "grad:input", "layout"),
        IMAGE | {"C": 2, "W": 2, "reduction": "none"},
        NHWC,
        fill="reals",
    ),
    "last_of_the_channels": Fault("erfinv[float32]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="reals"),
    "format_of_a_root_lost": Fault(
        "rsqrt[float64]", ("strides", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC, fill="reals"
    ),
    "second_of_a_list": Fault("cat[uint8]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, {"second": "channels_last"}),
    "given_memory": Fault(
        "cat[int16]", (*OUTPUT, "layout"), IMAGE | {"W": 2}, {"grad_output": "channels_last"}, path="out"
    ),
    "answers_where_it_must_refuse": Fault(
        "avg_pool3d[bfloat16]",
        ("error", "", "layout"),
        IMAGE | POOL3D | {"C": 2, "D": 1, "ceil_mode": False, "W": 2},
        NHWC,
    ),
    "imaginary_part": Fault(
        "where[complex64]", (*OUTPUT, "layout"), IMAGE | {"C": 2, "W": 2}, {"condition": "channels_last"}
    ),
    "index_outside": Fault("argmax[float64]", ("range", "output[0]", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "answer_in_numbers": Fault("gt[float32]", ("dtype", "output[0]", "universal"), IMAGE),
    "running_statistics": Fault(
        "running_mean[bfloat16]", ("values", "buffer:running_mean", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC
    ),
    "statistics_written_in_evaluation": Fault(
        "BatchNorm2d[float32]",
        ("values", "buffer:running_var", "layout"),
        IMAGE | {"C": 2, "H": 2, "train": False, "momentum": 0.1},
        NHWC,
        fill="reals",
    ),
    "format_of_a_volumes_gradient_lost": Fault(
        "BatchNorm3d[float64]",
        ("strides", "grad:input", "layout"),
        IMAGE | {"C": 2, "D": 1, "H": 2, "train": True, "momentum": 0.1},
        NHWC | {"grad_output": "channels_last"},
        fill="reals",
    ),
    "input_overwritten": Fault("elu[float32]", ("written", "input", "layout"), IMAGE | {"C": 2, "W": 2}, NHWC),
    "every_tenth_call": Fault("mish[float32]", ("repeat", "output[0]", "unstable"), IMAGE),
    "spoiled_by_an_earlier_call": Fault("logsigmoid[float32]", (*OUTPUT, "universal"), IMAGE),
    "segfault": Fault("leaky_relu[float32]", ("crash", "", "crash"), IMAGE | {"C": 3, "W": 2, "slope": 0.25}, NHWC),
    "endless": Fault("tanh[float32]", ("hang", "", "hang"), IMAGE | {"N": 2, "C": 4}),
}

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
    python = PYTHON or sys.executable
    _, planted = run_scripts(texts, python, poison=True)
    _, stock = run_scripts(texts, python, poison=True, arguments=[STOCK])
    return {name: (planted[name], stock[name]) for name in texts}


@each
def test_the_script_shows_the_fault(
    name: str, failure: Failure, script_runs: dict[str, tuple[ScriptRun, ScriptRun]]
) -> None:
    """Outside the harness it exits with 1 where the kernel is planted, and with 0 where it is PyTorch's own."""
    del failure  # it was found, or the level that it needs is not there
    planted, stock = script_runs[name]
    assert planted.shows_fault, planted.output
    assert (stock.code, stock.shows_fault) == (0, False), stock.output
