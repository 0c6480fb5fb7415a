"""The item of a record that is an operator: one case in one dtype."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Literal

from pydantic import (
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
)

from harness.core import (
    CellState,
    DoubleBackwardState,
    FactDifference,
    ItemStatus,
    NotCompared,
    PatternKind,
    ReproducerCheck,
)
from harness.core.finding import Oracle
from harness.portable.argument_kinds import sort_kinds
from harness.reporting.argument_kinds import ArgumentKindsRecord
from harness.reporting.build_comparison_record import BuildComparisonRecord, build_comparison_record
from harness.reporting.diagnosis_record import DiagnosisRecord, MismatchedElementRecord, diagnosis_record
from harness.reporting.example_record import OperatorExample
from harness.reporting.finding_record import Counts, FindingRecord, finding_record, sort_by_name
from harness.reporting.item_id import ItemId
from harness.reporting.novelty_record import NoveltyRecord, novelty_record
from harness.suites import StrictSchema
from harness.trial import Failure, Outcome, round_ratios


class CellRowRecord(StrictSchema):
    """What one cell gave for the minimal example of a failure."""

    cell: str
    verdict: CellState = Field(description="What the cell came to")
    ratio: float = Field(description="Error in units of its allowance; 0 where no bound was used")
    kernels: tuple[str, ...] = Field(description="The oneDNN implementations that ran; none: ATen's own")
    operators: tuple[str, ...] = Field((), description="The operators that ran and are not PyTorch's own")


class FailureRecord(StrictSchema):
    """One fault of an operator."""

    model_config = ConfigDict(populate_by_name=True)

    finding: FindingRecord
    example: OperatorExample = Field(description="The smallest example that shows the fault")
    original: OperatorExample = Field(alias="found", description="The example that showed it first")
    rows: tuple[CellRowRecord, ...] = Field(description="The minimal example, cell by cell")
    confirmed: str = Field(description="How the fault behaved in a fresh worker")
    why: str = Field(description="Why the suite declares the example; empty where it does not")
    pattern: str = Field("", description="Where the differing elements lie; empty where no elements were compared")
    pattern_kinds: tuple[PatternKind, ...] = Field((), description="What the sentence says, in words that do not vary")
    elements: tuple[MismatchedElementRecord, ...] = Field((), description="The first of the elements that differ")
    diagnosis: DiagnosisRecord = Field(
        DiagnosisRecord(), description="The minimal example with one thing changed at a time"
    )
    operators: tuple[str, ...] = Field(
        (), description="The operators that the minimal example runs; empty where it cannot be traced"
    )
    script: str = Field("", description="A script of plain PyTorch that has shown the fault; empty where there is none")
    script_file: str = Field("", description="The file that the script was written to, relative to the root")
    no_script: str = Field("", description="Why there is no script; empty where there is one, or none was looked for")


class CornerCoverageRecord(StrictSchema):
    """Combinations of corner values that the examples met: of two, and of three, different factors.

    Without a field where nothing was counted.
    """

    pairs: int = 0
    of: int = 0
    triples: int = 0
    of_triples: int = 0

    @model_serializer(mode="wrap")
    def _leave_out_what_was_not_counted(self, serialize: SerializerFunctionWrapHandler) -> dict[str, int]:
        counts: dict[str, int] = serialize(self)
        return counts if self.model_fields_set else {}


class GoldenComparisonRecord(StrictSchema):
    """How an item compares with golden/."""

    facts: int = Field(description="How many facts of the layout contract were compared")
    snapshots: int = Field(description="How many snapshots were compared")
    differing: tuple[str, ...] = Field(description="A sentence for each that differs and must not")
    differences: tuple[FactDifference, ...] = Field(
        description="What differs, with what is not judged because golden/ says nothing of this release"
    )
    not_compared: tuple[NotCompared, ...] = Field(description="What could not be compared, how much of it, and why")
    advice: str = Field(description="What to do where golden/ has nothing of the case; else empty")


class FirstMeetingRecord(StrictSchema):
    """The first example of an item in which a place of a known fault showed."""

    example: int = Field(ge=1, description="Its number among the examples of the item, from 1")
    seconds: float = Field(ge=0, description="Since the item began")
    oracle: Oracle = Field(description="What found it")


class OperatorItemRecord(StrictSchema):
    """One case in one dtype."""

    case: ItemId = Field(description="<suite file>::<name>")
    dtype: str = Field(pattern=r"^\w+$")
    status: ItemStatus
    examples: Counts = Field(description="Phase: how many of its examples ran")
    cells: Mapping[str, Mapping[CellState, int]] = Field(description="Cell: state: how many examples came to it there")
    skipped: Counts = Field(description="Cell: how many examples another cell answered for")
    in_parts: Counts = Field(description="Cell: how many examples ran without the part that a known crash is about")
    failures: tuple[FailureRecord, ...]
    known_issues: Counts = Field(description="Known issue: how many examples it accepted something of")
    reproducers: Mapping[str, ReproducerCheck] = Field(description="Known issue: what its reproducer does now")
    untrusted: Counts = Field(description="Reason: how many examples could not be trusted for it")
    hits: Mapping[str, Counts] = Field(description="Cell: oneDNN implementation: how often it ran")
    operators: tuple[str, ...] = Field(description="The operators that a trace showed")
    arguments: ArgumentKindsRecord = Field(
        default_factory=dict,
        description="Operator that the call names: argument: the kinds that it had; in a record those of all items are "
        "together at its head",
    )
    inner_arguments: ArgumentKindsRecord = Field(
        default_factory=dict, description="The same of operators that are called within others, and by autograd"
    )
    ratios: Mapping[str, float] = Field(description="Tensor: the worst ratio of error to allowance, to two digits")
    coverage: CornerCoverageRecord
    double: DoubleBackwardState | Literal[""] = Field(
        description="What the double backward came to; empty where none was asked for"
    )
    faults: tuple[str, ...] = Field(description="What is wrong with the double backward")
    double_differences: tuple[FactDifference, ...] = Field(
        description="How it differs from golden/, with what is not judged because nobody saw this release"
    )
    lack: str = Field(description="What this release of PyTorch lacks of what the item runs: it is not available")
    incidents: tuple[str, ...] = Field(description="What befell the workers")
    notes: tuple[str, ...]
    golden: GoldenComparisonRecord
    complete: bool = Field(
        default=True, description="False where the time budget ended it before its end, or a level's machine was lost"
    )
    lost_levels: tuple[str, ...] = Field(
        default=(), description="Levels that did not run all of it, because the machine on which they run was lost"
    )
    against: BuildComparisonRecord | None = Field(
        default=None, description="The comparison with another build; null where there was none"
    )
    meetings: Mapping[str, FirstMeetingRecord] = Field(
        default_factory=dict,
        description="Place of a known fault: the first example that met it; only where rediscovery was measured",
    )
    novelty: NoveltyRecord = Field(
        default=NoveltyRecord(), description="What the examples reached, and how much of it was new to the end"
    )
    seconds: float

    @property
    def name(self) -> str:
        """The case's name in its suite."""
        return self.case.rpartition("::")[2]

    @property
    def suite(self) -> str:
        """The case's suite file, relative to the root of the project."""
        return self.case.partition("::")[0]


def operator_item_record(outcome: Outcome) -> OperatorItemRecord:
    """The outcome of a trial as a record keeps it: in stable order, the same for the same run but for `seconds`."""
    return OperatorItemRecord(
        case=outcome.case,
        dtype=outcome.dtype,
        status=outcome.status,
        examples=sort_by_name(outcome.examples),
        cells={cell: sort_by_name(states) for cell, states in outcome.cells.items()},
        skipped=sort_by_name(outcome.skipped),
        in_parts=sort_by_name(outcome.in_parts),
        failures=tuple(map(failure_record, outcome.failures)),
        known_issues=sort_by_name(outcome.known_issues),
        reproducers=sort_by_name(outcome.reproducers),
        untrusted=sort_by_name(outcome.untrusted),
        hits={cell: sort_by_name(kernels) for cell, kernels in outcome.hits.items()},
        operators=tuple(sorted(outcome.operators)),
        arguments=sort_kinds(outcome.arguments),
        inner_arguments=sort_kinds(outcome.inner_arguments),
        ratios=round_ratios(outcome.ratios),
        coverage=CornerCoverageRecord(**outcome.coverage),
        double=outcome.double or "",
        faults=tuple(outcome.double_failures),
        double_differences=tuple(outcome.faults),
        lack=outcome.lack,
        incidents=tuple(outcome.incidents),
        notes=tuple(outcome.notes),
        golden=GoldenComparisonRecord(
            facts=outcome.golden.facts,
            snapshots=outcome.golden.snapshots,
            differing=tuple(outcome.golden.failures),
            differences=tuple(outcome.golden.differences),
            not_compared=tuple(outcome.not_compared),
            advice=outcome.golden.advice,
        ),
        complete=outcome.is_whole,
        lost_levels=tuple(outcome.lost_levels),
        against=build_comparison_record(outcome.against) if outcome.against else None,
        meetings={place: FirstMeetingRecord(**asdict(meeting)) for place, meeting in sorted(outcome.meetings.items())},
        novelty=novelty_record(outcome.novelty),
        seconds=round(outcome.seconds, 1),
    )


def failure_record(failure: Failure) -> FailureRecord:
    """One fault as a record keeps it."""
    return FailureRecord(
        finding=finding_record(failure.finding),
        example=failure.example,
        original=failure.original,
        rows=tuple(
            CellRowRecord(
                cell=row.cell, verdict=row.verdict, ratio=row.ratio, kernels=row.kernels, operators=row.operators
            )
            for row in failure.rows
        ),
        confirmed=failure.confirmed,
        why=failure.why,
        pattern=failure.pattern.sentence,
        pattern_kinds=failure.pattern.kinds,
        elements=tuple(MismatchedElementRecord(**vars(element)) for element in failure.elements),
        diagnosis=diagnosis_record(failure.diagnosis),
        operators=failure.operators,
        script=failure.script.text,
        script_file=failure.script.file,
        no_script=failure.script.reason,
    )
