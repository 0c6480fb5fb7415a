"""ModuleLayout: what one module of a converted model gets and gives, and the reorders of oneDNN in it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from pydantic import ConfigDict, Field

from harness.models.model import BASELINE, FULL_CONVERSION, ModelObservation
from harness.portable.model_protocol import ModuleLayoutData, TensorLayout
from harness.suites import StrictSchema


class TensorFormat(StrictSchema):
    """One tensor at the border of a module."""

    format: str = Field(description="nhwc, nchw, either or other; empty for what is no image")
    dtype: str = Field(description="torch's name of it")
    shape: tuple[int, ...]


class CallLayout(StrictSchema):
    """The calls of a module that got and gave the same formats."""

    inputs: tuple[TensorFormat, ...] = Field(description="Of the first of these calls; a few where there are many")
    outputs: tuple[TensorFormat, ...]
    count: int = Field(description="How many of these calls there were")


class ModuleLayout(StrictSchema):
    """A module of the model in one forward pass with model and input in channels-last."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    path: str = Field(description="The module's name in the model; empty: the model itself")
    class_name: str = Field(alias="class")
    calls: tuple[CallLayout, ...] = Field(description="None for a module that was not called")
    reorders_nchw: int = Field(description="oneDNN reorders in its own forward with nothing converted")
    reorders_nhwc: int = Field(description="oneDNN reorders in its own forward with all of it converted")

    @property
    def call_count(self) -> int:
        """How often it was called."""
        return sum(call.count for call in self.calls)


def module_layouts(runs: Sequence[ModelObservation]) -> tuple[ModuleLayout, ...]:
    """All modules, in the order in which they were first called; `runs` are those of one example in one cell."""
    by_conversion = {run.conversion: run for run in runs}
    converted = by_conversion.get(FULL_CONVERSION)
    before, after = count_reorders(by_conversion.get(BASELINE)), count_reorders(converted)
    by_path: dict[str, list[ModuleLayoutData]] = {}
    for data in converted.module_layouts if converted is not None else ():
        by_path.setdefault(data["path"], []).append(data)
    return tuple(
        ModuleLayout(
            path=path,
            class_name=calls[0]["class_name"],
            calls=tuple(_call_layout(call) for call in calls if call["calls"]),
            reorders_nchw=before[path],
            reorders_nhwc=after[path],
        )
        for path, calls in by_path.items()
    )


def count_reorders(run: ModelObservation | None) -> Counter[str]:
    """Reorders of oneDNN by the path of the module in which they ran."""
    counts: Counter[str] = Counter()
    for module in run.modules if run is not None else ():
        counts[module.path] += module.reorders
    return counts


def _call_layout(data: ModuleLayoutData) -> CallLayout:
    return CallLayout(
        inputs=tuple(map(_tensor_format, data["inputs"])),
        outputs=tuple(map(_tensor_format, data["outputs"])),
        count=data["calls"],
    )


def _tensor_format(layout: TensorLayout) -> TensorFormat:
    name, dtype, shape = layout
    return TensorFormat(format=name, dtype=dtype, shape=tuple(shape))
