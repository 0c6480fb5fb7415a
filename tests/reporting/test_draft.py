"""Drafts of issues: what they say, and that nothing in them but the template's own is markup."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from syrupy.assertion import SnapshotAssertion

from harness.core import Expression, KnownFault, KnownIssue, PlaceReplay, PlaceState, Severity
from harness.golden import FaultMatrix, MeasuredBuildSchema
from harness.reporting import FailureRecord, Record, failure_draft, fault_draft, fault_groups, group_draft
from harness.reporting.diagnosis_record import DiagnosisRecord, MismatchedElementRecord, UndecidedRecord
from harness.reporting.foreign_text import HIDDEN
from harness.reporting.operator_item import failure_record
from harness.trial import FailureScript, VariedAspect
from tests.reporting.html_report.hostile import TEXT
from tests.reporting.records import BUILD, CASE, operator_item, record
from tests.reporting.test_failure_page import EXAMPLE, VALUES

SCRIPT = FailureScript('"""Exits with 1 where the fault is."""\n\nimport sys\n\nimport torch\n\nsys.exit(1)\n', "x.py")
THREAD = "https://github.com/pytorch/pytorch/issues/1"
MARKDOWN = (
    "```\n# heading\n| a | b |\n- item\n> quote\n1. one\n![x](javascript:alert(1)) [y](z) **b** __i__ ~~s~~ @u #1\n"
)
ATTACK = f"{MARKDOWN}</td></summary>{TEXT}"

CODE = re.compile(r"^(`{3,})\w*\n.*?\n\1$", re.MULTILINE | re.DOTALL)
BLOCK_MARKS = re.compile(r"\s*(?:(?:[-+*>]|#+|\d+[.)])\s+)*")
ENTITIES = re.compile(r"&#?\w+;")
INLINE_MARKS = re.compile(r"(?<!\\)[`*_\[\]|~#<@]")


def known_fault(text: str = "the jit pooling kernel writes one column too few", link: str = THREAD) -> KnownFault:
    """A fault of one place with that reason."""
    place = KnownIssue(
        id="one-column",
        tensors=("output[0]",),
        oracle="values",
        cells=("avx2",),
        when=Expression.parse("True"),
        reason=text,
        link=link,
        cases=(CASE,),
        dtypes=("bfloat16",),
        reproducer=EXAMPLE,
    )
    return KnownFault("one-column", text, Severity.WRONG_VALUES, text, link, (place,))


def draft_text(failure: FailureRecord, faults: tuple[KnownFault, ...] = (), whole: Record | None = None) -> str:
    """The draft of a failure of bfloat16."""
    return failure_draft(whole or record(), operator_item(dtype="bfloat16"), failure, faults).text()


def skeleton(text: str) -> list[tuple[str, list[str]]]:
    """What of each line outside of code is Markdown or HTML."""
    lines = CODE.sub("code", text).splitlines()
    return [
        (match.group(), INLINE_MARKS.findall(ENTITIES.sub("", line)))
        for line in lines
        if (match := BLOCK_MARKS.match(line))
    ]


def test_the_draft_of_a_failure(snapshot: SnapshotAssertion) -> None:
    """Title, expected, actual, script, levels, what makes it go away, versions, and threads that may be about it."""
    assert draft_text(failure_record(replace(VALUES, script=SCRIPT)), (known_fault(),)) == snapshot


def test_the_draft_of_a_failure_without_a_script(snapshot: SnapshotAssertion) -> None:
    """It says why there is none, and gives the example."""
    reason = FailureScript(reason="the operator is not PyTorch's own")
    assert draft_text(failure_record(replace(VALUES, script=reason))) == snapshot


def test_the_draft_of_a_known_issue(snapshot: SnapshotAssertion) -> None:
    """What its entry says and what was measured, release by release."""
    build = MeasuredBuildSchema(torch="2.10.0+cpu", onednn="3.9", cpu="EPYC", levels=("avx2",), date="2026-01-31")
    fault = known_fault()
    matrix = FaultMatrix({"2.10.0": build, "2.9.0": build})
    matrix.note(fault.places[0], "2.9.0", PlaceReplay(PlaceState.DOES_NOT_FAIL))
    matrix.note(fault.places[0], "2.10.0", PlaceReplay(PlaceState.FAILS))
    assert fault_draft(fault, matrix, {}, ()).text() == snapshot


def test_a_fault_has_one_draft_with_all_its_places() -> None:
    """It shows the failure that has a script, and lists where else the same fault was seen; no place twice."""
    plain, scripted = failure_record(VALUES), failure_record(replace(VALUES, script=SCRIPT))
    items = {"a": operator_item(dtype="float32"), "b": operator_item(dtype="bfloat16")}
    operators = {
        node: item.model_copy(update={"failures": (failure,)})
        for (node, item), failure in zip(items.items(), (plain, scripted), strict=True)
    }
    whole = record().model_copy(update={"items": operators})
    (group,) = fault_groups(whole)
    text = group_draft(whole, group, ()).text()
    assert text.startswith(f"# {items['b'].name} in bfloat16: ".replace("_", r"\_"))
    assert "sys.exit(1)" in text
    places = text.split("The same is seen in:\n\n")[1].split("\n\n")[0].splitlines()
    assert len(places) == 1
    assert "\\[float32\\]" in places[0]


def failure_with(text: str) -> FailureRecord:
    """A failure in which every text is that one."""
    whole = failure_record(replace(VALUES, script=SCRIPT))
    variation = UndecidedRecord.model_construct(aspect=VariedAspect.POISON, words=text, reason=text)
    element = MismatchedElementRecord.model_construct(index=(0, 1), got=text, expected=text, ulps=None)
    diagnosis = DiagnosisRecord.model_construct(goes_away=(variation,), stays=(variation,), undecided=(variation,))
    rows = [row.model_copy(update={"cell": text, "kernels": (text,), "operators": (text,)}) for row in whole.rows]
    return whole.model_copy(
        update={
            "finding": whole.finding.model_copy(update={"message": text, "where": text, "layouts": (text,)}),
            "example": replace(EXAMPLE, case=f"suites/{text}.yaml::{text}", dtype=text, sizes={text: 1}),
            "rows": tuple(rows),
            "confirmed": text,
            "why": text,
            "pattern": text,
            "elements": (element,),
            "diagnosis": diagnosis,
            "operators": (text,),
            "script": text,
            "no_script": text,
        }
    )


def hostile_draft(text: str, **changes: Any) -> str:
    """The draft of a failure, in a case, a dtype and a build, in all of which every text is that one."""
    item = operator_item().model_copy(update={"case": f"suites/x.yaml::{text}", "dtype": text})
    whole = record().model_copy(update={"build": BUILD.model_copy(update=dict.fromkeys(BUILD.model_fields_set, text))})
    failure = failure_with(text).model_copy(update=changes)
    return failure_draft(whole, item, failure, (known_fault(text),)).text()


def test_no_text_of_a_failure_is_markup_in_its_draft() -> None:
    """Markdown, elements, mentions, control characters, lines, length: the draft has the shape of any other."""
    for changes in ({}, {"script": ""}):
        text = hostile_draft(ATTACK, **changes)
        assert skeleton(text) == skeleton(hostile_draft("word", **changes))
        assert HIDDEN.search(text) is None
        assert max(map(len, CODE.sub("code", text).splitlines())) < 3_000
        assert r"\x1b[31mred" in text.replace(r"\[", "[")


def test_code_in_a_draft_ends_where_the_script_ends() -> None:
    """Its fence is longer than any in the script, which is all there."""
    text = hostile_draft(f"print()\n````\n# heading\n{MARKDOWN}")
    (block,) = CODE.finditer(text)
    assert block.group(1) == "`````"
    assert block.group().endswith(f"{MARKDOWN.strip()}\n`````")


def test_no_text_of_a_known_issue_is_markup_in_its_draft() -> None:
    """Nor is a link one that is no plain address of a page."""
    shapes = [
        skeleton(fault_draft(known_fault(text, link), FaultMatrix(), {}, ()).text())
        for text, link in (("word", "no thread found"), (ATTACK, "javascript:alert(1)"), (ATTACK, f"{THREAD}><script>"))
    ]
    assert shapes[0] == shapes[1] == shapes[2]
