"""The outcome of a model's trial as the record of the run keeps it."""

from __future__ import annotations

from harness.models.faulty_module import FaultyModule
from harness.models.outcome import ModelFailure, ModelOutcome
from harness.reporting import (
    FaultyModuleRecord,
    ModelExampleRecord,
    ModelFailureRecord,
    ModelItemRecord,
    finding_record,
    sort_by_name,
)
from harness.trial import round_ratios


def model_item_record(outcome: ModelOutcome) -> ModelItemRecord:
    """The item of the record: in stable order, the same for the same run but for `seconds`."""
    return ModelItemRecord(
        model=outcome.model,
        item=outcome.item,
        status=outcome.status,
        examples=outcome.examples,
        cells={cell: sort_by_name(states) for cell, states in outcome.cells.items()},
        failures=tuple(map(model_failure_record, outcome.failures)),
        known_issues=sort_by_name(outcome.known_issues),
        explained=tuple(map(faulty_module_record, outcome.explained)),
        stale=tuple(outcome.stale),
        untrusted=sort_by_name(outcome.untrusted),
        skipped={cell: skipped.reason for cell, skipped in outcome.skipped.items()},
        hits={cell: sort_by_name(kernels) for cell, kernels in outcome.hits.items()},
        ratios=round_ratios(outcome.ratios),
        layout=tuple(outcome.layout),
        reorders=outcome.reorders,
        incidents=tuple(outcome.incidents),
        notes=tuple(outcome.notes),
        problem="" if outcome.problem is None else outcome.problem.sentence,
        complete=outcome.is_whole,
        lost_levels=tuple(outcome.lost_levels),
        seconds=round(outcome.seconds, 1),
    )


def model_failure_record(failure: ModelFailure) -> ModelFailureRecord:
    """One example of a model that is wrong, as the record keeps it."""
    return ModelFailureRecord(
        example=ModelExampleRecord.model_validate_json(failure.example.to_json()),
        findings=tuple(map(finding_record, failure.findings)),
        faulty_modules=tuple(map(faulty_module_record, failure.faulty_modules)),
        not_localised=failure.not_localised,
    )


def faulty_module_record(module: FaultyModule) -> FaultyModuleRecord:
    """One module to blame, as the record keeps it."""
    return FaultyModuleRecord(
        path=module.path,
        class_name=module.class_name,
        cell=module.cell,
        message=module.message,
        calls=module.calls,
        example=module.replay.example if module.replay is not None else "",
        verdict=module.replay.outcome if module.replay is not None else "",
        known=module.known_issues,
    )
