"""Small examples as a person writes them down: one shape, and one argument changed at a time.

PyTorch's `test_memory_format` has inputs of that kind (`module_db` in torch/testing/_internal/common_modules.py): they
are here to compare with, not what the gate runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from harness.core import Case, Example
from harness.core.case import Size, SizeKind
from harness.core.example import GRAD_OUTPUT
from harness.generation.shapes import coordinates, legalise
from harness.generation.sizes import UnsatisfiableError
from harness.generation.typical_example import WITH_KERNEL
from harness.portable import layouts
from harness.portable.settings import USUAL

SHAPE: Final[Mapping[SizeKind, int]] = {"batch": 2, "channels": 4, "spatial": 6}
"""About what `module_db` has: images of (2, 4, 6, 6)."""

FIXED_FILL: Final = "reals"


def fixed_examples(case: Case, dtype: str) -> list[Example]:
    """All of it in channels-last that can be, at one small shape, with the default arguments and each other choice."""
    examples: dict[str, Example] = {}
    for targets in _choices(case):
        try:
            sizes = legalise(case, targets)
        except UnsatisfiableError:
            continue
        example = plain_example(Example(case.id, dtype, sizes, _channels_last(case, dtype)), case)
        examples.setdefault(example.to_json(), example)
    return list(examples.values())


def plain_example(example: Example, case: Case) -> Example:
    """The example without views, one thread, not in place, forward and backward, with real numbers where there are."""
    plain = {name: layouts.split_name(layout)[0] for name, layout in example.layouts.items()}
    fill = FIXED_FILL if FIXED_FILL in case.fills else case.fills[0]
    return example.but(layouts=plain, fill=fill, threads=1, inplace=False, path="plain", setting=USUAL)


def _choices(case: Case) -> Iterator[dict[str, Any]]:
    """The sizes that are asked for, legal or not: the usual ones, then those with one choice changed."""
    usual = _usual_sizes(case)
    yield usual
    for size in case.sizes:
        for value in size.choices[1:] if size.kind == "choice" else ():
            yield {**usual, size.name: (value,) * size.length if size.length else value}


def _usual_sizes(case: Case) -> dict[str, Any]:
    by_name = {size.name: size for size in case.sizes}
    targets = {name: _usual_size(by_name[name]) for name, _position in coordinates(case)}
    return {
        name: (value,) * by_name[name].length if by_name[name].length else value
        for name, value in targets.items()
        if value is not None
    }


def _usual_size(size: Size) -> Any:
    """What a person writes for a size of that kind; None for the simplest."""
    if size.kind == "choice":
        return size.choices[0]
    return WITH_KERNEL.get(size.name, SHAPE.get(size.kind))


def _channels_last(case: Case, dtype: str) -> dict[str, str]:
    """Channels-last for every tensor that can be, and contiguous for the others."""
    formats = {spec.name: "channels_last" if spec.channels_last else "contiguous" for spec in case.tensors}
    return {**formats, GRAD_OUTPUT: "channels_last"} if case.has_grad_output(dtype) else formats
