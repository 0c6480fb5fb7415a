"""An example of a case at sizes that networks have, for what is measured and not judged."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from harness.core import Case, Example
from harness.core.case import SizeKind
from harness.core.example import GRAD_OUTPUT
from harness.generation.shapes import coordinates, describe_excess, legalise, mistake
from harness.generation.sizes import UnsatisfiableError

BY_KIND: Final[Mapping[SizeKind, int]] = {"batch": 8, "channels": 64, "spatial": 56}
"""The sizes of an early layer of ResNet-50, whose images are 56 by 56."""

KERNEL: Final = "kernel"
WITH_KERNEL: Final[Mapping[str, int]] = {KERNEL: 3, "padding": 1, "pad_h": 1, "pad_w": 1}
"""Sizes that suites call so, where the kernel is one of them: 3 by 3, and the padding that keeps an image's size."""


def typical_example(case: Case, dtype: str, sizes: Mapping[str, Any] | None = None) -> Example:
    """All in channels-last that can be, with the legal sizes nearest to these and to typical ones; others are simplest.

    Its fill is reals, where the case has them. Raises UserError for sizes that the case has not, or that are not legal.
    """
    fixed = sizes or {}
    names = [size.name for size in case.sizes]
    if unknown := [name for name in fixed if name not in names]:
        raise mistake(case, f"there is no size {unknown[0]!r}; the sizes are {', '.join(names)}")
    try:
        legal = legalise(case, {**_targets(case), **fixed})
    except UnsatisfiableError as error:
        raise mistake(case, str(error)) from None
    if changed := [name for name, value in fixed.items() if legal[name] != value]:
        name = changed[0]
        raise mistake(case, f"{name} = {fixed[name]!r} is not legal; the nearest is {legal[name]!r}")
    example = Example(case.id, dtype, legal, _layouts(case, dtype), fill=_fill(case), path="no_grad")
    if excess := describe_excess(case, example):
        raise mistake(case, excess)
    return example


def _targets(case: Case) -> dict[str, Any]:
    """The sizes as large as they are to be, legal or not."""
    by_name = {size.name: size for size in case.sizes}
    by_their_names = WITH_KERNEL if KERNEL in by_name else {}
    targets: dict[str, Any] = {}
    for name, position in coordinates(case):
        target = by_their_names.get(name, BY_KIND.get(by_name[name].kind))
        if target is not None:
            targets[name] = target if position < 0 else (target,) * by_name[name].length
    return targets


def _layouts(case: Case, dtype: str) -> dict[str, str]:
    """Channels-last for every tensor that can be, and contiguous for the others."""
    layouts = {spec.name: "channels_last" if spec.channels_last else "contiguous" for spec in case.tensors}
    return {**layouts, GRAD_OUTPUT: "channels_last"} if case.has_grad_output(dtype) else layouts


def _fill(case: Case) -> str:
    return "reals" if "reals" in case.fills else case.fills[0]
