"""What a worker is asked about a call, taken apart once, at its door: the rest of the worker sees no message."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Collection, Dict, Mapping, Tuple, Union

import torch

from ..portable import dtypes
from ..portable.operator_protocol import (
    CallFields,
    CheckRequest,
    ModuleData,
    ObserveRequest,
    OperandData,
    ReferRequest,
    WireArgument,
)
from ..portable.tensor_name import DERIVED, kind_of


@dataclass(frozen=True)
class TensorByName:
    """An argument that is one of the call's tensors."""

    name: str


@dataclass(frozen=True)
class TorchByName:
    """An argument that torch has under this name: a dtype, a memory format."""

    name: str


Argument = Union[None, bool, int, float, str, TensorByName, TorchByName, Tuple["Argument", ...]]


@dataclass(frozen=True)
class Operand:
    """One tensor of a call; the fields are those of `OperandData`."""

    name: str
    shape: Tuple[int, ...] | None
    dtype: str
    layout: str
    stream: int
    gradient: bool
    between: Tuple[float, float] | None
    buffer: bool
    distinct: int

    @property
    def is_differentiated(self) -> bool:
        """Whether its gradient is asked for, and its dtype has one."""
        return self.gradient and dtypes.is_differentiable(self.dtype)

    @property
    def torch_dtype(self) -> torch.dtype:
        """Its dtype as torch has it."""
        return getattr(torch, self.dtype)


@dataclass(frozen=True)
class ModuleConstruction:
    """How the module of a call is made; the fields are those of `ModuleData`."""

    init: Mapping[str, Argument]
    train: bool
    state: Mapping[str, str]


@dataclass(frozen=True)
class Call:
    """A call with everything that its inputs are made of; the fields are those of `CallFields`."""

    call: str
    module: ModuleConstruction | None
    inplace: str | None
    operands: Tuple[Operand, ...]
    positional: Tuple[Argument, ...]
    arguments: Mapping[str, Argument]
    grad_output: str
    threads: int
    path: str
    setting: str
    dtype: str
    seed: int
    fill: str
    terms: int

    @property
    def present(self) -> Tuple[Tuple[Operand, Tuple[int, ...]], ...]:
        """The operands that are not absent, with their shapes."""
        return tuple((operand, operand.shape) for operand in self.operands if operand.shape is not None)

    @property
    def has_gradients(self) -> bool:
        """Whether it is run backward as well."""
        return self.path in ("plain", "double_backward")

    def with_gradients(self, names: Collection[str]) -> Call:
        """The same call, of which no gradients but those of these tensors are asked for."""
        operands = (replace(each, gradient=each.gradient and each.name in names) for each in self.operands)
        return replace(self, operands=tuple(operands))

    def with_first_operand(self, dtype: str, gradient: bool) -> Call:
        """The same call whose first operand is of this dtype, and differentiated or not."""
        first, *others = self.operands
        return replace(self, operands=(replace(first, dtype=dtype, gradient=gradient), *others))


@dataclass(frozen=True)
class Observe:
    """A call to be observed, `repeats` times, after `after`; the fields are those of `ObserveRequest`."""

    call: Call
    trace: bool
    repeats: int
    after: Tuple[Observe, ...]
    onednn: bool
    poisoned: bool


@dataclass(frozen=True)
class Rules:
    """By which rule outputs, gradients, and single tensors by name, are judged."""

    output: str
    gradient: str
    each: Mapping[str, str]

    def rule(self, tensor: str) -> str:
        """The rule of the tensor of that name."""
        usual = self.gradient if kind_of(tensor) in DERIVED else self.output
        return self.each.get(tensor, usual)

    def __contains__(self, rule: str) -> bool:
        """Whether any tensor is judged by that rule."""
        return rule in (self.output, self.gradient, *self.each.values())


@dataclass(frozen=True)
class Roundoff:
    """The unit roundoffs of the accumulator and of the dtype, and half the dtype's smallest subnormal."""

    accumulator: float
    storage: float
    tiny: float


@dataclass(frozen=True)
class Refer:
    """A call to be computed in float64; `counts_terms`: once more with ones, for the number of terms.

    `patterns` of perturbations tell how far roundings move what `normwise` judges.
    """

    call: Call
    rules: Rules
    counts_terms: bool
    roundoff: Roundoff
    patterns: int


@dataclass(frozen=True)
class Check:
    """A call to be checked; the fields are those of `CheckRequest`."""

    call: str
    inplace: str | None
    positional: int
    arguments: Tuple[str, ...]
    out: bool
    module: ModuleConstruction | None
    torch: Tuple[str, ...]


def parse_call(fields: CallFields) -> Call:
    """What a request says of its call."""
    return Call(
        call=fields["call"],
        module=parse_module(fields["module"]),
        inplace=fields["inplace"],
        operands=tuple(map(parse_operand, fields["tensors"])),
        positional=tuple(map(parse_argument, fields["positional"])),
        arguments=_arguments(fields["arguments"]),
        grad_output=fields["grad_output"],
        threads=fields["threads"],
        path=fields["path"],
        setting=fields["setting"],
        dtype=fields["dtype"],
        seed=fields["seed"],
        fill=fields["fill"],
        terms=fields["terms"],
    )


def parse_operand(data: OperandData) -> Operand:
    """One tensor of a call."""
    return Operand(**data)


def parse_module(data: ModuleData | None) -> ModuleConstruction | None:
    """The module of a call, where it has one."""
    return None if data is None else ModuleConstruction(_arguments(data["init"]), data["train"], data["state"])


def _arguments(data: Dict[str, WireArgument]) -> Dict[str, Argument]:
    return {name: parse_argument(value) for name, value in data.items()}


def parse_argument(value: WireArgument) -> Argument:
    """An argument, with what the message can only name as what it is."""
    if isinstance(value, tuple):
        return tuple(map(parse_argument, value))
    if isinstance(value, dict):
        return TorchByName(value["torch"]) if "torch" in value else TensorByName(value["tensor"])
    return value


def parse_observe(request: ObserveRequest) -> Observe:
    """The same for ``observe``."""
    after = tuple(map(parse_observe, request["after"]))
    return Observe(
        parse_call(request), request["trace"], request["repeats"], after, request["onednn"], request["poisoned"]
    )


def parse_refer(request: ReferRequest) -> Refer:
    """The same for ``refer``."""
    rules, roundoff = Rules(**request["rules"]), Roundoff(**request["roundoff"])
    return Refer(parse_call(request), rules, request["count"], roundoff, request["patterns"])


def parse_check(request: CheckRequest) -> Check:
    """The same for ``check``."""
    return Check(
        call=request["call"],
        inplace=request["inplace"],
        positional=request["positional"],
        arguments=tuple(request["arguments"]),
        out=request["out"],
        module=parse_module(request["module"]),
        torch=tuple(request["torch"]),
    )
