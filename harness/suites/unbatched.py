"""From a case over batches to the case of the same operator over one image or volume without a batch axis."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Final

from harness.core import Case, Size, TensorSpec
from harness.suites.entry import Entry
from harness.suites.scope import Scope

BATCH: Final = "N"
ONE: Final = Size(BATCH, "choice", (1,))
"""The batch of what has none, so that an expression or a condition can speak of both cases."""

UNBATCHED: Final = "_unbatched"


def wants_unbatched(entry: Entry, scope: Scope) -> bool:
    """Whether the entry has `unbatched`; a mistake goes to the report where nothing in it has a batch."""
    if not entry.get("unbatched") or entry.is_wrong("unbatched"):
        return False
    shapes = [schema.shape for schema in entry.get("tensors").values() if schema.layout == "channels_last"]
    if BATCH in entry.get("sizes") and any(shape[:1] == (BATCH,) for shape in shapes):
        return True
    if not entry.is_wrong("sizes") and not entry.is_wrong("tensors"):
        message = f"no tensor of {entry.key!r} with layout: channels_last has a shape that begins with {BATCH}"
        scope.report.add(entry.at("unbatched"), message)
    return False


def unbatched_case(case: Case, wanted: bool) -> Iterator[Case]:
    """Where it is wanted ``<name>_unbatched``, the same without the batch axis of images and volumes.

    Nothing is promised of its strides: what they are is in the layout contract.
    """
    if not wanted:
        return
    result = case.result[1:] if case.result and case.result[0].text == BATCH else None
    yield replace(
        case,
        id=case.id + UNBATCHED,
        name=case.name + UNBATCHED,
        sizes=tuple(ONE if size.name == BATCH else size for size in case.sizes),
        tensors=tuple(_spec_without_batch(spec) for spec in case.tensors),
        result=result,
        preserves=(),
        channels_last=False,
        shared=False,
        paths=(),
        unsupported=(),
        examples=(),
    )


def _spec_without_batch(spec: TensorSpec) -> TensorSpec:
    """An image loses its first dimension; a tensor of another kind, such as samples for each image, keeps it."""
    if not spec.channels_last or spec.shape[0].text != BATCH:
        return spec
    return replace(spec, shape=spec.shape[1:], channels_last=False, unbatched=True)
