"""Runs to compare: records with items of every sort, at a time that stays the same."""

from __future__ import annotations

import datetime as dt
from typing import Any

from harness.core import CellState, Example, Finding, ItemStatus, ReproducerCheck, ReproducerState
from harness.reporting import ModelItemRecord, OperatorItemRecord, Record, finding_record
from harness.reporting.comparison import RecordedRun
from harness.reporting.operator_item import CornerCoverageRecord, failure_record
from harness.trial import CellRow, Failure
from tests.reporting.records import BUILD, CASE, model_item, operator_item, record

EXAMPLE = Example(CASE, "float32", {"N": 1}, {"input": "channels_last"})
POOL = f"{CASE}[float32]"
DAY = dt.datetime(2026, 11, 20, 4, 30, tzinfo=dt.UTC)


def failure(message: str = "output[0] differs", tensor: str = "output[0]", cells: tuple[str, ...] = ("avx2",)) -> Any:
    """A failure as a record keeps it, wrong in these cells."""
    finding = Finding("values", tensor, "layout", dict.fromkeys(cells, 3.0), ("drawn",), message, "the last row")
    rows = tuple(CellRow(cell, CellState.FAILED, 3.0, ("pooling:jit:avx2",)) for cell in cells)
    return failure_record(Failure(finding, EXAMPLE, EXAMPLE, rows, "again in a fresh worker"))


def item(case: str = CASE, dtype: str = "float32", **changes: Any) -> OperatorItemRecord:
    """An item that passed with ten examples in ten seconds, but for the changes."""
    fields: dict[str, Any] = {
        "status": ItemStatus.PASSED,
        "examples": {"corners": 6, "drawn": 4},
        "cells": {"avx2": {CellState.PASSED: 10}},
        "hits": {"avx2": {"pooling:jit:avx2": 3}},
        "operators": ("aten::max_pool2d",),
        "ratios": {"output[0]": 0.25},
        "coverage": CornerCoverageRecord(pairs=50, of=100, triples=20, of_triples=100),
        "seconds": 10.0,
    }
    return operator_item(case, dtype, **{**fields, **changes})


def failing_item(*failures: Any, **changes: Any) -> OperatorItemRecord:
    """The same, failed for these."""
    return item(status=ItemStatus.FAILED, failures=failures or (failure(),), **changes)


def stale_item(**changes: Any) -> OperatorItemRecord:
    """The same, failed because a known issue is stale."""
    check = ReproducerCheck(ReproducerState.STALE, "it passes")
    return item(status=ItemStatus.FAILED, reproducers={"one-column": check}, **changes)


def failing_model(message: str = "the loss differs") -> ModelItemRecord:
    """A model with one wrong tensor."""
    finding = finding_record(Finding("values", "loss", "layout", {"avx2": 9.0}, ("both",), message))
    example = {"model": "suites/models/nets.yaml::unet", "step": "eval", "runner": "eager", "precision": "float32"}
    failures = ({"example": {**example, "sizes": {}, "seed": 0, "threads": 1}, "findings": (finding,)},)
    return model_item(status=ItemStatus.FAILED, failures=tuple({**each, "faulty_modules": ()} for each in failures))


def recorded_run(*items: OperatorItemRecord | ModelItemRecord, day: int = 0, torch: str = "2.9") -> RecordedRun:
    """The run of these items, so many days after the first, of that release."""
    run: Record = record(*items).model_copy(update={"build": BUILD.model_copy(update={"torch": torch})})
    return RecordedRun(f"records/{day}.json", DAY + dt.timedelta(days=day), run)
