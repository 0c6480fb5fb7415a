"""The smallest script that shows a fault: plain PyTorch, written from the reproducer of one of the fault's places."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from harness.core import Case, Example, KnownFault, KnownIssue, Level, TensorArgument, TorchName
from harness.core.example import GRAD_OUTPUT
from harness.generation import ResolvedExample, ResolvedTensor, resolve_example
from harness.golden import complete_layouts
from harness.portable import fills, layouts
from harness.portable.dtypes import FLOATING, is_differentiable
from harness.reporting.templating import TEMPLATES

MOST_LITERALS: Final = 128
"""A tensor of so many elements has the reproducer's own numbers, written out; a larger one others of the same kind."""

ATTEMPTS: Final = {"crash": 20, "hang": 20}
"""How often a script makes the call, by the oracle of the fault: what spoils the heap is not noticed at once."""

FAULT_IS_HERE: Final = "the fault is here"
"""What a script prints last where it shows the fault."""

POISON: Final = {"MALLOC_PERTURB_": "165", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
"""The environment in which memory is filled when it is handed out, so that what nobody wrote is wrong every time."""

_TOLERANCE: Final = {"float16": 0.51, "bfloat16": 0.51, "float32": 64.0, "float64": 4096.0}
"""Units in the last place within which a script takes a result for right, half of one being its own rounding.

The half types are accumulated in float32; float32 and float64 in themselves, over a few thousand terms.
"""


@dataclass(frozen=True)
class ScriptTensor:
    """One tensor of a script: what its numbers are made by, and where its elements lie, in elements."""

    name: str
    numbers: str
    dtype: str
    strides: tuple[int, ...]
    offset: int
    length: int
    gradient: bool
    buffer: bool
    floating: bool


def fault_script(fault: KnownFault, cases: Mapping[str, Case], levels: Sequence[Level]) -> str | None:
    """A script of the first of the fault's places that plain PyTorch can show; None where none can be shown so.

    It prints ``the fault is here`` and exits with 1, or prints ``no fault here`` and exits with 0, as ``git bisect
    run`` wants it; where the fault ends the process it dies by a signal.
    """
    for place in fault.places:
        case = cases.get(place.reproducer.case)
        if case is not None and (text := place_script(place, case, levels)):
            return text
    return None


def place_script(place: KnownIssue, case: Case, levels: Sequence[Level]) -> str | None:
    """A script of one place; None where the harness' own callables, another package or a rare path have a part."""
    example = complete_layouts(case, place.reproducer)
    resolved = resolve_example(case, example)
    if not _can_be_written(case, resolved):
        return None
    level = next((level for level in levels if level.name in place.cells and level.default), None)
    if level is None:
        return None
    tensors = [_script_tensor(tensor, resolved) for tensor in resolved.tensors if tensor.shape is not None]
    return TEMPLATES.get_template("fault_script.py.jinja").render(
        place=place,
        settings=_settings(level),
        level=level,
        example=example,
        tensors=tensors,
        call=_call_text(case, resolved),
        differentiated=[tensor for tensor in tensors if tensor.gradient] if example.path == "plain" else [],
        grad_output=_grad_output_text(example),
        grad_output_numbers=_drawn_numbers(example.fill, example.dtype, "shape", None, resolved.terms),
        attempts=ATTEMPTS.get(place.oracle, 1),
        spacings=_TOLERANCE.get(example.dtype, 0.0),
        fault_is_here=FAULT_IS_HERE,
        is_half=example.dtype in ("float16", "bfloat16"),
        is_vmapped=example.path == "vmap",
        last=5 if any(len(tensor.strides) == 5 for tensor in tensors) else 4,
    )


def _can_be_written(case: Case, resolved: ResolvedExample) -> bool:
    example = resolved.example
    simple = example.layouts.get(GRAD_OUTPUT, "contiguous") in ("contiguous", "channels_last")
    shared = any(name.endswith("expand_n") for name in example.layouts.values())
    plain = case.call.startswith("torch.") and example.path in ("plain", "vmap") and not example.inplace
    drawn = all(_is_drawable(tensor, example) for tensor in resolved.tensors)
    return plain and simple and drawn and not shared and not case.requires


def _is_drawable(tensor: ResolvedTensor, example: Example) -> bool:
    small = tensor.shape is None or math.prod(tensor.shape) <= MOST_LITERALS
    return small or (example.fill != "special" and not tensor.distinct)


def _settings(level: Level) -> dict[str, str]:
    """The environment: the level, and memory that is filled when it is handed out."""
    caps = {"ONEDNN_MAX_CPU_ISA": level.onednn, "ATEN_CPU_CAPABILITY": level.aten}
    return {name: value for name, value in {**caps, **POISON}.items() if value is not None}


def _script_tensor(tensor: ResolvedTensor, resolved: ResolvedExample) -> ScriptTensor:
    assert tensor.shape is not None  # noqa: S101 - absent ones are left out
    strides, offset, length = layouts.placement(tensor.layout, tensor.shape)
    return ScriptTensor(
        name=tensor.name,
        numbers=_numbers_text(tensor, tensor.shape, resolved),
        dtype=tensor.dtype,
        strides=strides,
        offset=offset,
        length=length,
        gradient=tensor.gradient and is_differentiable(tensor.dtype),
        buffer=tensor.buffer,
        floating=tensor.dtype in FLOATING,
    )


def _numbers_text(tensor: ResolvedTensor, shape: tuple[int, ...], resolved: ResolvedExample) -> str:
    """The expression that makes the numbers in float64."""
    example = resolved.example
    if math.prod(shape) > MOST_LITERALS:
        return _drawn_numbers(example.fill, tensor.dtype, repr(shape), tensor.between, resolved.terms)
    numbers = fills.values(
        example.fill,
        tensor.dtype,
        shape,
        example.seed,
        tensor.stream,
        resolved.terms,
        tensor.between,
        tensor.distinct,
    )
    literals = ", ".join(_number_text(number) for number in numbers.flatten().tolist())
    return f"torch.tensor([{literals}], dtype=torch.float64).reshape({shape!r})"


def _number_text(number: float) -> str:
    return repr(int(number)) if number == int_or_none(number) and not _is_negative_zero(number) else repr(number)


def int_or_none(number: float) -> int | None:
    """The whole number that it is, if it is one."""
    return int(number) if math.isfinite(number) and number == int(number) else None


def _is_negative_zero(number: float) -> bool:
    return number == 0 and math.copysign(1.0, number) < 0


def _drawn_numbers(fill: str, dtype: str, shape: str, between: tuple[float, float] | None, terms: int) -> str:
    """An expression that draws numbers of that kind, exact in the dtype."""
    if dtype not in FLOATING:
        low, high = between or (0, 3)
        return f"torch.randint({math.ceil(low)}, {math.floor(high) + 1}, {shape}).double()"
    if between is not None:
        return f"({between[0]} + {between[1] - between[0]} * torch.rand({shape})).to(torch.{dtype}).double()"
    largest, _ = fills.density(dtype, terms)
    return {
        "integers": f"torch.randint({-largest}, {largest + 1}, {shape}).double()",
        "ones": f"torch.ones({shape}, dtype=torch.float64)",
        "offset": f"(98 + 4 * torch.rand({shape})).to(torch.{dtype}).double()",
        "wide": f"(torch.randn({shape}) * 2.0 ** torch.randint(-12, 13, {shape})).to(torch.{dtype}).double()",
    }.get(fill, f"torch.randn({shape}).to(torch.{dtype}).double()")


def _grad_output_text(example: Example) -> str:
    return example.layouts.get(GRAD_OUTPUT, "contiguous")


def _call_text(case: Case, resolved: ResolvedExample) -> str:
    """The call on the tensors of the mapping `tensors`."""
    present = {tensor.name for tensor in resolved.tensors if tensor.shape is not None}
    passed = [_argument_text(value, present) for value in resolved.positional]
    passed += _keyword_texts(resolved.arguments, present)
    if resolved.module is None:
        return f"{case.call}({', '.join(passed)})"
    init = ", ".join(_keyword_texts(resolved.module.init, present))
    states = [(name, tensor) for name, tensor in resolved.module.state.items() if tensor in present]
    state = ", ".join(f"{name!r}: tensors[{tensor!r}]" for name, tensor in states)
    module = f"{case.call}({init}).train({resolved.module.train})"
    return f"torch.func.functional_call({module}, {{{state}}}, ({', '.join(passed)},))"


def _keyword_texts(values: Mapping[str, Any], present: set[str]) -> list[str]:
    return [f"{name}={_argument_text(value, present)}" for name, value in values.items()]


def _argument_text(value: Any, present: set[str]) -> str:
    if isinstance(value, TensorArgument):
        return f"tensors[{value.tensor!r}]" if value.tensor in present else "None"
    if isinstance(value, TorchName):
        return f"torch.{value.name}"
    if isinstance(value, tuple):
        return _tuple_text(_argument_text(part, present) for part in value)
    return repr(value)


def _tuple_text(parts: Iterable[str]) -> str:
    texts = list(parts)
    return f"({', '.join(texts)}{',' if len(texts) == 1 else ''})"
