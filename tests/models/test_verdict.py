"""The answer to "can I turn channels-last on?": what counts, what decides, and the exit code."""

from __future__ import annotations

from dataclasses import replace

import pytest

from harness.core import CellState
from harness.models.image_call import ImageCall, LayoutLoss
from harness.models.model import BASELINE, CONVERSIONS, FULL_CONVERSION
from harness.models.outcome import ModelFailure, ModelOutcome
from harness.models.verdict import Answer, answer_of, copies_of, effect_of, no_effect_reason, places_of
from tests.models.calls import image_call
from tests.models.test_attribution import finding
from tests.models.test_report import EXAMPLE


def outcome(*calls: ImageCall, layouts: tuple[str, ...] = (), oracle: str = "values") -> ModelOutcome:
    """An outcome of one cell whose one example made these calls, and is wrong in `layouts`, if in any."""
    result = ModelOutcome(EXAMPLE.model, "eval-eager-float32", 1)
    state = CellState.FAILED if layouts else CellState.PASSED
    result.cells = {"avx2": {state: 1}}  # type: ignore[dict-item] # a counter of one
    result.image_calls = calls
    if layouts:
        result.failures = [ModelFailure(EXAMPLE, (replace(finding("output[0]", oracle=oracle), layouts=layouts),))]
    return result


def test_convolutions_count_by_number_and_by_their_multiply_adds() -> None:
    """A call counts if it got NHWC and gave NHWC, or a single pixel, which is in both formats."""
    calls = [
        image_call("a", multiply_adds=30),
        image_call("b", got="nchw", multiply_adds=10),
        image_call("pool", "pooling", gave="either"),
        image_call("norm", "normalisation", gave="nchw"),
        image_call("own", "", loses=LayoutLoss.GIVES, gave="nchw"),
    ]
    effect = effect_of(calls)
    assert effect.counts == {"convolution": (1, 2), "pooling": (1, 1), "normalisation": (0, 1)}
    assert effect.share == 0.75
    assert not effect.is_none


def test_a_model_of_which_all_stays_may_turn_it_on() -> None:
    """Its exit code is 0."""
    assert answer_of([outcome(image_call("conv"))]) is Answer.YES
    assert Answer.YES.exit_code == 0


def test_a_model_in_which_nothing_is_channels_last_is_no_yes() -> None:
    """Neither one without a convolution, nor one whose convolutions all get NCHW."""
    assert answer_of([outcome()]) is Answer.NO_EFFECT
    assert answer_of([outcome(image_call("conv", got="either", gave="nchw"))]) is Answer.NO_EFFECT


def test_a_place_that_loses_it_has_an_exit_code_of_its_own() -> None:
    """The values are right there."""
    lost = image_call("own", "", loses=LayoutLoss.GIVES, gave="nchw")
    result = outcome(image_call("conv"), lost, layouts=(FULL_CONVERSION,), oracle="strides")
    assert answer_of([result]) is Answer.LOSES_FORMAT


def test_what_is_put_back_right_behind_leaves_a_yes() -> None:
    """It costs a copy, and nothing behind it is in NCHW."""
    put_back = image_call("norm", "normalisation", loses=LayoutLoss.PUT_BACK, gave="nchw")
    result = outcome(image_call("conv"), put_back)
    assert answer_of([result]) is Answer.YES
    assert places_of([result]) == []
    assert [len(place.calls) for place in copies_of([outcome(image_call("conv")), result])] == [1]


def test_a_place_of_a_later_way_to_run_the_model_is_counted() -> None:
    """Evaluation may keep what a step of training loses."""
    lost = image_call("own", "", loses=LayoutLoss.GIVES, gave="nchw")
    outcomes = [outcome(image_call("conv")), outcome(image_call("conv"), lost)]
    assert answer_of(outcomes) is Answer.LOSES_FORMAT
    assert [len(place.calls) for place in places_of(outcomes)] == [1]


def test_what_is_wrong_converted_goes_before_all_else() -> None:
    """One way to run the model is enough."""
    wrong = outcome(image_call("conv"), layouts=(BASELINE, FULL_CONVERSION))
    assert answer_of([outcome(), wrong]) is Answer.WRONG


@pytest.mark.parametrize("oracle", ["values", "shape", "error", "crash", "hang"])
def test_what_is_wrong_in_nchw_alone_is_no_answer_to_the_question(oracle: str) -> None:
    """Channels-last is right there: what else is true of the model decides. Under any conversion it is a no."""
    kept, lost = image_call("conv"), image_call("own", "", loses=LayoutLoss.GIVES, gave="nchw")
    assert answer_of([outcome(kept, layouts=(BASELINE,), oracle=oracle)]) is Answer.YES
    assert answer_of([outcome(kept, lost, layouts=(BASELINE,), oracle=oracle)]) is Answer.LOSES_FORMAT
    assert answer_of([outcome(layouts=(BASELINE,), oracle=oracle)]) is Answer.NO_EFFECT
    for conversion in CONVERSIONS:
        assert answer_of([outcome(kept, layouts=(conversion,), oracle=oracle)]) is Answer.WRONG


def test_what_was_not_judged_is_not_called_right() -> None:
    """No cell ran."""
    nowhere = outcome(image_call("conv"))
    nowhere.cells = {}
    assert answer_of([nowhere]) is Answer.NOT_JUDGED


def test_the_reason_why_nothing_is_channels_last_is_said() -> None:
    """One channel, no batch axis, no image, nothing that works on one, or what the first call got.

    What has three dimensions need not be an image: a sequence has three.
    """
    volume = image_call("a", function="torch.nn.functional.conv3d", got="either", gave="nchw", shape=(1, 1, 8, 8, 8))
    assert "the input has one channel" in no_effect_reason([[1, 1, 8, 8, 8]], [volume])
    assert "memory_format=torch.channels_last_3d" in no_effect_reason([[1, 1, 8, 8, 8]], [volume])
    unbatched = image_call("a", shape=(3, 8, 8))
    words = "conv2d of a (Module) got [3, 8, 8]: give an image its batch axis"
    assert words in no_effect_reason([[3, 8, 8]], [unbatched])
    assert "no input is an image" in no_effect_reason([[2, 5]], [])
    assert "no input is an image" in no_effect_reason([[2, 5, 16]], [])
    assert "of an image was seen" in no_effect_reason([[2, 3, 8, 8]], [])
    assert "conv2d of a (Module), got nchw" in no_effect_reason([[2, 3, 8, 8]], [image_call("a", got="nchw")])


def test_a_death_that_is_known_of_an_operator_is_no_yes() -> None:
    """Nobody can train with it; values that are known to be wrong leave the answer to what is in channels-last."""
    result = outcome(image_call("conv"))
    result.known_issues.update(["heap"])
    assert answer_of([result]) is Answer.YES
    result.known_deaths.add("heap")
    assert answer_of([result]) is Answer.WRONG
