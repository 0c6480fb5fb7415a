"""What a worker is asked about a model, and what it answers: the request and the replies of each operation.

All of it is plain data that marshal carries: numbers, texts, bytes, lists, tuples, dicts. The harness writes these
requests and the worker parses each once (`worker/models/model_request.py`). A reply says in `status` which of its forms
it has; whether the worker died over it is not among them, that is said by who asked.

| `op` | where | what is asked |
|---|---|---|
| ``model-check`` | reference | can the model's packages and factory be imported? |
| ``model-inputs`` | reference | the tensors in a file that torch has saved |
| ``model-refer`` | reference | the float64 answer, and how far rounding may move each tensor of it |
| ``model-run`` | cell | the model with nothing converted, and under each conversion |
| ``model-record-calls`` | reference | run the float64 model and keep what each module was called with |
| ``model-feed`` | reference | one of these calls again by itself, in float64; and what it was called with |
| ``model-isolate`` | cell | the same call by itself, with nothing converted and under each conversion |
| ``model-release`` | reference | forget the recorded calls |

The calls that ``model-record-calls`` keeps live in one process. Where that was replaced before ``model-feed``, the
answer is a `CallsLostReply`.
"""

from __future__ import annotations

from typing import Dict, List, Literal, Mapping, Sequence, Tuple, TypedDict, Union

from .call_protocol import (
    ArgumentData,
    ConstantData,
    InputData,
    ModelInputsReply,
    ModelInputsRequest,
    ProblemReply,
    Scalar,
)
from .protocol import ArrayData, Operation, TensorData
from .source_line import SourceLine

TensorMetadata = Tuple[Literal["tensor"], str, List[int], List[int]]
"""A tensor in the arguments or results of a function: torch's name of the dtype, shape, strides in elements."""

FunctionArgument = Union[Scalar, TensorMetadata, List["FunctionArgument"]]
"""An argument or result of a function; what is neither tensor nor sequence nor `Scalar` is there as its `str`."""

ImageFormat = Tuple[str, str]
"""``nhwc``, ``nchw``, ``either`` or ``other``; and torch's name of the dtype."""


class CalibrationData(TypedDict):
    """What calibration changed in the freshly filled model, so that every worker can make the same change.

    `powers` are the binary exponents by which the parameters of a module are scaled, `statistics` the running mean and
    variance of a normalisation, as bytes of float32; both by the module's path.
    """

    powers: Dict[str, int]
    statistics: Dict[str, Tuple[bytes, bytes]]


class ModelFields(TypedDict):
    """What every request about an example of a model says of it.

    `arguments` are the factory's, `step` is ``eval`` or ``train``, `conversions` are among ``both``, ``model`` and
    ``input``, `frozen` the class names of modules that stay in evaluation mode, `watch` the paths of modules whose
    outputs are wanted too. `seeded`: the model draws random numbers, the same from the same seed. `weights_file`: where
    the worker of the reference keeps the weights that the factory gave, for the cells to read; empty where the worker
    fills the parameters itself. `needs_frozen`: a class in `frozen` of which the model has no module is a problem.
    """

    factory: str
    arguments: Mapping[str, object]
    inputs: Sequence[InputData]
    constants: Sequence[ConstantData]
    weights_file: str
    step: str
    runner: str
    precision: str
    conversions: Sequence[str]
    frozen: Sequence[str]
    needs_frozen: bool
    watch: Sequence[str]
    seeded: bool
    seed: int
    threads: int


class SkippedReply(TypedDict):
    """What was asked for does not exist on the machine or in its PyTorch; `message` is one sentence that says why."""

    status: Literal["skipped"]
    message: str


class CallsLostReply(TypedDict):
    """The recorded calls are not in this process: it is not the one that recorded them, or has released them."""

    status: Literal["lost"]
    message: str


class ModuleCallData(TypedDict):
    """One call of one module in a run.

    `input_formats` are those of the images it got, ``nhwc``, ``nchw``, ``either`` or ``other``, and `input_dtypes` go
    with them. `reorders` counts oneDNN's in it, those of its children apart.
    """

    path: str
    class_name: str
    input_formats: Sequence[str]
    input_dtypes: Sequence[str]
    reorders: int


class FunctionCallData(TypedDict):
    """One function of torch that a module called by itself.

    `function` is its dotted name, `parameters` are the names of all that it takes, in order; `arguments` has every
    argument by name, those left out with their defaults; `defaults` names the arguments that have their default.
    """

    function: str
    parameters: List[str]
    arguments: Dict[str, FunctionArgument]
    defaults: List[str]
    results: List[FunctionArgument]


ImageFunctionKind = Literal["", "convolution", "normalisation", "pooling", "resampling"]

LayoutLoss = Literal["", "gives nchw", "put back", "gets nchw", "raises"]


class ImageCallData(TypedDict):
    """One call of a function of torch that works on an image, or loses the format of one, in a converted model.

    `function` is its dotted name, `kind` is empty for one that does no more than pass an image on. `module` and
    `class_name` are those of the module whose forward makes the call. The formats are ``nhwc``, ``nchw``, ``either`` or
    ``other``, and there are none of an image without a batch axis; `input_axes` says of each dimension of the first
    input which parts of an image it has: ``N`` (a stack has two of these), ``C`` (a channel shuffle has two), ``P`` for
    pixels, nothing for one of size 1. `multiply_adds` counts those of a convolution. `loses`: it gives NCHW for NHWC,
    which the only call that takes the result may put back; or a convolution gets NCHW where nothing before it is known
    to have lost the format; or it raised when it was given NHWC. `line`, of the source that is not PyTorch's, is that
    of the call where it loses something, and `function_call` the call with all its arguments where it gave NCHW for
    NHWC.
    """

    function: str
    kind: ImageFunctionKind
    loses: LayoutLoss
    module: str
    class_name: str
    input_formats: List[str]
    output_formats: List[str]
    input_shape: List[int]
    input_axes: List[str]
    multiply_adds: int
    line: SourceLine | None
    function_call: FunctionCallData | None


TensorLayout = Tuple[str, str, List[int]]
"""``nhwc``, ``nchw``, ``either`` or ``other``, empty for what is no image; torch's name of the dtype; shape."""


class ModuleLayoutData(TypedDict):
    """The calls of one module in a converted model that got and gave the same formats.

    `inputs` and `outputs` are the tensors of the first of them, a few where it has many; `calls` is how many there
    were, 0 for a module that was not called.
    """

    path: str
    class_name: str
    inputs: List[TensorLayout]
    outputs: List[TensorLayout]
    calls: int


ConversionFaultData = Tuple[str, str, str]
"""What is wrong with a way to convert a model: its name, ``error``, ``values`` or ``strides``, and a message."""


class RunData(TypedDict):
    """A model, or one module, once under one conversion; `error` and `message` are those of an exception.

    `image_calls` and `module_layouts` are those of the whole model with all of it converted, in the order of the
    forward pass; `conversion_faults` too are looked for there alone, in evaluation in float32.
    """

    status: Literal["ok", "raised"]
    tensors: Dict[str, TensorData]
    modules: List[ModuleCallData]
    image_calls: List[ImageCallData]
    module_layouts: List[ModuleLayoutData]
    conversion_faults: List[ConversionFaultData]
    kernels: Dict[str, int]
    error: str
    message: str


class ModelCheckRequest(TypedDict):
    """Whether the packages in `requires`, and then the factory, can be imported."""

    op: Literal["model-check"]
    factory: str
    requires: Sequence[str]


class UsableReply(TypedDict):
    """The factory is there and can be called."""

    status: Literal["ok"]


class MissingReply(TypedDict):
    """A package that the model requires cannot be imported; `message` says which, and how to get it."""

    status: Literal["missing"]
    message: str


ModelCheckReply = Union[UsableReply, MissingReply, ProblemReply]


class ModelReferRequest(ModelFields):
    """The float64 answer, with oneDNN off and one thread."""

    op: Literal["model-refer"]


class ReferenceReply(TypedDict):
    """The tensors of the float64 run by name; `sensitivity` says how far rounding may move each."""

    status: Literal["ok"]
    state: CalibrationData
    values: Dict[str, ArrayData]
    sensitivity: Dict[str, float]


ModelReferReply = Union[ReferenceReply, ProblemReply]


class ModelRunRequest(ModelFields):
    """The model in a cell; `state` is that of the reference, `runs` are the conversions, or ``nchw`` for none."""

    op: Literal["model-run"]
    state: CalibrationData
    runs: Sequence[str]


class RunsReply(TypedDict):
    """The runs by conversion; where one is ``nchw``, that with nothing converted, it is the first."""

    status: Literal["ok"]
    runs: Dict[str, RunData]


ModelRunReply = Union[RunsReply, SkippedReply, ProblemReply]


class ModelRecordCallsRequest(ModelFields):
    """Run the float64 model once, and keep what came into each module and the gradient that came back."""

    op: Literal["model-record-calls"]
    state: CalibrationData


class RecordedCallData(TypedDict):
    """A module call that is kept; its number is its place in the reply."""

    path: str
    class_name: str
    is_parent: bool


class RecordedCallsReply(TypedDict):
    """The calls of the first forward pass, in the order in which they ended."""

    status: Literal["ok"]
    calls: List[RecordedCallData]


class ModelFeedRequest(ModelFields):
    """Call number `call` again by itself, in float64, on its arguments and gradients rounded to float32."""

    op: Literal["model-feed"]
    call: int


class CallArgumentsData(TypedDict):
    """The arguments of a module call."""

    positional: List[ArgumentData]
    named: Dict[str, ArgumentData]


class FeedReply(TypedDict):
    """What the call was given, what it comes to, and how far rounding may move that.

    `gradients` are those that came back to the outputs, by the names of these.
    """

    status: Literal["ok"]
    call_arguments: CallArgumentsData
    gradients: Dict[str, ArrayData]
    values: Dict[str, ArrayData]
    sensitivity: Dict[str, float]


ModelFeedReply = Union[FeedReply, ProblemReply, CallsLostReply]


class ModelIsolateRequest(ModelFields):
    """The module `path` by itself in a cell, on the `call_arguments` and `gradients` of a `FeedReply`.

    `images` are, by conversion, format and dtype of each image that it got in the whole model.
    """

    op: Literal["model-isolate"]
    state: CalibrationData
    path: str
    call_arguments: CallArgumentsData
    gradients: Mapping[str, ArrayData]
    images: Mapping[str, Sequence[ImageFormat]]


class IsolatedReply(TypedDict):
    """The runs by conversion, and the functions that the module called under the last of them."""

    status: Literal["ok"]
    runs: Dict[str, RunData]
    calls: List[FunctionCallData]


class ModelReleaseRequest(TypedDict):
    """Forget the recorded calls; where there are none, that is fine too."""

    op: Literal["model-release"]


class ReleasedReply(TypedDict):
    """There are no recorded calls any more."""

    status: Literal["ok"]


MODEL_OPERATIONS: Dict[str, Operation] = {
    "model-check": Operation(ModelCheckRequest, ModelCheckReply),
    "model-inputs": Operation(ModelInputsRequest, ModelInputsReply),
    "model-refer": Operation(ModelReferRequest, ModelReferReply),
    "model-run": Operation(ModelRunRequest, ModelRunReply),
    "model-record-calls": Operation(ModelRecordCallsRequest, RecordedCallsReply),
    "model-feed": Operation(ModelFeedRequest, ModelFeedReply),
    "model-isolate": Operation(ModelIsolateRequest, IsolatedReply),
    "model-release": Operation(ModelReleaseRequest, ReleasedReply),
}
"""What a worker can be asked about models."""
