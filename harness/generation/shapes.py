"""What the sizes of an example come to: legal values, tensor shapes, arguments, the longest reduction, the budget."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Any

from harness.core import Case, Example, Expression, ExpressionError, Size, TensorSpec
from harness.errors import UndrawableError, UserError
from harness.generation.sizes import Domain, UnsatisfiableError, domain

Sizes = Mapping[str, Any]
Coordinate = tuple[str, int]
"""One scalar of the sizes: the size's name and the position in its tuple, -1 where it is no tuple."""

SIMPLEST = object()
"""A wish that no domain holds, so that the nearest legal value is the simplest one."""

BUDGET = 2**16
"""Elements of the largest tensor of an example that is drawn."""

MOST_ELEMENTS = 2**27
"""Elements of all tensors of an example that somebody wrote: those of a model's largest layer, with a batch."""


def mistake(case: Case, message: str) -> UserError:
    """The error for something that the declaration of `case` has wrong."""
    return UndrawableError(f"{case.id} (line {case.line})", message)


def unsatisfiable_mistake(case: Case, problem: str) -> UserError:
    """The error for a case none of whose draws is legal."""
    return mistake(
        case, f"nothing satisfies this case: {problem}; loosen `require` or give the sizes bounds that meet it"
    )


def evaluate(case: Case, expression: Expression, sizes: Sizes) -> Any:
    """The expression's value with these sizes. Raises UserError naming the case."""
    try:
        return expression.evaluate(sizes)
    except ExpressionError as error:
        raise mistake(case, error.message) from error


def number(case: Case, expression: Expression, sizes: Sizes) -> int | float:
    """The expression's value with these sizes. Raises UserError naming the case, for what is no number as well."""
    value = evaluate(case, expression, sizes)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return value
    raise mistake(case, f"{expression.text!r} is {value!r}, where a number is needed")


def check_indices(case: Case, example: Example) -> None:
    """Raise UserError where the bound of a tensor of indices (`below`) is no number of at least 0."""
    for numerics in case.numerics.each.values():
        if numerics.below is not None and number(case, numerics.below, example.sizes) < 0:
            raise mistake(case, f"{numerics.below.text!r} is negative, and bounds indices from 0")


def domain_of(case: Case, size: Size, sizes: Sizes) -> Domain:
    """The values `size` may take after `sizes`. Raises UserError for a bound that cannot be computed."""
    try:
        return domain(size, sizes)
    except ExpressionError as error:
        raise mistake(case, f"the bounds of {size.name}: {error.message}") from error


def legalise(case: Case, targets: Sizes) -> dict[str, Any]:
    """The legal sizes nearest to `targets`, in declared order; what they leave out is simplest.

    Raises UnsatisfiableError where a range is empty or a constraint of `require` does not hold.
    """
    sizes: dict[str, Any] = {}
    for size in case.sizes:
        allowed = domain_of(case, size, sizes)
        value = targets.get(size.name, SIMPLEST)
        if size.length:
            parts = value if isinstance(value, tuple) and len(value) == size.length else (SIMPLEST,) * size.length
            sizes[size.name] = tuple(allowed.nearest(part) for part in parts)
        else:
            sizes[size.name] = allowed.nearest(value)
    check_required(case, sizes)
    return sizes


def check_required(case: Case, sizes: Sizes) -> None:
    """Raise UnsatisfiableError with the first constraint that does not hold."""
    for constraint in case.require:
        if not evaluate(case, constraint, sizes):
            raise UnsatisfiableError(f"{constraint.text!r} does not hold")


def shapes(case: Case, example: Example) -> dict[str, tuple[int, ...]]:
    """The shape of each present tensor, in declared order. Raises UserError for a size that is not 0 or more."""
    return {spec.name: shape_of(case, spec, example.sizes) for spec in case.tensors if spec.name not in example.absent}


def shape_of(case: Case, spec: TensorSpec, sizes: Sizes) -> tuple[int, ...]:
    """The shape of one tensor. Raises UserError naming case, tensor and values."""
    shape = tuple(evaluate(case, expression, sizes) for expression in spec.shape)
    for expression, value in zip(spec.shape, shape, strict=True):
        if isinstance(value, bool) or not isinstance(value, int) or value < 0:
            used = ", ".join(f"{name}={sizes[name]!r}" for name in sorted(expression.names) if name in sizes)
            values = f" with {used}" if used else ""
            raise mistake(case, f"{spec.name} has a size {expression.text!r} = {value!r}{values}; sizes are 0 or more")
    return shape


def arguments(case: Case, example: Example) -> dict[str, Any]:
    """The keyword arguments with their expressions evaluated; a list is a tuple, a tensor a TensorArgument."""
    return {name: _value(case, value, example.sizes) for name, value in case.arguments.items()}


def positional(case: Case, example: Example) -> tuple[Any, ...]:
    """The same for the arguments passed by position."""
    return tuple(_value(case, value, example.sizes) for value in case.by_position)


def construction(case: Case, example: Example) -> tuple[dict[str, Any], bool]:
    """The keyword arguments that make the case's module, and whether it is in training mode; none for a function."""
    if case.module is None:
        return {}, False
    init = {name: _value(case, value, example.sizes) for name, value in case.module.init.items()}
    return init, bool(_value(case, case.module.train, example.sizes))


def _value(case: Case, value: Any, sizes: Sizes) -> Any:
    if isinstance(value, Expression):
        return evaluate(case, value, sizes)
    if isinstance(value, list | tuple):
        return tuple(_value(case, part, sizes) for part in value)
    return value


def terms(case: Case, example: Example) -> int:
    """The length of the longest reduction, forward or backward, from which the density of a fill is chosen.

    It is what `numerics.terms` declares. Else, for an operator that selects or works element by element, the product of
    its ranges and choices that are numbers (a kernel's extent, a scale: how often an element can be selected), within
    the first tensor. Else an upper estimate: a product of the first tensor with another keeps the channel (the gradient
    of a weight or a bias: numel / size[1]) or reduces it; a product with another tensor keeps its first dimension
    (forward) or its second (the gradient of the input), so numel / min(size[0], size[1]). A full reduction of one
    tensor is longer: declare it. Nothing relies on the estimate but the density; that sums are exact is checked on
    the numbers themselves.
    """
    if case.numerics.terms is not None:
        return max(1, int(number(case, case.numerics.terms, example.sizes)))
    first, *others = [*shapes(case, example).values()] or [()]
    if not others and case.numerics.output in ("exact", "elementwise"):
        return max(1, min(math.prod(first), _selections(case, example.sizes)))
    estimates = [math.prod(first) // max((1, *first[1:2])), *first[1:2]]
    estimates += [math.prod(shape) // max(1, min(shape[:2], default=1)) for shape in others]
    return max(1, *estimates)


def _selections(case: Case, sizes: Sizes) -> int:
    kinds = {size.name: size.kind for size in case.sizes}
    numbers = (scalar(sizes, at) for at in coordinates(case) if kinds[at[0]] in ("range", "choice"))
    return math.prod(abs(number) for number in numbers if isinstance(number, int) and number)


def coordinates(case: Case) -> Iterator[Coordinate]:
    """Every scalar of the sizes, in declared order."""
    for size in case.sizes:
        yield from ((size.name, position) for position in range(size.length)) if size.length else [(size.name, -1)]


def scalar(sizes: Sizes, at: Coordinate) -> Any:
    """The value at a coordinate."""
    name, position = at
    return sizes[name] if position < 0 else sizes[name][position]


def with_values(sizes: Sizes, changes: Mapping[Coordinate, Any]) -> dict[str, Any]:
    """A copy of `sizes` with the values at these coordinates replaced, legal or not."""
    changed = dict(sizes)
    for (name, position), value in changes.items():
        old = changed[name]
        changed[name] = value if position < 0 else (*old[:position], value, *old[position + 1 :])
    return changed


def largest_numel(case: Case, sizes: Sizes) -> int:
    """Elements of the largest tensor, the optional ones included."""
    return max((math.prod(shape_of(case, spec, sizes)) for spec in case.tensors), default=0)


def describe_excess(case: Case, example: Example) -> str:
    """Why an example that somebody wrote is too large to be run, or has no shapes at all; nothing where it can be."""
    try:
        elements = {name: math.prod(shape) for name, shape in shapes(case, example).items()}
    except UserError as error:
        return str(error)
    if (total := sum(elements.values())) <= MOST_ELEMENTS:
        return ""
    largest = max(elements, key=elements.__getitem__)
    whole = f"its tensors have {total:,} elements, of which {largest!r} has {elements[largest]:,}"
    return f"{whole}; no more than {MOST_ELEMENTS:,} can be run"


def is_within_budget(case: Case, example: Example) -> bool:
    """Whether the example is no larger than one that is drawn."""
    return largest_numel(case, example.sizes) <= BUDGET


def within_budget(case: Case, sizes: dict[str, Any], budget: int = BUDGET) -> dict[str, Any]:
    """`sizes`, or smaller ones whose largest tensor is within the budget; the smallest there are where none is.

    The largest spatial size is halved first, down to its bound, then channels, then batch, then all else goes to its
    simplest value; only what makes the largest tensor smaller is touched. Raises UnsatisfiableError as `legalise` does.
    """
    while (elements := largest_numel(case, sizes)) > budget:
        smaller = next((each for each in _smaller(case, sizes) if largest_numel(case, each) < elements), None)
        if smaller is None:
            break
        sizes = smaller
    return sizes


def _smaller(case: Case, sizes: Sizes) -> Iterator[dict[str, Any]]:
    kinds = {size.name: size.kind for size in case.sizes}
    for kind in ("spatial", "channels", "batch", "range", "choice"):
        these = [at for at in coordinates(case) if kinds[at[0]] == kind]
        halve = kind in ("spatial", "channels", "batch")
        for at in sorted(these, key=lambda at: -scalar(sizes, at)) if halve else these:
            try:
                yield legalise(case, with_values(sizes, {at: max(1, scalar(sizes, at) // 2) if halve else SIMPLEST}))
            except UnsatisfiableError:
                continue
