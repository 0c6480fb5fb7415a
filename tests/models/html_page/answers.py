"""Answers of `equivalence model`, written down: of a small network, of a large one, and of one that means harm."""

from __future__ import annotations

from dataclasses import replace

from harness.core import CellState
from harness.models import (
    FaultyModule,
    InputAnswer,
    ModelAnswer,
    ModelExample,
    ModelFailure,
    ModelOutcome,
    OperatorReplay,
    model_answer,
)
from harness.models.image_call import ImageCall, LayoutLoss
from harness.models.module_layout import CallLayout, ModuleLayout, TensorFormat
from harness.models.timing import ModelTiming, format_times, step_profile
from harness.portable.timing_protocol import CostData, CostKind
from tests.models.calls import image_call
from tests.models.test_attribution import finding

EXAMPLE = ModelExample("the command line::make", "eval", "eager", "float32", {})
REPLAY = '{"case": "suites/operators/activation.yaml::silu", "note": "it\'s one"}'


def tensor(name: str = "nhwc", *shape: int, dtype: str = "float32") -> TensorFormat:
    """A tensor at the border of a module: of an image of 8 channels, unless a shape is given."""
    return TensorFormat(format=name, dtype=dtype, shape=shape or (2, 8, 16, 16))


def layout(path: str, class_name: str, got: str = "nhwc", gave: str = "nhwc", calls: int = 1) -> ModuleLayout:
    """A module that got one image and gave another; a convolution had two reorders in NCHW and one in NHWC."""
    is_convolution = class_name == "Conv2d" and calls > 0
    call = CallLayout(inputs=(tensor(got),), outputs=(tensor(gave),), count=calls)
    return ModuleLayout(
        path=path,
        class_name=class_name,
        calls=(call,) if calls else (),
        reorders_nchw=2 * is_convolution,
        reorders_nhwc=1 * is_convolution,
    )


SMALL = (
    layout("", "Net", gave="nchw"),
    layout("stem", "Conv2d"),
    *(
        layout(path, class_name)
        for number in range(3)
        for path, class_name in ((f"blocks.{number}", "Block"), (f"blocks.{number}.conv", "Conv2d"))
    ),
    layout("shuffle", "Shuffle", gave="nchw"),
    layout("head", "Conv2d", got="nchw", calls=2),
    layout("blocks", "ModuleList", calls=0),
    layout("auxiliary", "Conv2d", calls=0),
)
"""A stem, three blocks that are alike, a shuffle that loses the format, a head, and a module that is not called."""

LOSS = image_call(
    "shuffle", "", function="torch.Tensor.view", loses=LayoutLoss.GIVES, gave="nchw", shape=(2, 2, 4, 16, 16),
    line="net.py:31",
)  # fmt: skip
PUT_BACK = replace(LOSS, loses=LayoutLoss.PUT_BACK)
CALLS = (image_call("stem", multiply_adds=300), image_call("blocks.0.conv", multiply_adds=600), LOSS)
FAILED = OperatorReplay(REPLAY, CellState.FAILED)
FAULT = FaultyModule("blocks.1.conv", "Conv2d", "avx2", "output[0] differs", ("torch.conv2d(...)",), FAILED)
KNOWN = FaultyModule(
    "head", "Conv2d", "avx2", "output[0] differs", (), OperatorReplay("{}", CellState.KNOWN_ISSUE, ("onednn-deconv",))
)
VALUES = replace(finding("output[0]"), message="output[0] differs from float64 by 12 times its allowance")
WRONG = ModelFailure(EXAMPLE, (VALUES, finding("module:shuffle", oracle="strides")), (FAULT,))
LOST = ModelFailure(EXAMPLE, (finding("module:shuffle", oracle="strides"),))


def outcome(way: str = "eval-eager-float32", *failures: ModelFailure, **fields: object) -> ModelOutcome:
    """An outcome of the small network, right in one cell, unless `failures` or `fields` say otherwise."""
    result = ModelOutcome(EXAMPLE.model, way, 1, list(failures), seconds=1.5)
    result.cells = {"avx2": {CellState.PASSED: 1}}  # type: ignore[dict-item] # a counter of one
    result.ratios, result.reorders = {"output[0]": 0.25}, {"nchw": 10, "both": 5}
    result.image_calls, result.modules = CALLS, SMALL
    for name, value in fields.items():
        setattr(result, name, value)
    return result


def answer_of_outcomes(*outcomes: ModelOutcome, factory: str = "net:make") -> ModelAnswer:
    """The answer for a network that takes one image."""
    image = InputAnswer(name="input", shape=(2, 3, 16, 16), dtype="float32", is_image=True)
    return model_answer(factory, [image], outcomes)


def small_answer() -> ModelAnswer:
    """Yes, but one place loses the format."""
    return answer_of_outcomes(outcome("eval-eager-float32", LOST))


def timed_answer(*rounds: float) -> ModelAnswer:
    """Yes, and a step was measured: it spends its time in the convolutions of the blocks.

    `rounds` are its seconds in NHWC; in NCHW it takes 15 to 17 milliseconds.
    """
    before = [cost(f"blocks.{number}.conv", "mkldnn_convolution", "kernel", 0.004) for number in range(3)]
    after = [cost(f"blocks.{number}.conv", "mkldnn_convolution", "kernel", 0.003) for number in range(3)]
    reorders = [cost("stem", "mkldnn_convolution", "reorder", 0.002), cost("", "", "overhead", 0.001)]
    times = format_times({"nchw": [0.015, 0.016, 0.017], "nhwc": [*(rounds or (0.010, 0.011, 0.010))]}, 2)
    nchw, nhwc = step_profile([*before, *reorders]), step_profile([*after, *reorders[1:]])
    timing = ModelTiming(item="eval-eager-float32", level="avx2", times=times, nchw=nchw, nhwc=nhwc)
    return answer_of_outcomes(outcome(image_calls=CALLS[:2], timings=[timing]))


def cost(module: str, operator: str, kind: CostKind, seconds: float) -> CostData:
    """What a worker says of one operator in one module."""
    return {"module": module, "class_name": "Conv2d", "operator": operator, "kind": kind, "seconds": seconds}


def right_answer() -> ModelAnswer:
    """Yes, and nothing is to be changed."""
    return answer_of_outcomes(outcome(image_calls=CALLS[:2]))


def put_back_answer() -> ModelAnswer:
    """Yes, at the cost of a copy."""
    return answer_of_outcomes(outcome(image_calls=(*CALLS[:2], PUT_BACK)))


def wrong_answer() -> ModelAnswer:
    """No: a training step is wrong in one module, and another has a known issue."""
    training = outcome("train-eager-float32", WRONG, explained=[KNOWN])
    return answer_of_outcomes(outcome("eval-eager-float32", LOST), training)


def large_answer(blocks: int = 80) -> ModelAnswer:
    """Yes, of stages and layers of which no two are alike, nine modules in each stage: more rows than anyone reads."""
    modules = [layout("", "Large")]
    for number in range(blocks):
        shape = (1, number + 1, 8, 8)
        call = CallLayout(inputs=(tensor("nhwc", *shape),), outputs=(tensor("nhwc", *shape),), count=1)
        layers = [layout(f"stages.{number}.layers.{inner}", f"Layer{inner}") for inner in range(7)]
        stage = [layout(f"stages.{number}", "Stage"), *layers]
        modules += [module.model_copy(update={"calls": (call,)}) for module in stage]
        modules.append(layout(f"stages.{number}.layers", "ModuleList", calls=0))
    modules.append(layout("stages", "ModuleList", calls=0))
    last = image_call(f"stages.{blocks - 1}.layers.6", "", loses=LayoutLoss.GIVES, gave="nchw", line="large.py:7")
    return answer_of_outcomes(outcome(modules=tuple(modules), image_calls=(*CALLS[:2], last)))


def hostile_answer(text: str) -> ModelAnswer:
    """No: every name, path, class, sentence and note of the answer is `text`."""
    call: ImageCall = replace(LOSS, function=text, module=text, class_name=text, line=text)
    replay = OperatorReplay(text, CellState.FAILED)
    fault = FaultyModule(text, text, text, text, (text,), replay)
    known = replace(fault, replay=OperatorReplay(text, CellState.KNOWN_ISSUE, (text,)))
    wrong = replace(finding("output[0]"), tensor=text, message=text, cells={text: 2.0}, layouts=("both", text))
    last = CallLayout(inputs=(tensor(dtype=text),), outputs=(), count=1)
    modules = (
        layout("", text, gave="nchw"),
        layout(text, text, gave="nchw"),
        layout(f"{text}.{text}", text).model_copy(update={"calls": (last,)}),
    )
    result = outcome(
        text,
        ModelFailure(EXAMPLE, (wrong,), (fault,), text),
        cells={text: {CellState.PASSED: 1}},
        modules=modules,
        image_calls=(*CALLS[:2], call),
        explained=[known],
        known_issues={text: 1},
        notes=[text],
    )
    image = InputAnswer(name=text, shape=(2, 3, 16, 16), dtype=text, is_image=True)
    answer = model_answer(text, [image], [result])
    return answer.model_copy(update={"sentence": text, "recipe": (text,), "refusal": text})
