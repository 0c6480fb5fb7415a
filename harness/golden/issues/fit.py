"""Whether an example that was written down, by a run or by a person, still is one of its case."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from harness.core import Case, Example, Size
from harness.core.example import GRAD_OUTPUT
from harness.portable.fills import FILLS
from harness.portable.layouts import LAYOUTS
from harness.suites import suggestion


def describe_misfit(case: Case, example: Example) -> str:
    """What of the example is not its case's, in a few words; nothing where all of it is."""
    return next(_misfits(case, example), "")


def complete_layouts(case: Case, example: Example) -> Example:
    """The example with a layout for every tensor that it has, and grad_output: contiguous where it names none."""
    names = [spec.name for spec in case.tensors if spec.name not in example.absent]
    names += [GRAD_OUTPUT] if case.has_grad_output(example.dtype) else []
    layouts = {name: example.layouts.get(name, "contiguous") for name in names}
    return example.but(layouts={**layouts, **example.layouts})


def _misfits(case: Case, example: Example) -> Iterator[str]:
    if example.case != case.id:
        yield f"it is an example of {example.case}"
    if example.dtype not in case.every_dtype:
        yield f"{case.name} is not run in {example.dtype!r}; its dtypes are {', '.join(case.every_dtype)}"
    yield from _sizes(case, example)
    yield from _layouts(case, example)
    if example.fill not in FILLS:
        yield f"there is no fill {example.fill!r}{suggestion(example.fill, FILLS)}"
    if example.path not in (paths := case.paths_in(example.dtype)):
        yield f"{case.name} has no path {example.path!r}{suggestion(example.path, paths)}"
    if example.setting not in case.every_setting:
        yield f"{case.name} has no setting {example.setting!r}{suggestion(example.setting, case.every_setting)}"
    if example.inplace and case.inplace is None:
        yield f"{case.name} declares no in-place form"


def _sizes(case: Case, example: Example) -> Iterator[str]:
    declared = {size.name: size for size in case.sizes}
    yield from (f"it gives no value for the size {name!r}" for name in declared if name not in example.sizes)
    for name, value in example.sizes.items():
        if name not in declared:
            yield f"{name!r} is not a size of {case.name}{suggestion(name, list(declared))}"
        elif due := _due_value(declared[name], value):
            yield f"the size {name!r} is {due}, not {value!r}"


def _due_value(size: Size, value: Any) -> str:
    """What the value should be, where it is something else."""
    if size.length and not (isinstance(value, tuple) and len(value) == size.length):
        return f"a list of {size.length}"
    parts = value if size.length else (value,)
    whole = all(isinstance(part, int) and not isinstance(part, bool) for part in parts)
    return "" if whole or size.kind == "choice" else "a whole number"


def _layouts(case: Case, example: Example) -> Iterator[str]:
    optional = [spec.name for spec in case.tensors if spec.optional]
    for name in example.absent:
        if name not in optional:
            yield f"{name!r} cannot be absent; optional are: {', '.join(optional) or 'none'}"
    tensors = [*(spec.name for spec in case.tensors), GRAD_OUTPUT]
    for name, layout in example.layouts.items():
        if name not in tensors:
            yield f"{name!r} is not a tensor of {case.name}{suggestion(name, tensors)}"
        elif layout not in LAYOUTS:
            yield f"there is no layout {layout!r}{suggestion(layout, LAYOUTS)}"
