"""The examples that a suite declares, completed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from harness.core import Case, DeclaredExample, Example
from harness.core.example import GRAD_OUTPUT
from harness.generation.shapes import legalise, mistake
from harness.generation.sizes import UnsatisfiableError
from harness.generation.space import Factor, factors
from harness.portable import layouts
from harness.portable.fills import FILLS

if TYPE_CHECKING:
    from collections.abc import Mapping


def declared_examples(case: Case, dtype: str) -> list[Example]:
    """The case's own examples, in order; what one leaves open takes its simplest value, optional tensors are present.

    They are as large as they say: the element budget is for draws. Raises UserError for what is not legal.
    """
    return [_complete(case, dtype, declared) for declared in case.examples]


def _complete(case: Case, dtype: str, declared: DeclaredExample) -> Example:
    where = f"the example {declared.why!r}"
    names = {factor.name: factor for factor in factors(case, dtype) if factor.kind == "layout"}
    absent = _absent(case, declared, where)
    return Example(
        case=case.id,
        dtype=dtype,
        sizes=_sizes(case, declared.sizes, where),
        layouts=_layouts(case, names, declared, where),
        absent=absent,
        fill=_fill(case, declared.fill, where),
        threads=declared.threads or 1,
        inplace=_inplace(case, declared, where),
    )


def _sizes(case: Case, fixed: Mapping[str, Any], where: str) -> dict[str, Any]:
    names = [size.name for size in case.sizes]
    if unknown := [name for name in fixed if name not in names]:
        raise mistake(case, f"{where} fixes {unknown[0]!r}; the sizes are {', '.join(names)}")
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in fixed.items()}
    try:
        sizes = legalise(case, values)
    except UnsatisfiableError as error:
        raise mistake(case, f"{where}: {error}") from error
    for name, value in values.items():
        if sizes[name] != value:
            raise mistake(case, f"{where} has {name} = {value!r}, which is not legal; the nearest is {sizes[name]!r}")
    return sizes


def _absent(case: Case, declared: DeclaredExample, where: str) -> tuple[str, ...]:
    optional = [spec.name for spec in case.tensors if spec.optional]
    for name in declared.absent:
        if name not in optional:
            raise mistake(case, f"{where} leaves out {name!r}; optional are {', '.join(optional) or 'none'}")
    return tuple(name for name in optional if name in declared.absent)


def _layouts(case: Case, names: Mapping[str, Factor], declared: DeclaredExample, where: str) -> dict[str, str]:
    for name, layout in declared.layouts.items():
        if name == GRAD_OUTPUT and name not in names:  # in a dtype that has no gradient
            continue
        if name not in names:
            raise mistake(case, f"{where} has a layout of {name!r}; the tensors are {', '.join(names)}")
        try:
            layouts.split_name(layout)
        except ValueError as error:
            raise mistake(case, f"{where}, {name}: {error}") from error
    return {name: declared.layouts.get(name, "contiguous") for name in names if name not in declared.absent}


def _fill(case: Case, fill: str | None, where: str) -> str:
    if fill is not None and fill not in FILLS:
        raise mistake(case, f"{where} has the fill {fill!r}; there are {', '.join(FILLS)}")
    return fill or case.fills[0]


def _inplace(case: Case, declared: DeclaredExample, where: str) -> bool:
    if declared.inplace and case.inplace is None:
        raise mistake(case, f"{where} is in place, and the case declares no `inplace` form")
    return declared.inplace
