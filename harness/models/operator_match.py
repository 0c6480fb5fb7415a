"""From a call that a model made to an example of an operator case that makes the same call."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

from harness.core import (
    Case,
    Example,
    Expression,
    ExpressionError,
    Finding,
    Size,
    TensorArgument,
    TensorSpec,
    TorchName,
)
from harness.errors import UserError
from harness.generation import shapes
from harness.models.localise import format_of, is_tensor, tensors_of
from harness.models.model import Call

LARGEST: Final = 4096
"""No size of a case is solved for beyond this."""

Pair = tuple[Expression, Any]
"""What a declaration has, and what it came to in the call."""


def match_operator(cases: Iterable[Case], calls: Sequence[Call]) -> tuple[Case, Example] | None:
    """An example of one of the cases that makes one of the calls, with the case; None where none does.

    Sizes are solved from the shapes of the tensors and the values of the arguments. Only an example whose shapes and
    arguments come out exactly as in the call counts. The dtype is that of the result: autocast changes what goes in.
    """
    known = list(cases)
    for call in calls:
        for case in known:
            if _operator(call.function) == _operator(case.call) and (found := _example(case, call)) is not None:
                return case, found
    return None


def _operator(dotted: str) -> str:
    """The name of the operator: many a function has two, such as ``torch.relu_`` and ``torch.nn.functional.relu``."""
    home, _, name = dotted.rpartition(".")
    return name.rstrip("_") if home in ("torch", "torch.nn.functional", "torch.Tensor", "torch._C._nn") else dotted


def _example(case: Case, call: Call) -> Example | None:
    written = {**dict(zip(call.parameters, case.by_position, strict=False)), **case.arguments}
    if any(name not in written and name not in call.standard for name in call.given):
        return None  # it passes what the case never does
    named: dict[str, Any] = {}
    pairs: list[Pair] = []
    for name, expected in written.items():
        if name in call.given and not _paired(case, expected, call.given[name], named, pairs):
            return None
    dtype = next((tensor[1] for tensor in tensors_of(call.returned)), "")
    sizes = _solved(case, pairs)
    return None if sizes is None or dtype not in case.dtypes else _made(case, dtype, sizes, named, pairs)


def _paired(case: Case, written: Any, value: Any, named: dict[str, Any], pairs: list[Pair]) -> bool:
    """Take apart one argument: tensors by name, equations for the sizes. False where it can never be the same."""
    if isinstance(written, TensorArgument):
        spec = case.tensor(written.tensor)
        if value is None:
            named[spec.name] = None
            return spec.optional
        if not is_tensor(value) or len(value[2]) != len(spec.shape):
            return False
        named[spec.name] = value
        pairs.extend(zip(spec.shape, value[2], strict=True))
        return True
    if isinstance(written, Expression):
        pairs.append((written, value))
        return True
    if isinstance(written, tuple) and isinstance(value, tuple) and len(written) == len(value):
        return all(_paired(case, one, other, named, pairs) for one, other in zip(written, value, strict=True))
    return not isinstance(written, TorchName) and _alike(written, value)


def _made(
    case: Case, dtype: str, sizes: Mapping[str, Any], named: Mapping[str, Any], pairs: Sequence[Pair]
) -> Example | None:
    """The example, where all that it comes to is what the call had."""
    if any(not _fits(size, sizes[size.name]) for size in case.sizes):
        return None
    absent = tuple(spec.name for spec in case.tensors if named.get(spec.name) is None)
    if any(not case.tensor(name).optional for name in absent):
        return None
    present = [spec for spec in case.tensors if spec.name not in absent]
    layouts = {spec.name: _layout(spec, named[spec.name]) for spec in present}
    fill = "reals" if "reals" in case.fills else case.fills[0]
    grad = layouts[present[0].name] if present else "contiguous"
    example = Example(case.id, dtype, sizes, {**layouts, "grad_output": grad}, absent, fill)
    try:
        made = shapes(case, example)
        same = all(_alike(expression.evaluate(sizes), value) for expression, value in pairs)
    except (UserError, ExpressionError):
        return None
    return example if same and all(made[spec.name] == named[spec.name][2] for spec in present) else None


def _fits(size: Size, value: Any) -> bool:
    """Whether a size can have the value: a convolution's padding may be a word in the call."""
    if size.length and not (isinstance(value, tuple) and len(value) == size.length):
        return False
    parts = value if size.length else (value,)
    return size.kind == "choice" or all(isinstance(part, int) and not isinstance(part, bool) for part in parts)


def worth_matching(accepted: Iterable[tuple[str, Finding]], wrong: Iterable[Finding]) -> tuple[str, ...]:
    """The known issues by which each wrong tensor of a module is known of its operator; none where one is left over."""
    found: dict[str, None] = {}
    known = list(accepted)
    for finding in wrong:
        mine = [name for name, one in known if _same_fault(one, finding)]
        if not mine:
            return ()
        found.update(dict.fromkeys(mine))
    return tuple(found)


def _same_fault(operators: Finding, modules: Finding) -> bool:
    """Whether an operator's finding is about what a module's is: of images in, of parameters, of what comes out."""
    if operators.oracle == "strides" or modules.oracle == "strides":
        return operators.oracle == modules.oracle and operators.tensor.startswith("output")
    if modules.tensor.startswith("grad_"):
        return operators.tensor.startswith("grad:")
    return modules.tensor in ("", operators.tensor) or operators.oracle in ("crash", "hang")


def _layout(spec: TensorSpec, tensor: Any) -> str:
    return "channels_last" if spec.channels_last and format_of(tensor) == "nhwc" else "contiguous"


def _solved(case: Case, pairs: Sequence[Pair]) -> dict[str, Any] | None:
    """Values of all sizes that fit the equations, one unknown at a time; None where that does not give all of them."""
    sizes: dict[str, Any] = {}
    lengths = {size.name: size.length for size in case.sizes}
    progress = True
    while progress:
        progress = False
        for expression, value in pairs:
            unknown = expression.names - sizes.keys()
            if len(unknown) != 1:
                continue
            name = next(iter(unknown))
            solution = next(_solutions(expression, name, value, sizes, lengths.get(name, 0)), None)
            if solution is not None:
                sizes[name] = solution
                progress = True
    return _completed(case, sizes, pairs)


def _completed(case: Case, sizes: dict[str, Any], pairs: Sequence[Pair]) -> dict[str, Any] | None:
    """Sizes of several unknowns: pairs element by element, then choices as the simplest that are left open."""
    for size in case.sizes:
        if size.name in sizes:
            continue
        parts = [_part(size.name, index, pairs) for index in range(size.length)]
        if size.length and all(part is not None for part in parts):
            sizes[size.name] = tuple(parts)
        elif size.kind == "choice" and not size.length:
            sizes[size.name] = size.choices[0]
        else:
            return None
    return sizes


def _part(name: str, index: int, pairs: Sequence[Pair]) -> Any:
    """One element of a tuple that the equations name alone: ``kernel[0]``."""
    return next((value for expression, value in pairs if expression.text == f"{name}[{index}]"), None)


def _solutions(expression: Expression, name: str, value: Any, sizes: Mapping[str, Any], length: int) -> Iterator[Any]:
    """The values of one size that make the expression come out."""
    if expression.text == name:
        yield value if isinstance(value, tuple) or not length else (value,) * length
        return
    if length or isinstance(value, bool) or not isinstance(value, int):
        return
    for candidate in (value, *range(LARGEST)):
        try:
            if expression.evaluate({**sizes, name: candidate}) == value:
                yield candidate
        except ExpressionError:
            return


def _alike(one: Any, other: Any) -> bool:
    """Equal, one number standing for a tuple of it; a flag that is None, as ``align_corners``, is off."""
    if one is False and other is None:
        return True
    if isinstance(one, tuple) != isinstance(other, tuple):
        several, single = (one, other) if isinstance(one, tuple) else (other, one)
        return all(part == single for part in several)
    return bool(one == other)
