"""The space of a case: its factors, and how a value for each of them makes an Example."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, Literal

from harness.core import Case, Example, ExpressionError, TensorSpec
from harness.core.example import GRAD_OUTPUT
from harness.generation.shapes import (
    check_required,
    domain_of,
    mistake,
    shape_of,
    unsatisfiable_mistake,
    within_budget,
)
from harness.generation.sizes import Domain, UnsatisfiableError, choice_domain, corner_count
from harness.portable import layouts
from harness.portable.settings import USUAL

THREADS = (1, 2)

_FIRST_CORNERS = (
    "contiguous",
    "channels_last",
    "channels_last:slice_c",
    "channels_last:slice_w",
    "channels_last:as_contiguous",
    "channels_last:image",
    "channels_last:odd",
    "contiguous:step_w",
    "contiguous:permuted",
    "channels_last:expand_n",
)
_OTHER_CORNERS = (
    "contiguous",
    "channels_last",
    "channels_last:as_contiguous",
    "channels_last:slice_c",
    "contiguous:permuted",
)
_PLAIN_CORNERS = ("contiguous", "contiguous:loaded", "contiguous:offset", "contiguous:step_c", "contiguous:permuted")
_GRAD_OUTPUT = (
    "contiguous",
    "channels_last",
    "contiguous:loaded",
    "channels_last:slice_c",
    "contiguous:permuted",
    "channels_last:expand_n",
    "contiguous:slice_c",
    "contiguous:expand_n",
)
_GRAD_OUTPUT_CORNERS = _GRAD_OUTPUT[:6]


@dataclass(frozen=True)
class Factor:
    """One free choice: a scalar of a size, a tensor's layout (None: the tensor is absent), or how the example runs.

    `position` is that in a size's tuple, -1 elsewhere; `count` the number of its corners; `primary` marks the layout
    of the first tensor. `domain` is None for sizes, whose domain depends on the sizes before them.
    """

    kind: Literal["size", "layout", "fill", "threads", "inplace", "path", "setting"]
    name: str
    count: int
    position: int = -1
    primary: bool = False
    domain: Domain | None = None


Pick = Callable[[Factor, Domain], Any]
"""Chooses a value of the domain for a factor."""


def factors(case: Case, dtype: str) -> tuple[Factor, ...]:
    """Every free choice of a case, sizes first and in declared order. Raises UserError for bounds that never hold."""
    return (*_size_factors(case), *_layout_factors(case, dtype), *_run_factors(case, dtype))


def _size_factors(case: Case) -> Iterator[Factor]:
    for size in case.sizes:
        try:
            count = corner_count(size)
        except ExpressionError as error:
            raise mistake(case, f"the bounds of {size.name}: {error.message}") from error
        except UnsatisfiableError as error:
            raise unsatisfiable_mistake(case, str(error)) from error
        for position in range(size.length) if size.length else (-1,):
            yield Factor("size", size.name, count, position)


def _layout_factors(case: Case, dtype: str) -> Iterator[Factor]:
    for index, spec in enumerate(case.tensors):
        allowed = _layout_domain(spec, _FIRST_CORNERS if index == 0 else _OTHER_CORNERS)
        yield Factor("layout", spec.name, len(allowed.corners), primary=index == 0, domain=allowed)
    if case.has_grad_output(dtype):
        unbatched, rank = case.has_unbatched_results, len(case.tensors[0].shape)
        either = not unbatched and any(spec.channels_last for spec in case.tensors)
        offers = layouts.names_for(rank, either, unbatched=unbatched)
        names = tuple(name for name in _GRAD_OUTPUT if name in offers)
        allowed = choice_domain(names, tuple(name for name in _GRAD_OUTPUT_CORNERS if name in offers))
        yield Factor("layout", GRAD_OUTPUT, len(allowed.corners), domain=allowed)


def _layout_domain(spec: TensorSpec, corners: tuple[str, ...]) -> Domain:
    names = layouts.names_for(len(spec.shape), spec.channels_last, inplace=spec.buffer, unbatched=spec.unbatched)
    formats = corners if "channels_last" in names else _PLAIN_CORNERS
    absent = (None,) if spec.optional else ()
    return choice_domain((*names, *absent), (*(name for name in formats if name in names), *absent))


def _run_factors(case: Case, dtype: str) -> Iterator[Factor]:
    yield Factor("fill", "fill", len(case.fills), domain=choice_domain(case.fills))
    yield Factor("threads", "threads", len(THREADS), domain=choice_domain(THREADS))
    if case.inplace is not None:
        yield Factor("inplace", "inplace", 2, domain=choice_domain((False, True)))
    if len(paths := case.paths_in(dtype)) > 1:  # one corner: rows of a covering array are for gradients too
        yield Factor("path", "path", 1, domain=choice_domain(paths, paths[:1]))
    if case.settings:
        yield Factor("setting", "setting", 1, domain=choice_domain(case.every_setting, case.every_setting[:1]))


def assemble(case: Case, dtype: str, free: tuple[Factor, ...], pick: Pick, seed: int) -> Example:
    """The example of these picks, within the element budget.

    Raises UnsatisfiableError where the sizes are not legal.
    """
    sizes = _pick_sizes(case, free, pick)
    check_required(case, sizes)
    sizes = within_budget(case, sizes)
    domains = ((each, _domain_at(case, each, sizes)) for each in free)
    chosen = {(each.kind, each.name): pick(each, allowed) for each, allowed in domains if allowed is not None}
    names = {name: value for (kind, name), value in chosen.items() if kind == "layout"}
    inplace = chosen.get(("inplace", "inplace"), False)
    return Example(
        case=case.id,
        dtype=dtype,
        sizes=sizes,
        layouts=without_overlap(case, {name: value for name, value in names.items() if value is not None}, inplace),
        absent=tuple(name for name, value in names.items() if value is None),
        fill=chosen["fill", "fill"],
        seed=seed,
        threads=chosen["threads", "threads"],
        inplace=inplace,
        path="plain" if inplace else chosen.get(("path", "path"), "plain"),
        setting=chosen.get(("setting", "setting"), USUAL),
    )


def _domain_at(case: Case, factor: Factor, sizes: Mapping[str, Any]) -> Domain | None:
    """The domain of a factor that is no size. A layout's values are those that lie apart at the tensor's shape.

    Its corners stay as they are, since a covering array counts them.
    """
    spec = next((spec for spec in case.tensors if spec.name == factor.name), None)
    if factor.kind != "layout" or factor.domain is None or spec is None:
        return factor.domain
    return replace(factor.domain, values=_distinct_layouts(factor.domain.values, shape_of(case, spec, sizes)))


@cache
def _distinct_layouts(names: tuple[str | None, ...], shape: tuple[int, ...]) -> tuple[str | None, ...]:
    """The names that are no plain format under another name: three images are no single one, for instance."""
    return tuple(name for name in names if name is None or ":" not in name or is_apart(name, shape))


def is_apart(name: str, shape: tuple[int, ...]) -> bool:
    """Whether the layout of that name lies otherwise than its plain format at the shape."""
    return layouts.placement(name, shape)[:2] != layouts.placement(name.partition(":")[0], shape)[:2]


def _pick_sizes(case: Case, free: tuple[Factor, ...], pick: Pick) -> dict[str, Any]:
    sizes: dict[str, Any] = {}
    pending = iter(factor for factor in free if factor.kind == "size")
    for size in case.sizes:
        allowed = domain_of(case, size, sizes)
        picked = tuple(pick(next(pending), allowed) for _ in range(size.length or 1))
        sizes[size.name] = picked if size.length else picked[0]
    return sizes


def without_overlap(case: Case, names: dict[str, str], inplace: bool) -> dict[str, str]:
    """`names`, but the tensor that is written in place has no two elements at one address: its plain format instead."""
    first = case.tensors[0].name if case.tensors else ""
    if inplace and names.get(first, "").endswith(":expand_n"):
        return {**names, first: names[first].partition(":")[0]}
    return names
