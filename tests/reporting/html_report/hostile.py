"""A record whose every text was written by somebody who means harm."""

from __future__ import annotations

from harness.core import Example, ItemStatus
from harness.reporting import BaselineRecord, LevelRecord, Record
from harness.reporting.build_comparison_record import (
    BuildComparisonRecord,
    ChangedFindingRecord,
    ReferenceDifferenceRecord,
    ReplayedPlaceRecord,
    TensorDriftRecord,
)
from harness.trial import BuildChange
from tests.reporting.comparison.runs import failing_item, failing_model, failure, item
from tests.reporting.records import BUILD, CASE, RUN, record

ATTACK = (
    "</script></style></title><script>window.attacked = 1</script><img src=x onerror='window.attacked = 2'>"
    "\"'><svg onload=window.attacked=3>{{ 7 * 7 }}{% raw %}<!-- --> &lt;"
    "\x1b[31mred\x1b[0m\nsecond line\r\u202egnp.exe\0"
)
LONG = "y" * 10_000
TEXT = ATTACK + LONG


def _changed_finding(change: BuildChange, example: Example) -> ChangedFindingRecord:
    """A finding of that change, whose texts are the attack; what is new fails."""
    return ChangedFindingRecord.model_construct(
        change=change,
        oracle="values",
        tensor=TEXT,
        cells=(TEXT,),
        issues=(TEXT,) if change is BuildChange.NEW else (),
        examples=1,
        message=TEXT,
        example=example,
        fails=change is BuildChange.NEW,
    )


def hostile_record() -> Record:
    """Names, reasons, error texts, paths, versions: all of them are the same attack, some ten thousand characters."""
    name = f"suites/{ATTACK}.yaml::{TEXT}"
    example = Example(name, TEXT, {ATTACK: 1}, {ATTACK: TEXT})
    finding = failure(TEXT, tensor=TEXT, cells=(ATTACK,)).finding.model_copy(update={"where": TEXT, "layouts": (TEXT,)})
    shown = failure().model_copy(
        update={
            "finding": finding,
            "example": example,
            "original": example,
            "confirmed": TEXT,
            "why": TEXT,
            "pattern": TEXT,
            "operators": (TEXT,),
            "rows": tuple(row.model_copy(update={"cell": TEXT, "kernels": (TEXT,)}) for row in failure().rows),
        }
    )
    against = BuildComparisonRecord.model_construct(
        baseline=TEXT,
        lack="",
        examples=1,
        findings=tuple(_changed_finding(change, example) for change in BuildChange),
        places={TEXT: ReplayedPlaceRecord.model_construct(change=BuildChange.GONE)},
        drift={TEXT: TensorDriftRecord.model_construct(ratio=None, cell=TEXT, example=example)},
        references={TEXT: ReferenceDifferenceRecord.model_construct(message=TEXT, example=example)},
    )
    golden = item().golden.model_copy(update={"differing": (TEXT, TEXT + "2"), "advice": TEXT})
    failed = failing_item(shown).model_copy(
        update={
            "case": name,
            "dtype": ATTACK,
            "golden": golden,
            "faults": (TEXT,),
            "notes": (TEXT,),
            "incidents": (TEXT,),
            "known_issues": {TEXT: 3},
            "untrusted": {TEXT: 2},
            "hits": {ATTACK: {TEXT: 1}, "avx2": {TEXT: 2}},
            "operators": (TEXT,),
            "ratios": {TEXT: 0.5},
            "against": against,
        }
    )
    lacking = against.model_copy(update={"lack": TEXT, "findings": (), "places": {}, "drift": {}})
    passed = item(dtype="float64", ratios={TEXT: 0.75}, notes=(TEXT,), against=lacking)
    missing = item(dtype="int8", status=ItemStatus.NOT_AVAILABLE, lack=TEXT)
    model = failing_model(TEXT)
    model = model.model_copy(update={"model": name, "item": TEXT, "problem": TEXT, "stale": (TEXT,)})
    whole = record(passed)
    return whole.model_copy(
        update={
            "build": BUILD.model_copy(update=dict.fromkeys(BUILD.model_fields_set, TEXT)),
            "against": BaselineRecord(
                build=BUILD.model_copy(update=dict.fromkeys(BUILD.model_fields_set, TEXT)), levels={}, interpreter=TEXT
            ),
            "run": RUN.model_copy(update={"profile": TEXT}),
            "levels": {ATTACK: LevelRecord(state="run", why=TEXT), **whole.levels},
            "items": {
                f"{CASE}[float64]": passed,
                f"{name}[{ATTACK}]": failed,
                f"{CASE}[int8]": missing,
                f"{ATTACK}[model]": model,
            },
        }
    )
