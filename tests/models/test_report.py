"""What is printed of models: the summary's lines, the answer of the command, the layout report."""

from __future__ import annotations

from collections.abc import Collection

import pytest

from harness.core import CellState, ItemStatus
from harness.models import (
    InputAnswer,
    ModelFailure,
    ModelOutcome,
    model_answer,
    model_failure_text,
    model_item_record,
    model_summary,
    model_text,
)
from harness.models.faulty_module import FaultyModule, OperatorReplay
from harness.models.image_call import ImageCall, LayoutLoss
from harness.models.known_loss import KnownLoss
from harness.models.model import ModelExample, Problem, Skipped
from harness.models.report import layout_text
from harness.models.way_answer import way_answer
from harness.reporting import LayoutRowRecord
from tests.models.calls import image_call
from tests.models.test_attribution import finding
from tests.reporting import records

EXAMPLE = ModelExample("suites/models/toy.yaml::toy", "eval", "eager", "float32", {"S": 2})
REPLAY = OperatorReplay('{"case": "relu"}', CellState.FAILED)
MODULE = FaultyModule("act", "ReLU", "avx2", "act (ReLU) got NHWC and gave NCHW back", ("torch.relu(...)",), REPLAY)


def row(module: str, class_name: str, formats_out: str, reorders: int) -> LayoutRowRecord:
    """A row of the layout report of a module that got NHWC, unconverted without reorders."""
    return LayoutRowRecord(
        module=module, class_name=class_name, formats_in="nhwc", formats_out=formats_out, reorders_nchw=0,
        reorders_nhwc=reorders,
    )  # fmt: skip


ROWS = [row("conv", "Conv2d", "nhwc", 0), row("act", "ReLU", "nchw", 1), row("other", "Conv2d", "nhwc", 2)]
CALLS = (image_call("conv", multiply_adds=3), image_call("other", multiply_adds=1))
LOSING = (*CALLS, image_call("act", "", function="torch.relu", loses=LayoutLoss.GIVES, gave="nchw", line="net.py:3"))


def outcome(way: str = "eval-eager-float32", *failures: ModelFailure, **fields: object) -> ModelOutcome:
    """An outcome that passed twice in one cell, unless `failures` or `fields` say otherwise."""
    outcome = ModelOutcome(EXAMPLE.model, way, 2, list(failures), seconds=1.5)
    outcome.cells = {"avx2": {CellState.PASSED: 2}}  # type: ignore[dict-item] # a counter of two
    outcome.ratios, outcome.reorders, outcome.layout = {"output[0]": 0.25}, {"nchw": 3, "both": 1}, list(ROWS)
    outcome.image_calls = CALLS
    for name, value in fields.items():
        setattr(outcome, name, value)
    return outcome


def text_of(shape: tuple[int, ...], *outcomes: ModelOutcome) -> str:
    """What is printed of a model that is called with one tensor of that shape."""
    return model_text(
        model_answer("toy:make", [InputAnswer(name="input", shape=shape, dtype="float32", is_image=True)], outcomes)
    )


LOST = ModelFailure(EXAMPLE, (finding("module:act", oracle="strides"),), (MODULE,))
WRONG = ModelFailure(EXAMPLE, (finding("output[0]"),))


def test_a_model_has_one_line_with_a_mark_for_each_way_to_run_it() -> None:
    """Reorders before and after, the worst ratio and the seconds stand before the marks."""
    ways = [outcome(), outcome("train-eager-float32", WRONG)]
    text = model_summary(records.record(*map(model_item_record, ways)))
    line = next(line for line in text.splitlines() if line.startswith("toy"))
    assert line.split() == ["toy", "3", "->", "1", "0.25", "3.0", ".", "eval-eager-float32", "F", "train-eager-float32"]
    assert text.startswith("models at avx2, against float64: . passed")


def test_what_is_missing_or_was_noted_has_a_line() -> None:
    """Each reason once, incidents and notes with the model that they are about."""
    missing = outcome(cells={}, skipped={"avx2": Skipped("no compiler"), "avx512_core": Skipped("no compiler")})
    noted = outcome("train-eager-float32", notes=["a note"], incidents=["an incident"])
    text = model_summary(records.record(*map(model_item_record, [missing, noted])))
    assert text.count("not available: no compiler\n") == 1
    assert "incident: an incident\n" in text
    assert "note: toy[train-eager-float32]: a note" in text


def test_a_record_without_models_has_no_table() -> None:
    """Nothing is printed of what did not run."""
    assert model_summary(records.record()) == ""


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        (outcome(), "RIGHT, and stays channels-last; every value is within its allowance (at most 0.25 of it)"),
        (
            outcome("eval", LOST, image_calls=LOSING),
            "RIGHT, but does not stay channels-last; every value is within its allowance",
        ),
        (outcome("eval", WRONG, LOST), "WRONG"),
        (outcome(known_issues={"log": 1}), "RIGHT but for what is known: log"),
        (outcome(known_issues={"heap": 1}, known_deaths={"heap"}), "ENDS THE PROCESS, which is known: heap"),
        (outcome(cells={}, untrusted={"too sensitive to judge": 2}), "NOT JUDGED: too sensitive to judge"),
        (outcome(cells={}, skipped={"avx2": Skipped("no compiler")}), "NOT RUN: no compiler"),
    ],
)
def test_a_verdict_is_one_sentence(result: ModelOutcome, verdict: str) -> None:
    """Values and formats are told apart, and what is known from what is right."""
    assert f": {verdict}" in text_of((1, 3, 8, 8), result)


def test_a_faulty_module_is_told_with_its_call_and_the_operator_example() -> None:
    """Where it is, what is wrong with it, what it called, and the command that runs the operator alone."""
    text = model_failure_text(outcome("eval", LOST), "toy.yaml::toy[eval]", 7)
    assert "  to blame, fed with the reference's own input at avx2: act (ReLU)\n" in text
    assert "    torch.relu(...)\n" in text
    assert """which failed: equivalence replay '{"case": "relu"}'\n""" in text
    assert text.endswith("again: pytest 'toy.yaml::toy[eval]' --eq-seed 7")


def test_a_module_is_not_named_where_each_is_right_by_itself() -> None:
    """The fault is in how they work together."""
    text = model_failure_text(outcome("eval", WRONG), "id", 7)
    assert "  to blame: no module alone; fed with the reference's own input each is right\n" in text


def test_a_model_that_cannot_be_judged_is_one_sentence() -> None:
    """The problem's own, behind the model and the way to run it."""
    result = outcome(problem=Problem("it returns a str"))
    assert result.status is ItemStatus.FAILED
    assert model_failure_text(result, "id", 7).startswith("toy in eval-eager-float32: it returns a str\n")


def test_the_layout_report_sums_up_by_class_or_has_a_line_for_each_call() -> None:
    """What is in channels-last and the reorders in all stand before it."""
    result = outcome("eval", LOST)
    lines = layout_text(way_answer(result)).splitlines()
    assert lines[0] == "in channels-last: 2 of 2 convolutions (100 % of their multiply-adds)"
    assert lines[1] == "reorders by oneDNN in all: nchw 3, both 1"
    assert [line.split() for line in lines[4:]] == [
        ["2", "Conv2d", "nhwc", "nhwc", "0", "->", "2"],
        ["1", "ReLU", "nhwc", "nchw", "0", "->", "1"],
    ]
    table = layout_text(way_answer(result), is_table=True).splitlines()
    assert [line.split()[0] for line in table[4:]] == ["conv", "act", "other"]


def test_the_last_line_says_what_to_do_and_gives_what_to_paste() -> None:
    """A place that loses the format is named with what to write instead."""
    text = text_of((1, 3, 8, 8, 8), outcome("eval", LOST, image_calls=LOSING))
    assert "  act (Module): torch.relu got NHWC and gave NCHW (net.py:3)\n    put the format back behind it" in text
    assert text.rstrip().splitlines()[-3:] == [
        "turn it on: yes, but 1 place loses the format, see above",
        "    model = model.to(memory_format=torch.channels_last_3d)",
        "    input = input.to(memory_format=torch.channels_last_3d)",
    ]


def test_what_is_put_back_right_behind_is_named_as_a_copy() -> None:
    """The answer is yes all the same."""
    stack = image_call("act", "", function="torch.stack", loses=LayoutLoss.PUT_BACK, gave="nchw", line="net.py:3")
    text = text_of((1, 3, 8, 8), outcome(image_calls=(*CALLS, stack)))
    sentence = "act (Module): torch.stack got NHWC and gave NCHW, which is put back right behind it (net.py:3)"
    assert f"\na copy each, and nothing to change:\n  {sentence}\n    without the copy: if the stack is" in text
    assert "to change:" not in text.replace("nothing to change:", "")
    assert "\nturn it on: yes\n" in text


def test_what_is_known_of_an_operator_stands_below_what_to_write() -> None:
    """It is asked for by the call, of the cells that ran."""
    cells_of_calls: list[tuple[str, set[str]]] = []

    def find(call: ImageCall, cells: Collection[str]) -> KnownLoss:
        """A known issue of any operator."""
        cells_of_calls.append((call.function, {*cells}))
        summary, link = "relu returns NCHW.", "https://example.org/1"
        return KnownLoss(operator="unary.yaml::relu", contract="", issue="relu-format", summary=summary, link=link)

    image = InputAnswer(name="input", shape=(1, 3, 8, 8), dtype="float32", is_image=True)
    text = model_text(model_answer("toy:make", [image], [outcome("eval", LOST, image_calls=LOSING)], find))
    known = "known of unary.yaml::relu: relu returns NCHW (known issue relu-format, https://example.org/1)"
    written = "put the format back behind it: x = x.contiguous(memory_format=torch.channels_last)"
    assert f"    {written}\n    {known}\n\nturn it on: yes, but 1 place loses" in text
    assert cells_of_calls == [("torch.relu", {"avx2"})]


def test_modules_that_come_from_one_known_issue_are_told_once() -> None:
    """Of one class and in all their levels: the first with its call, the others by their paths."""
    replay = OperatorReplay("{}", CellState.KNOWN_ISSUE, ("relu-format",))
    known = [
        FaultyModule(path, "ReLU", cell, f"{path} (ReLU) got NHWC and gave NCHW back", (), replay)
        for path in ("a", "b", "c")
        for cell in ("avx2", "avx512_core")
    ]
    text = text_of((1, 3, 8, 8), outcome("eval", explained=known))
    assert text.count("known of its operator") == 1
    assert "  known of its operator (relu-format) at avx2 and avx512_core: a (ReLU)\n    a (ReLU) got NHWC" in text
    assert "    and of 2 more of that class: b, c\n" in text


def test_what_is_wrong_or_without_effect_has_nothing_to_paste() -> None:
    """The last line is the answer alone."""
    wrong = text_of((1, 3, 8, 8), outcome("eval", WRONG))
    assert wrong.rstrip().endswith("turn it on: no: something is wrong in channels-last, see above")
    nothing = text_of((2, 5), outcome(image_calls=()))
    assert ": RIGHT, but nothing in it is in channels-last; every value" in nothing
    assert nothing.rstrip().splitlines()[-1].startswith("turn it on: no effect: no input is an image")
