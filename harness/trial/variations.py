"""The variations of a minimal example: each with one thing changed that a fault may be tied to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Final

from harness.core import Case, Example, Expression
from harness.core.example import GRAD_OUTPUT
from harness.execution import AS_USUAL, CellSettings
from harness.generation import neighbours, resolve_example
from harness.portable.layouts import placement, split_name
from harness.portable.memory_format import MEMORY_FORMATS
from harness.portable.settings import USUAL
from harness.trial.diagnosis import Variation, VariedAspect

PLAINEST: Final = "float32"
"""The dtype that every kernel has, and that most others are derived from."""


@dataclass(frozen=True)
class VariedCall:
    """A variation, with what is run for it: a case, an example of it, and how the cell is set up."""

    variation: Variation
    case: Case
    example: Example
    settings: CellSettings = AS_USUAL


@dataclass(frozen=True)
class Circumstances:
    """What decides which variations there are beside the example.

    `runs_onednn`: oneDNN ran something of it in the cell. `is_poisoned`: the cell's memory is filled before it is
    handed out. `can_do_without_preload`: there are preload files, and what is called is there without them.
    """

    runs_onednn: bool
    is_poisoned: bool
    can_do_without_preload: bool


def variations(case: Case, example: Example, circumstances: Circumstances) -> Iterator[VariedCall]:
    """Every variation that applies, the likeliest first; other levels are not among them."""
    for vary in _EXAMPLE_VARIATIONS:
        for variation, varied in vary(case, example):
            yield VariedCall(variation, case, varied)
    if circumstances.runs_onednn:
        settings = CellSettings(onednn=False)
        yield VariedCall(Variation(VariedAspect.ONEDNN, "oneDNN off"), case, example, settings)
    if circumstances.is_poisoned:
        settings = CellSettings(poisoned=False)
        yield VariedCall(Variation(VariedAspect.POISON, "unpoisoned memory"), case, example, settings)
    if case.reference is not None and not example.inplace and example.path == "plain":
        variation = Variation(VariedAspect.REFERENCE, f"{case.reference} in place of {case.call}")
        yield VariedCall(variation, replace(case, call=case.reference), example)
    if circumstances.can_do_without_preload:
        settings = CellSettings(preloaded=False)
        yield VariedCall(Variation(VariedAspect.PRELOAD, "no preload files"), case, example, settings)


_ExampleVariations = Callable[[Case, Example], Iterator[tuple[Variation, Example]]]


def _vary_formats(case: Case, example: Example) -> Iterator[tuple[Variation, Example]]:
    """The other format of each tensor and of grad_output, in the same view where that has one."""
    legal = {(neighbour.name, neighbour.value): neighbour.example for neighbour in neighbours(case, example)}
    for name, layout in example.layouts.items():
        memory_format, view = split_name(layout)
        other = next(each for each in MEMORY_FORMATS if each != memory_format)
        choices = (f"{other}:{view}" if view else other, other)
        chosen = next((each for each in choices if (f"layout_{name}", each) in legal), None)
        if chosen is not None and _is_another_place(case, example, name, chosen):
            yield Variation(VariedAspect.FORMAT, f"{name} in {chosen}"), legal[f"layout_{name}", chosen]


def _vary_views(case: Case, example: Example) -> Iterator[tuple[Variation, Example]]:
    """Each tensor that is a view in dense and aligned memory of its format."""
    del case
    for name, layout in example.layouts.items():
        memory_format, view = split_name(layout)
        if view:
            words = f"{name} aligned" if view == "offset" else f"{name} in {memory_format}, no {view}"
            yield Variation(VariedAspect.VIEW, words), _with_layout(example, name, memory_format)


def _vary_threads(case: Case, example: Example) -> Iterator[tuple[Variation, Example]]:
    del case
    if example.threads > 1:
        yield Variation(VariedAspect.THREADS, "one thread"), example.but(threads=1)


def _vary_setting(case: Case, example: Example) -> Iterator[tuple[Variation, Example]]:
    del case
    if example.setting != USUAL:
        yield Variation(VariedAspect.SETTING, "usual settings"), example.but(setting=USUAL)


def _vary_dtype(case: Case, example: Example) -> Iterator[tuple[Variation, Example]]:
    if example.dtype != PLAINEST and PLAINEST in case.dtypes and example.path in case.paths_in(PLAINEST):
        yield Variation(VariedAspect.DTYPE, PLAINEST), example.but(dtype=PLAINEST)


def _vary_mode(case: Case, example: Example) -> Iterator[tuple[Variation, Example]]:
    """A module that trains in evaluation, where one of its sizes decides that."""
    train = case.module.train if case.module else False
    if not isinstance(train, Expression) or not train.evaluate(dict(example.sizes)):
        return
    for neighbour in neighbours(case, example):
        if neighbour.name in train.names and not train.evaluate(dict(neighbour.example.sizes)):
            yield Variation(VariedAspect.MODE, "evaluation"), neighbour.example


_EXAMPLE_VARIATIONS: Final[tuple[_ExampleVariations, ...]] = (
    _vary_formats,
    _vary_views,
    _vary_threads,
    _vary_setting,
    _vary_dtype,
    _vary_mode,
)


def _with_layout(example: Example, name: str, layout: str) -> Example:
    return example.but(layouts={**example.layouts, name: layout})


def _is_another_place(case: Case, example: Example, name: str, layout: str) -> bool:
    """Whether the layout puts the tensor's elements elsewhere, as far as its shape is known: grad_output's is not."""
    if name == GRAD_OUTPUT:
        return True
    shapes = {tensor.name: tensor.shape for tensor in resolve_example(case, example).tensors}
    shape = shapes.get(name)
    return shape is not None and placement(layout, shape) != placement(example.layouts[name], shape)
