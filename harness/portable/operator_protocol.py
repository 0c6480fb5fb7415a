"""What a worker can be asked about operators: each operation with its request and its reply, and the table of them.

`worker/README.md` has an example of each. Standard library only, Python 3.8 on.
"""

from __future__ import annotations

from typing import Dict, Literal, Tuple, TypedDict, Union, final

from .protocol import ArrayData, Operation, Outcome, TensorData, TensorLayoutData

DoubleBackwardOutcome = Literal["agrees", "constant", "refused", "differs", "raised", "coarse"]
"""What came of a double backward. ``agrees`` with finite differences; ``constant``: no gradient depends on anything;
``refused``: it is not implemented, and the message says how; ``differs``: the message is gradgradcheck's; ``raised``:
already the gradient raises; ``coarse``: something is not in float64, where finite differences tell nothing."""

CallPhase = Literal["forward", "jvp", "meta", "backward"]
"""What a call was doing when it raised. ``forward``: the call itself, with ``out=`` and under vmap too; ``jvp``: the
call on dual numbers, where without them it returns; ``meta``: the call
under FakeTensorMode, where without it returns; ``backward``: the gradients of what it had returned."""


@final
class TensorReference(TypedDict):
    """A tensor of the example where an argument is expected."""

    tensor: str


@final
class TorchReference(TypedDict):
    """What torch has under this name (``channels_last``, ``float32``) where an argument is expected."""

    torch: str


WireArgument = Union[None, bool, int, float, str, TensorReference, TorchReference, Tuple["WireArgument", ...]]
"""A value of an argument, with lists as tuples."""


class OperandData(TypedDict):
    """A tensor that a call takes.

    `shape` is None where it is absent. `stream` is the fill stream of its numbers, which lie in `between` where that is
    no None; none of them occurs twice in its last `distinct` dimensions. `gradient`: its gradient is asked for, where
    its dtype has one. `buffer`: the call may write it.
    """

    name: str
    shape: tuple[int, ...] | None
    dtype: str
    layout: str
    stream: int
    gradient: bool
    between: tuple[float, float] | None
    buffer: bool
    distinct: int


class ModuleData(TypedDict):
    """How the module of a call is made: arguments of its class, its mode, and the tensor that stands for each state."""

    init: dict[str, WireArgument]
    train: bool
    state: dict[str, str]


class CallFields(TypedDict):
    """A call with everything that its inputs are made of.

    `call` is a dotted name; `inplace` the keyword or the dotted name that makes it in place, None where it is not.
    `grad_output` is the layout of what backward is given, and of the memory given to ``out=``. `setting` is that of
    PyTorch, under which a cell makes the call, and no other worker. `terms` is the length of the longest reduction,
    from which the fill takes its density.
    """

    call: str
    module: ModuleData | None
    inplace: str | None
    tensors: list[OperandData]
    positional: tuple[WireArgument, ...]
    arguments: dict[str, WireArgument]
    grad_output: str
    threads: int
    path: str
    setting: str
    dtype: str
    seed: int
    fill: str
    terms: int


class ObserveRequest(CallFields):
    """Run a call as drawn and with all of it contiguous, `repeats` times each; before it, those in `after`.

    All of them run with oneDNN only if `onednn`, and in memory that is filled before it is handed out if `poisoned`.
    """

    op: Literal["observe"]
    trace: bool
    repeats: int
    after: list[ObserveRequest]
    onednn: bool
    poisoned: bool


class ObservationData(TypedDict):
    """One layout of a call: its tensors by name, the strides of what went in, and what was seen on the way.

    `written` are inputs that changed, `unrepeated` tensors whose bits differ between calls, `kernels` oneDNN's
    implementations with counts, `primitives` how they ran, with direction and formats, `operators` ATen's, and
    `foreign` those of them that neither PyTorch nor torchvision has. `arguments` are the kinds that the arguments of
    the operators named by the call had, by operator and argument, `inner_arguments` those of operators within others;
    all of these but oneDNN's are empty where nothing was traced. Of a call that raised, `tensors` are what it computed
    all the same: the outputs, where only jvp or the backward raises, and the gradients that can be had one by one.
    `counterparts` are the layouts that FakeTensorMode takes the tensors to have, where it is asked; and of tensors that
    compiled code gave those that the call itself gives them.
    `error` is the class of what it raised, `message` its first line, and `phase` what it was doing; None where it
    returned.
    """

    status: Outcome
    tensors: dict[str, TensorData]
    inputs: dict[str, list[int]]
    written: list[str]
    unrepeated: list[str]
    kernels: dict[str, int]
    primitives: list[str]
    operators: list[str]
    arguments: dict[str, dict[str, tuple[str, ...]]]
    inner_arguments: dict[str, dict[str, tuple[str, ...]]]
    foreign: list[str]
    counterparts: dict[str, TensorLayoutData]
    phase: CallPhase | None
    error: str
    message: str


class ObserveReply(TypedDict):
    """Both observations; a contiguous tensor with the bits of the drawn one has no bytes of its own."""

    drawn: ObservationData
    contiguous: ObservationData


class RulesData(TypedDict):
    """By which rule outputs, gradients, and single tensors by name, are judged."""

    output: str
    gradient: str
    each: dict[str, str]


class RoundoffData(TypedDict):
    """The unit roundoffs of the accumulator and of the dtype, and half the dtype's smallest subnormal."""

    accumulator: float
    storage: float
    tiny: float


PATTERNS = 8
"""Perturbations of its roundings that tell how far they move a result, which is enough for nearly every element."""

MORE_PATTERNS = 64
"""Perturbations that are enough for every element: for what fewer condemn."""


class ReferRequest(CallFields):
    """Compute the call in float64, and what the bounds need. `count`: the number of terms too, by running with ones.

    `patterns`: how many perturbations of its roundings tell how far they move what `normwise` judges.
    """

    op: Literal["refer"]
    rules: RulesData
    count: bool
    roundoff: RoundoffData
    patterns: int


class ReferReply(TypedDict):
    """The reference of a call, each by the name of a tensor.

    `values`; `bound` (the call on magnitudes), `terms` (on ones) and `scaled` (on operands that cannot overflow);
    `inner_sensitivity` and `storage_sensitivity`, how far roundings inside operators, and of what is stored, move it;
    the numbers that went in; the dtypes in which outputs are due; and in `foreign` which operators ran that neither
    PyTorch nor torchvision has. Of a call of which only the derivatives raise, the outputs have all that.
    """

    status: Outcome
    values: dict[str, ArrayData]
    bound: dict[str, ArrayData]
    terms: dict[str, ArrayData]
    scaled: dict[str, ArrayData]
    inner_sensitivity: dict[str, ArrayData]
    storage_sensitivity: dict[str, ArrayData]
    inputs: dict[str, ArrayData]
    grad_outputs: dict[str, ArrayData]
    dtypes: dict[str, str]
    foreign: list[str]
    error: str
    message: str


class DoubleBackwardRequest(CallFields):
    """Compare the double backward of a call with finite differences."""

    op: Literal["double_backward"]


class DoubleBackwardResult(TypedDict):
    """What came of it in one layout."""

    state: DoubleBackwardOutcome
    message: str


class DoubleBackwardReply(TypedDict):
    """What came of it in both layouts."""

    drawn: DoubleBackwardResult
    contiguous: DoubleBackwardResult


class MetadataRequest(TypedDict):
    """Run each of these calls once, for the shapes and strides of what it returns."""

    op: Literal["metadata"]
    calls: list[CallFields]


class CallMetadata(TypedDict):
    """What one call returned, without values."""

    status: Outcome
    tensors: dict[str, TensorLayoutData]
    inputs: dict[str, list[int]]
    error: str
    message: str


class MetadataReply(TypedDict):
    """One entry for each call, in order."""

    metadata: list[CallMetadata]


class CheckRequest(TypedDict):
    """Say what keeps a case from being called.

    `positional` is how many arguments are passed by position, `arguments` are the names of the others; `out`: it is
    passed as well. `torch` are names to be looked up in torch. `module` is that of some example.
    """

    op: Literal["check"]
    call: str
    inplace: str | None
    positional: int
    arguments: list[str]
    out: bool
    module: ModuleData | None
    torch: list[str]


class CheckReply(TypedDict):
    """A sentence for each problem; `foreign`: what is called is not PyTorch's, torchvision's or the harness's own."""

    problems: list[str]
    foreign: bool


class PackagesRequest(TypedDict):
    """Say which of these packages is not there, or what is not there that a way to run a call needs."""

    op: Literal["packages"]
    requires: tuple[str, ...]
    paths: tuple[str, ...]


class PackagesReply(TypedDict):
    """Which one it is and how to get it, in one sentence; empty where all are there."""

    missing: str


class CatalogueRequest(TypedDict):
    """List these modules and classes, and say which of these dotted names are functions of them."""

    op: Literal["catalogue"]
    calls: list[str]
    namespaces: list[str]


class CatalogueReply(TypedDict):
    """By namespace its public functions, each with the ATen operator that it calls or nothing.

    By dotted name the functions that it is, with their namespaces, where it is any.
    """

    functions: dict[str, dict[str, str]]
    called: dict[str, list[str]]


class SchemasRequest(TypedDict):
    """Give the schemas of these operators, named with their overloads: ``aten::add.Tensor``."""

    op: Literal["schemas"]
    operators: list[str]


class ArgumentData(TypedDict):
    """One argument of a schema: `type` as TorchScript writes it, `written` where the operator writes into it.

    `default` is what it is where it is not given, as Python writes it; None where it must be given.
    """

    name: str
    type: str
    default: str | None
    written: bool


class SchemaData(TypedDict):
    """The arguments of an operator, in their order; `pointwise` where it broadcasts its tensors."""

    arguments: list[ArgumentData]
    pointwise: bool


class SchemasReply(TypedDict):
    """The schemas of those operators that this build has."""

    schemas: dict[str, SchemaData]


OPERATOR_OPERATIONS: Dict[str, Operation] = {
    "observe": Operation(ObserveRequest, ObserveReply),
    "refer": Operation(ReferRequest, ReferReply),
    "double_backward": Operation(DoubleBackwardRequest, DoubleBackwardReply),
    "metadata": Operation(MetadataRequest, MetadataReply),
    "check": Operation(CheckRequest, CheckReply),
    "packages": Operation(PackagesRequest, PackagesReply),
    "catalogue": Operation(CatalogueRequest, CatalogueReply),
    "schemas": Operation(SchemasRequest, SchemasReply),
}
"""What a worker can be asked about operators."""

OperatorRequest = Union[
    ObserveRequest,
    ReferRequest,
    DoubleBackwardRequest,
    MetadataRequest,
    CheckRequest,
    PackagesRequest,
    CatalogueRequest,
    SchemasRequest,
]
OperatorReply = Union[
    ObserveReply,
    ReferReply,
    DoubleBackwardReply,
    MetadataReply,
    CheckReply,
    PackagesReply,
    CatalogueReply,
    SchemasReply,
]
