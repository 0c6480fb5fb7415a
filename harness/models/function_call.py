"""One function of torch that a module called, with the tensors that it took and gave."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias

from harness.portable.memory_format import FormatReading, format_by_order
from harness.portable.model_protocol import FunctionArgument, FunctionCallData

ArgumentValue: TypeAlias = "CallTensor | tuple[ArgumentValue, ...] | bool | int | float | str | None"
"""An argument or a result of a call: a tensor, a container of these, a number, a text or nothing."""

_SHOWN_FORMATS: Final[Mapping[FormatReading, str]] = {"channels_last": " NHWC", "contiguous": " NCHW"}


@dataclass(frozen=True)
class CallTensor:
    """A tensor of a call without its elements: torch's name of the dtype, the shape, the strides in elements."""

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...]

    @property
    def memory_format(self) -> FormatReading:
        """The format in whose order the elements lie; ``ambiguous`` where the strides do not say it."""
        return format_by_order(self.shape, self.strides)

    def __str__(self) -> str:
        """As a call shows it: ``float32[2, 64, 8, 8] NHWC strides [4096, 1, 512, 64]``."""
        return (
            f"{self.dtype}{list(self.shape)}{_SHOWN_FORMATS.get(self.memory_format, '')} strides {list(self.strides)}"
        )


@dataclass(frozen=True)
class FunctionCall:
    """One function of torch that a module called in its own forward.

    `function` is its dotted name, `parameters` are the names of what it takes, in order. `arguments` has every argument
    by name, those left out with their default; `defaults` names the arguments that have their default.
    """

    function: str
    parameters: tuple[str, ...]
    arguments: Mapping[str, ArgumentValue]
    defaults: tuple[str, ...]
    results: tuple[ArgumentValue, ...]

    @property
    def loses_channels_last(self) -> bool:
        """Whether it took an image in NHWC and gave one in NCHW."""
        taken = {tensor.memory_format for tensor in tensors_in_values(self.arguments.values())}
        return "channels_last" in taken and "contiguous" in {
            tensor.memory_format for tensor in tensors_in_values(self.results)
        }

    def __str__(self) -> str:
        """As one writes it, without defaults: ``torch.relu(input=float32[1, 3, 2, 2] NHWC strides […]) -> …``."""
        stated = {name: value for name, value in self.arguments.items() if name not in self.defaults}
        arguments = ", ".join(f"{name}={_value_text(value)}" for name, value in stated.items())
        return f"{self.function}({arguments}) -> {', '.join(map(_value_text, self.results))}"


def tensors_in_values(values: Iterable[ArgumentValue]) -> Iterator[CallTensor]:
    """The tensors in arguments or results, however deep."""
    for value in values:
        if isinstance(value, CallTensor):
            yield value
        elif isinstance(value, tuple):
            yield from tensors_in_values(value)


def read_argument(data: FunctionArgument) -> ArgumentValue:
    """An argument as a worker says it: ``("tensor", dtype, shape, strides)``, a list of arguments, or itself."""
    if isinstance(data, tuple):
        _mark, dtype, shape, strides = data
        return CallTensor(dtype, tuple(shape), tuple(strides))
    return tuple(map(read_argument, data)) if isinstance(data, list) else data


def read_function_call(data: FunctionCallData) -> FunctionCall:
    """A call as a worker says it."""
    return FunctionCall(
        function=data["function"],
        parameters=tuple(data["parameters"]),
        arguments={name: read_argument(value) for name, value in data["arguments"].items()},
        defaults=tuple(data["defaults"]),
        results=tuple(map(read_argument, data["results"])),
    )


def _value_text(value: ArgumentValue) -> str:
    if isinstance(value, CallTensor):
        return str(value)
    if isinstance(value, tuple):
        return f"[{', '.join(map(_value_text, value))}]"
    return repr(value)
