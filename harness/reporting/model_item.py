"""The item of a record that is a model: one model in one way to run it."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import ConfigDict, Field

from harness.core import CellState, ItemStatus
from harness.reporting.example_record import PlainSize
from harness.reporting.finding_record import Counts, FindingRecord
from harness.reporting.item_id import ItemId
from harness.suites import StrictSchema


class ModelExampleRecord(StrictSchema):
    """A model with every free choice drawn."""

    model: str
    step: str
    runner: str
    precision: str
    sizes: Mapping[str, PlainSize]
    seed: int
    threads: int


class FaultyModuleRecord(StrictSchema):
    """A module that is wrong on the reference's own input."""

    path: str = Field(description="The module's name in the model; empty: the model's own forward")
    class_name: str = Field(description="The module's class")
    cell: str
    message: str
    calls: tuple[str, ...] = Field(description="The functions that it called, with shapes and strides")
    example: str = Field(description="The operator example that makes the same call; empty where there is none")
    verdict: str = Field(description="What came of running that example")
    known: tuple[str, ...] = Field(description="The known issues of the operator that explain it")


class ModelFailureRecord(StrictSchema):
    """One example of a model that is wrong."""

    example: ModelExampleRecord
    findings: tuple[FindingRecord, ...] = Field(description="The worst first")
    faulty_modules: tuple[FaultyModuleRecord, ...]
    not_localised: str = Field(default="", description="Why the search for these was given up; empty where it was not")


class LayoutRowRecord(StrictSchema):
    """One call in the layout report: formats in and out when converted, and oneDNN's reorders."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    module: str = Field(description="The module's name in the model; empty: the model itself")
    class_name: str = Field(alias="class")
    function: str = Field(default="", description="What the module's forward calls; empty: the module is meant")
    formats_in: str = Field(alias="in", description="The formats of the images that it got")
    formats_out: str = Field(alias="out", description="The formats of the images that it gave")
    reorders_nchw: int = Field(description="oneDNN reorders in it with nothing converted")
    reorders_nhwc: int = Field(description="oneDNN reorders in it with model and input in channels-last")


class ModelItemRecord(StrictSchema):
    """One model in one way to run it: step, runner and precision."""

    model: ItemId = Field(description="<suite file>::<name>")
    item: str = Field(description="<step>-<runner>-<precision>")
    status: ItemStatus
    examples: int
    cells: Mapping[str, Mapping[CellState, int]] = Field(description="Cell: state: how many examples came to it there")
    failures: tuple[ModelFailureRecord, ...]
    known_issues: Counts = Field(description="Known issue: how many findings it accepted")
    explained: tuple[FaultyModuleRecord, ...] = Field(
        description="Modules that are wrong in nothing but what is known of their operators"
    )
    stale: tuple[str, ...] = Field(description="Known issues of the model that accepted nothing")
    untrusted: Counts = Field(description="Reason: how many examples could not be trusted for it")
    skipped: Mapping[str, str] = Field(description="Cell: why nothing could be run there")
    hits: Mapping[str, Counts] = Field(description="Cell: oneDNN implementation: how often it ran")
    ratios: Mapping[str, float] = Field(description="Tensor: the worst ratio of error to allowance, to two digits")
    layout: tuple[LayoutRowRecord, ...] = Field(description="The layout report of the first example")
    reorders: Counts = Field(description="Conversion: how many reorders oneDNN ran in all")
    incidents: tuple[str, ...] = Field(description="What befell the workers")
    notes: tuple[str, ...]
    problem: str = Field(description="Why the model could not be judged at all; empty where it could")
    complete: bool = Field(
        default=True, description="False where the time budget ended it before its end, or a level's machine was lost"
    )
    lost_levels: tuple[str, ...] = Field(
        default=(), description="Levels that did not run all of it, because the machine on which they run was lost"
    )
    seconds: float

    @property
    def name(self) -> str:
        """The model's name in its suite."""
        return self.model.rpartition("::")[2]
