"""The layout report: in which formats the images went through a model, and where oneDNN reordered them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.models.model import BASELINE, FULL_CONVERSION, ModelObservation, ModuleRecord
from harness.reporting import LayoutRowRecord


def layout_rows(runs: Sequence[ModelObservation]) -> list[LayoutRowRecord]:
    """One row for each module call that got or gave an image: its formats when converted, reorders before and after.

    `runs` are those of one example in one cell.
    """
    modules = {run.conversion: run.modules for run in runs}
    plain, converted = modules.get(BASELINE, ()), modules.get(FULL_CONVERSION, ())
    before = [module.reorders for module in plain] if len(plain) == len(converted) else [0] * len(converted)
    return [
        _row(module, reorders)
        for module, reorders in zip(converted, before, strict=True)
        if not module.is_parent and (any(module.input_formats) or any(module.output_formats))
    ]


def _row(module: ModuleRecord, reorders_before: int) -> LayoutRowRecord:
    return LayoutRowRecord(
        module=module.path,
        class_name=module.class_name,
        formats_in=" ".join(filter(None, module.input_formats)),
        formats_out=" ".join(filter(None, module.output_formats)),
        reorders_nchw=reorders_before,
        reorders_nhwc=module.reorders,
    )


def is_worth_a_line(row: LayoutRowRecord) -> bool:
    """Whether a row says anything but that the call got and gave NHWC and oneDNN reordered nothing in it."""
    formats = f"{row.formats_in} {row.formats_out}".split()
    return "nchw" in formats or "other" in formats or bool(row.reorders_nchw or row.reorders_nhwc)
