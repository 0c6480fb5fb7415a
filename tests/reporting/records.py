"""Records to read: items with every field, and what is to be different."""

from __future__ import annotations

from typing import Any

from harness.core import CellState, ItemStatus
from harness.reporting import (
    BuildRecord,
    GoldenItemRecord,
    ItemRecord,
    LevelRecord,
    ModelItemRecord,
    OperatorItemRecord,
    Record,
    RunRecord,
    operator_item_record,
)
from harness.reporting.release_changes import ReleaseRecord
from harness.trial import Outcome

CASE = "suites/operators/pooling.yaml::max_pool2d"
MODEL = "suites/models/nets.yaml::unet"
BUILD = BuildRecord(torch="2.9", onednn="3.9", cpu="EPYC", python="3.11.7", numpy="2.1", platform="Linux-x86_64")
RUN = RunRecord(
    name="gate",
    strength=2,
    rows=0,
    random=40,
    limit=20.0,
    attempts=400,
    fresh=False,
    recalls=False,
    saved_only=False,
    models="gate",
    profile="gate",
    seed=0,
)
LEVELS = {
    "sse41": LevelRecord(state="run", why="SSE4.1"),
    "avx2": LevelRecord(state="run", why="AVX2"),
    "amx": LevelRecord(state="not available", why="needs amx_tile"),
}


def operator_item(case: str = CASE, dtype: str = "float32", **changes: Any) -> OperatorItemRecord:
    """An item of an operator in which nothing ran, but for the changes."""
    return operator_item_record(Outcome(case, dtype)).model_copy(update=changes)


def model_item(model: str = MODEL, item: str = "eval-eager-float32", **changes: Any) -> ModelItemRecord:
    """An item of a model that passed at one level, but for the changes."""
    fields: dict[str, Any] = {
        "model": model,
        "item": item,
        "status": ItemStatus.PASSED,
        "examples": 1,
        "cells": {"avx2": {CellState.PASSED: 1}},
        "failures": (),
        "known_issues": {},
        "explained": (),
        "stale": (),
        "untrusted": {},
        "skipped": {},
        "hits": {"avx2": {"convolution:jit:avx2": 3}},
        "ratios": {"output[0]": 0.25},
        "layout": (),
        "reorders": {"nchw": 9, "both": 3},
        "incidents": (),
        "notes": (),
        "problem": "",
        "seconds": 1.5,
    }
    return ModelItemRecord(**{**fields, **changes})


def golden_item(suite: str = CASE.partition("::")[0], misfits: tuple[str, ...] = ()) -> GoldenItemRecord:
    """The comparison of golden/ with a suite, which have the same cases but for the misfits."""
    status = ItemStatus.FAILED if misfits else ItemStatus.PASSED
    return GoldenItemRecord(suite=suite, status=status, misfits=misfits, seconds=0.1)


def record(*items: ItemRecord) -> Record:
    """A record of these items at two levels that ran and one that did not."""
    release = ReleaseRecord(tested="2.9", verified=None, changes=())
    return Record(build=BUILD, run=RUN, levels=LEVELS, release=release, items={node_id(item): item for item in items})


def node_id(item: ItemRecord) -> str:
    """The id that pytest gives the item."""
    if isinstance(item, GoldenItemRecord):
        return f"{item.suite}::golden"
    if isinstance(item, ModelItemRecord):
        return f"{item.model}[{item.item}]"
    return f"{item.case}[{item.dtype}]"
