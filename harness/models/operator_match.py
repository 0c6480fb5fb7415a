"""From a call that a model made to an example of an operator case that makes the same call."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from harness.core import Case, Example, Expression, ExpressionError, TensorArgument, TensorSpec, TorchName
from harness.errors import UserError
from harness.generation import shapes
from harness.models.function_call import ArgumentValue, CallTensor, FunctionCall, tensors_in_values
from harness.models.size_equations import Equation, Sizes, can_have, is_same_value, solve_sizes

HOMES: Final = ("torch", "torch.nn.functional", "torch.Tensor", "torch._C._nn")
"""Where an operator stands under the same name, with an underscore at the end or without."""


def match_operator(cases: Iterable[Case], calls: Sequence[FunctionCall]) -> tuple[Case, Example] | None:
    """An example of one of the cases that makes one of the calls, with the case; None where none does.

    Sizes are solved from the shapes of the tensors and the values of the arguments. Only an example whose shapes and
    arguments come out exactly as in the call counts. The dtype is that of the result: autocast changes what goes in.
    """
    candidates = list(cases)
    for call in calls:
        for case in candidates:
            if _operator_name(call.function) == _operator_name(case.call):
                example = _example_of_call(case, call)
                if example is not None:
                    return case, example
    return None


def _operator_name(dotted: str) -> str:
    """The name of the operator: many a function has two, such as ``torch.relu_`` and ``torch.nn.functional.relu``."""
    home, _, name = dotted.rpartition(".")
    return name.rstrip("_") if home in HOMES else dotted


def _example_of_call(case: Case, call: FunctionCall) -> Example | None:
    """The example of the case that makes this very call, where there is one."""
    declared = {**dict(zip(call.parameters, case.by_position, strict=False)), **case.arguments}
    if any(name not in declared and name not in call.defaults for name in call.arguments):
        return None  # it passes what the case never does
    match = _Match(case)
    for name, argument in declared.items():
        if name in call.arguments and not match.add(argument, call.arguments[name]):
            return None
    dtype = next((tensor.dtype for tensor in tensors_in_values(call.results)), "")
    sizes = solve_sizes(case, match.equations)
    return match.example(dtype, sizes) if sizes is not None and dtype in case.dtypes else None


@dataclass
class _Match:
    """A case against a call, argument by argument: the tensors by name, and equations for the sizes."""

    case: Case
    tensors: dict[str, CallTensor] = field(default_factory=dict)
    equations: list[Equation] = field(default_factory=list)

    def add(self, declared: Any, value: ArgumentValue) -> bool:
        """Take one argument apart. False where it can never be the same."""
        if isinstance(declared, TensorArgument):
            return self._add_tensor(self.case.tensor(declared.tensor), value)
        if isinstance(declared, Expression):
            self.equations.append(Equation(declared, value))
            return True
        if isinstance(declared, tuple) and isinstance(value, int) and not isinstance(value, bool):  # it stands for all
            return all(self.add(part, value) for part in declared)
        if isinstance(declared, tuple) and isinstance(value, tuple) and len(declared) == len(value):
            return all(self.add(part, part_value) for part, part_value in zip(declared, value, strict=True))
        return not isinstance(declared, TorchName) and is_same_value(declared, value)

    def _add_tensor(self, spec: TensorSpec, value: ArgumentValue) -> bool:
        if value is None:
            return spec.optional
        if not isinstance(value, CallTensor) or len(value.shape) != len(spec.shape):
            return False
        self.tensors[spec.name] = value
        self.equations.extend(map(Equation, spec.shape, value.shape))
        return True

    def example(self, dtype: str, sizes: Sizes) -> Example | None:
        """The example with these sizes, where all that it comes to is what the call had."""
        absent = tuple(spec.name for spec in self.case.tensors if spec.name not in self.tensors)
        if any(not can_have(size, sizes[size.name]) for size in self.case.sizes):
            return None
        if any(not self.case.tensor(name).optional for name in absent):
            return None
        layouts = {
            spec.name: _layout(spec, self.tensors[spec.name]) for spec in self.case.tensors if spec.name in self.tensors
        }
        fill = "reals" if "reals" in self.case.fills else self.case.fills[0]
        grad_output = next(iter(layouts.values()), "contiguous")
        example = Example(self.case.id, dtype, sizes, {**layouts, "grad_output": grad_output}, absent, fill)
        return example if self._is_made_by(example) else None

    def _is_made_by(self, example: Example) -> bool:
        """Whether the example makes the call: the same arguments, on tensors of the same shapes."""
        try:
            example_shapes = shapes(self.case, example)
            if not all(equation.is_true_of(example.sizes) for equation in self.equations):
                return False
        except (UserError, ExpressionError):
            return False
        return all(example_shapes[name] == tensor.shape for name, tensor in self.tensors.items())


def _layout(spec: TensorSpec, tensor: CallTensor) -> str:
    return "channels_last" if spec.channels_last and tensor.memory_format == "channels_last" else "contiguous"
