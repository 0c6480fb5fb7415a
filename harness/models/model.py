"""Model: one model as a suite file declares it, an example of it, and what its runs returned."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Final, Literal, NamedTuple, TypeAlias, get_args

from harness.core.case import Size
from harness.core.expression import Expression
from harness.core.observation import Array, Status, TensorRecord
from harness.models.image_call import ImageCall
from harness.portable.call_protocol import ConstantValue
from harness.portable.model_protocol import CalibrationData, ConversionFaultData, ModuleLayoutData

Step = Literal["eval", "train"]
Runner = Literal["eager", "checkpoint", "ddp", "fx", "script", "trace", "export", "compile"]
RUNNERS: Final[tuple[Runner, ...]] = get_args(Runner)
Precision = Literal["float32", "bfloat16"]
Conversion = Literal["both", "model", "input"]
CONVERSIONS: Final[tuple[Conversion, ...]] = ("both", "model", "input")
BASELINE: Final = "nchw"
"""The run with nothing converted, beside the conversions."""
FULL_CONVERSION: Final[Conversion] = "both"
"""The run with the model and its inputs converted."""


Weights = Literal["fill", "keep"]
WEIGHTS: Final[tuple[Weights, ...]] = get_args(Weights)
Place: TypeAlias = "tuple[int | str, ...]"
"""Where an argument stands in the call of a model, see `model_protocol.Place`."""


class WayToRun(NamedTuple):
    """One way to run a model: in evaluation or in a step of training, by which runner, in which precision."""

    step: Step
    runner: Runner
    precision: Precision

    def __str__(self) -> str:
        """As items, known issues and the record name it: ``eval-eager-float32``."""
        return "-".join(self)


@dataclass(frozen=True)
class InputSpec:
    """One tensor that the model is called with. `channels_last`: it is converted with the model.

    A `dtype` that is not floating holds whole numbers 0 to `most`. `place` empty: the next by position. `data` are its
    own numbers, where it has any.
    """

    name: str
    shape: tuple[Expression, ...]
    channels_last: bool = True
    dtype: str = "float32"
    most: int = 3
    place: Place = ()
    data: Array | None = field(default=None, repr=False, compare=False)


@dataclass(frozen=True)
class Constant:
    """An argument of a model's call that is no tensor, and its place in it; an empty list or dict is one too."""

    place: Place
    value: ConstantValue


@dataclass(frozen=True)
class Model:
    """One model, declared. `id` is ``<suite file relative to the root, posix>::<name>``.

    `factory` is the dotted name of what makes the module, `arguments` what it gets: Expressions over the sizes,
    literals, or tuples of these. Each of `steps` x `runners` x `precisions` is an item, run under all `conversions`.
    `frozen` are class names of modules that stay in evaluation mode in a training step (dropout). `watch` are paths of
    modules whose outputs are judged as well. `requires` are packages without which the model is skipped. `seeded`:
    it draws random numbers, and is the same only from the same seed. `constants` are arguments of its call beside
    `inputs`. `weights`: the harness fills the parameters, or those that the factory gave are kept. `needs_frozen`: a
    class in `frozen` that it has no module of is a mistake. `profile`: the least of ``quick``, ``gate`` and ``nightly``
    in which it is run. `line` and `column`, from 1, are where it begins.
    """

    id: str
    name: str
    suite: str
    line: int
    factory: str
    sizes: tuple[Size, ...]
    inputs: tuple[InputSpec, ...]
    arguments: Mapping[str, Any] = field(default_factory=dict)
    steps: tuple[Step, ...] = ("eval", "train")
    runners: tuple[Runner, ...] = ("eager",)
    precisions: tuple[Precision, ...] = ("float32",)
    conversions: tuple[Conversion, ...] = CONVERSIONS
    frozen: tuple[str, ...] = ()
    watch: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    seeded: bool = False
    constants: tuple[Constant, ...] = ()
    weights: Weights = "fill"
    needs_frozen: bool = False
    profile: Literal["quick", "gate", "nightly"] = "gate"
    draws: int = 1
    column: int = 1

    @property
    def ways(self) -> tuple[WayToRun, ...]:
        """The ways to run it, each an item of its own, in declared order."""
        return tuple(
            WayToRun(step, runner, precision)
            for step in self.steps
            for runner in self.runners
            for precision in self.precisions
        )


@dataclass(frozen=True)
class ModelExample:
    """A Model with every free choice drawn; enough to rebuild parameters and inputs bit for bit."""

    model: str
    step: Step
    runner: Runner
    precision: Precision
    sizes: Mapping[str, Any]
    seed: int = 0
    threads: int = 1

    def to_json(self) -> str:
        """One line of JSON; keys in the order of the fields, tuples as lists."""
        return json.dumps(asdict(self), separators=(", ", ": "))

    @property
    def way(self) -> WayToRun:
        """The way to run it."""
        return WayToRun(self.step, self.runner, self.precision)


@dataclass(frozen=True)
class ModuleRecord:
    """One call of one module: the formats of the images it got, and the oneDNN reorders that ran in it.

    `path` is the module's name in the model, empty for the model itself. A format is ``nhwc``, ``nchw``, ``either``
    (both, or too small to tell) or ``other``; `input_dtypes` go with the formats.
    """

    path: str
    class_name: str
    input_formats: tuple[str, ...]
    input_dtypes: tuple[str, ...]
    reorders: int = 0


@dataclass(frozen=True)
class ModelObservation:
    """One run of a model in one cell, under one conversion (or ``nchw``: nothing converted).

    `tensors` is keyed ``output[0]``, ``loss``, ``grad:conv1.weight``, ``grad_input:x``, ``buffer:bn1.running_mean``,
    ``after:output[0]`` (the next forward, after a step of SGD) and ``watch:backbone``. `modules` are in the order in
    which their calls ended. `image_calls` and `module_layouts` are those of a run with all of it
    converted; so are `conversion_faults`, one for each way to convert the model that is wrong.
    """

    cell: str
    conversion: str
    status: Status
    tensors: Mapping[str, TensorRecord] = field(default_factory=dict, repr=False)
    modules: tuple[ModuleRecord, ...] = ()
    image_calls: tuple[ImageCall, ...] = ()
    module_layouts: tuple[ModuleLayoutData, ...] = field(default=(), repr=False)
    conversion_faults: tuple[ConversionFaultData, ...] = ()
    kernels: Mapping[str, int] = field(default_factory=dict)
    error: str = ""
    message: str = ""
    signal: int = 0

    @property
    def reorders(self) -> int:
        """How many reorders oneDNN ran."""
        return sum(count for name, count in self.kernels.items() if name.partition(":")[0] == "reorder")


@dataclass(frozen=True)
class Skipped:
    """Why a model was not run in one cell, though nothing is wrong with it: what is missing there, in one sentence."""

    reason: str


@dataclass(frozen=True)
class Problem:
    """Why a model cannot be judged at all, in one sentence: what is wrong with it, and what would be right."""

    sentence: str


@dataclass(frozen=True)
class ModelReference:
    """The float64 answer of the same model, oneDNN off, contiguous.

    `sensitivity` says, for each tensor, how far (in the largest element) it moves when every module's output and
    gradient is moved by what the precision under test may round. `state` is what workers need to build the same model.
    """

    status: Status
    values: Mapping[str, Array] = field(default_factory=dict, repr=False)
    sensitivity: Mapping[str, float] = field(default_factory=dict)
    state: CalibrationData | None = field(default=None, repr=False, compare=False)
    problem: Problem | None = None
    error: str = ""
    message: str = ""


def is_below(path: str, parent: str) -> bool:
    """Whether a module's path lies below another's in the model; the model's own is empty, and all others below it."""
    return bool(path) and (not parent or path.startswith(f"{parent}."))
