"""Models: a converted run against float64 and against the unconverted one."""

from __future__ import annotations

from typing import Any

import numpy as np

from harness.core import Judgement, TensorRecord
from harness.models.judge import judge_model
from harness.models.model import ModelObservation, ModelReference

VALUE = np.array([1.0, -2.0, 4.0])
U = 2.0**-24


def record(values: Any) -> TensorRecord:
    """A float32 vector as it came back."""
    array = np.asarray(values, np.float32)
    return TensorRecord("float32", array.shape, (1,) * array.ndim, array)


def judgement_of(sensitivity: float = 1e-6, **runs: Any) -> Judgement:
    """The judgement of runs by conversion, each the error of its first element, or an observation's fields."""
    reference = ModelReference("ok", {"output[0]": VALUE}, {"output[0]": sensitivity})
    observations = []
    for conversion, run in runs.items():
        fields = (
            run
            if isinstance(run, dict)
            else {"status": "ok", "tensors": {"output[0]": record(VALUE + np.array([run, 0, 0]))}}
        )
        observations.append(ModelObservation("avx2", conversion, **fields))
    return judge_model(reference, observations)


def test_runs_within_what_rounding_moves_are_right() -> None:
    """An error of the size of the measured movement is no finding, converted or not."""
    judgement = judgement_of(nchw=2e-6, both=2e-6)
    assert judgement.findings == ()
    assert 0 < judgement.ratios["avx2", "output[0]"] < 1


def test_a_converted_run_may_not_be_much_worse_than_the_unconverted_one() -> None:
    """Half as much again as eight times the movement is too much, and only the conversion is at fault."""
    [finding] = judgement_of(nchw=0.0, both=1.2e-5).findings
    assert (finding.oracle, finding.tensor, finding.kind) == ("values", "output[0]", "layout")
    assert finding.layouts == ("both",)


def test_a_converted_run_may_be_as_bad_as_an_unconverted_one_that_is_accepted() -> None:
    """The yardstick is the error without conversion, where it is the larger one."""
    assert judgement_of(nchw=7e-6, both=1.2e-5).findings == ()


def test_both_formats_are_held_against_float64() -> None:
    """What is wrong without conversion too is wrong everywhere, and not right in channels-last."""
    [finding] = judgement_of(nchw=1.0, both=1.0).findings
    assert (finding.kind, finding.layouts) == ("universal", ("nchw", "both"))
    [finding] = judgement_of(nchw=float("nan"), both=float("nan")).findings
    assert finding.layouts == ("nchw", "both")


def test_what_is_wrong_unconverted_alone_is_a_finding_about_that() -> None:
    """The converted run is judged as where the unconverted one is as wrong as it may be."""
    [finding] = judgement_of(nchw=1.0, both=1e-5).findings
    assert (finding.kind, finding.layouts) == ("universal", ("nchw",))


def test_nothing_moves_less_than_its_own_rounding() -> None:
    """Where the measured movement is zero, one rounding of the largest element is the floor."""
    assert judgement_of(sensitivity=0.0, nchw=4 * U, both=4 * U).findings == ()
    assert judgement_of(sensitivity=0.0, nchw=0.0, both=1e-4).findings


def test_not_a_number_is_beyond_any_allowance() -> None:
    """NaN where float64 has a number fails."""
    [finding] = judgement_of(nchw=0.0, both=float("nan")).findings
    assert "in 1 of 3 elements" in finding.message


def test_a_model_that_rounding_alone_can_turn_over_is_not_trusted() -> None:
    """Where the allowance is as large as the output, no check could have failed."""
    judgement = judgement_of(sensitivity=4.0, nchw=0.0, both=1.0)
    assert judgement.untrusted == {"too sensitive to judge": ("avx2",)}


def test_what_is_zero_but_for_rounding_is_judged_against_its_movement() -> None:
    """The gradient of a bias in front of a batch norm is rounding noise: more than that is a finding."""
    reference = ModelReference("ok", {"grad:bias": np.array([1e-17])}, {"grad:bias": 1e-9})
    observations = [ModelObservation("avx2", "nchw", "ok", {"grad:bias": record([1e-3])})]
    assert [finding.tensor for finding in judge_model(reference, observations).findings] == ["grad:bias"]


def test_labels_are_equal() -> None:
    """A tensor that is not floating has no allowance."""
    reference = ModelReference("ok", {"output[0]": np.array([1, 2])}, {"output[0]": 0.0})
    right = ModelObservation("avx2", "nchw", "ok", {"output[0]": TensorRecord("int64", (2,), (1,), np.array([1, 2]))})
    wrong = ModelObservation("avx2", "both", "ok", {"output[0]": TensorRecord("int64", (2,), (1,), np.array([1, 3]))})
    assert [finding.kind for finding in judge_model(reference, [right, wrong]).findings] == ["layout"]


def test_detections_that_rounding_changes_in_number_have_no_shape_to_keep() -> None:
    """An infinite movement means that float64 itself finds another number of boxes."""
    reference = ModelReference("ok", {"output[0]": VALUE}, {"output[0]": float("inf")})
    other = ModelObservation("avx2", "both", "ok", {"output[0]": record([1.0])})
    assert judge_model(reference, [other]).findings == ()


def test_a_missing_tensor_is_a_finding() -> None:
    """Every tensor of the reference is due."""
    [finding] = judgement_of(nchw=0.0, both={"status": "ok", "tensors": {}}).findings
    assert (finding.oracle, finding.message) == ("shape", "output[0] is missing")


def test_a_worker_that_died_or_raised_is_a_finding() -> None:
    """How a run ended is told for each conversion."""
    died = {"status": "died", "message": "killed by SIGSEGV"}
    raised = {"status": "raised", "error": "RuntimeError", "message": "no"}
    assert [finding.oracle for finding in judgement_of(nchw=died, both=died).findings] == ["crash"]
    assert [finding.message for finding in judgement_of(nchw=raised).findings] == ["raised RuntimeError: no"]


def test_a_way_to_convert_the_model_that_is_wrong_is_a_finding_of_its_own() -> None:
    """The runs are right all the same, and the finding names the way."""
    converted = {
        "status": "ok",
        "tensors": {"output[0]": record(VALUE)},
        "conversion_faults": (("to", "error", "raised RuntimeError: no"),),
    }
    [finding] = judgement_of(nchw=0.0, both=converted).findings
    assert (finding.oracle, finding.tensor, finding.layouts) == ("error", "conversion:to", ("both",))
    assert "converted by to: raised RuntimeError: no" in finding.message
