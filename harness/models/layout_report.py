"""The layout report: in which formats the images went through a model, and where oneDNN reordered them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.models.image_call import ImageCall
from harness.models.model import BASELINE, FULL_CONVERSION, ModelObservation
from harness.models.module_layout import count_reorders
from harness.reporting import LayoutRowRecord


def layout_rows(runs: Sequence[ModelObservation]) -> list[LayoutRowRecord]:
    """One row for each call that works on an image or loses its format: formats when converted, reorders before, after.

    `runs` are those of one example in one cell. The reorders are those of all calls of the module, in its first row.
    """
    by_conversion = {run.conversion: run for run in runs}
    plain, converted = by_conversion.get(BASELINE), by_conversion.get(FULL_CONVERSION)
    before, after = count_reorders(plain), count_reorders(converted)
    return [
        _row(call, before.pop(call.module, 0), after.pop(call.module, 0))
        for call in (converted.image_calls if converted is not None else ())
    ]


def _row(call: ImageCall, reorders_before: int, reorders_after: int) -> LayoutRowRecord:
    return LayoutRowRecord(
        module=call.module,
        class_name=call.class_name,
        function=call.function,
        formats_in=" ".join(call.input_formats),
        formats_out=" ".join(call.output_formats),
        reorders_nchw=reorders_before,
        reorders_nhwc=reorders_after,
    )


@dataclass(frozen=True)
class LayoutLine:
    """A line of the printed report: one call, named by its module, or all calls of one kind, named by their number."""

    name: str
    class_name: str
    function: str
    formats_in: str
    formats_out: str
    reorders_nchw: int
    reorders_nhwc: int


def layout_table(rows: Sequence[LayoutRowRecord]) -> list[LayoutLine]:
    """A line for each call."""
    return [_line(row.module or "(the model)", [row]) for row in rows]


def layout_summary(rows: Sequence[LayoutRowRecord]) -> list[LayoutLine]:
    """A line for all calls of the same class of modules and function, with the same formats."""
    groups: dict[tuple[str, ...], list[LayoutRowRecord]] = {}
    for row in rows:
        groups.setdefault((row.class_name, row.function, row.formats_in, row.formats_out), []).append(row)
    return [_line(str(len(same)), same) for same in groups.values()]


def _line(name: str, rows: Sequence[LayoutRowRecord]) -> LayoutLine:
    return LayoutLine(
        name,
        rows[0].class_name,
        rows[0].function.rpartition(".")[2],
        rows[0].formats_in,
        rows[0].formats_out,
        sum(row.reorders_nchw for row in rows),
        sum(row.reorders_nhwc for row in rows),
    )
