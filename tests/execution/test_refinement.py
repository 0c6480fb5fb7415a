"""A reference of many perturbations: what eight of them condemn by chance is right, and what is wrong stays wrong."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt
import pytest

from harness.core import Case, CellState, Example, Observation
from harness.execution import Executor, Result, refine_reference
from harness.models import OperatorReplayer
from harness.oracles import judge
from harness.project import Project
from harness.trial import judge_result, judge_run
from tests.plugin.project import needs_workers

pytestmark = needs_workers

NORMS: Final = "suites/operators/normalization.yaml::"
UNLUCKY: Final = (
    (
        "batch_norm_training_mixed",
        '"float16", "sizes": {"N": 16, "C": 56, "H": 5, "W": 8, "momentum": 0.125}, "seed": 11802',
        "channels_last",
        "buffer:running_var",
    ),
    (
        "batch_norm_evaluation",
        '"float32", "sizes": {"D": 1, "N": 2, "C": 16, "H": 33, "W": 33, "eps": 1e-05}, "seed": 22996',
        "contiguous",
        "output[0]",
    ),
)
"""Examples of which eight perturbations hardly move one element, of 56 and of 34,848: name, sizes, layout, tensor."""


def run_example(executor: Executor, name: str, text: str, layout: str) -> tuple[Case, Result]:
    """The case, and what the executor makes of the example."""
    case = Project(Path(__file__).parents[2]).every_case()[NORMS + name]
    state = dict.fromkeys(("running_mean", "running_var", "weight", "bias", "grad_output"), "contiguous")
    layouts = str({"input": layout, **state}).replace("'", '"')
    example = Example.from_json(
        f'{{"case": "{case.id}", "dtype": {text}, "layouts": {layouts}, "absent": [], "fill": "offset", '
        '"threads": 1, "inplace": false}'
    )
    return case, next(iter(executor.run(case, [example])))


def sensitivity(result: Result, tensor: str) -> npt.NDArray[np.float64]:
    """How far roundings inside operators, and then of what is stored, move the elements of a tensor."""
    reference = result.reference
    moves = [reference.inner_sensitivity[tensor], reference.storage_sensitivity.get(tensor, np.zeros(1))]
    return np.concatenate([move.ravel() for move in moves])


@pytest.mark.parametrize(("name", "text", "layout", "tensor"), UNLUCKY)
def test_what_few_perturbations_hardly_move_is_no_failure(
    executor: Executor, name: str, text: str, layout: str, tensor: str
) -> None:
    """No element's allowance shrinks, that of the unlucky one grows, and nothing fails."""
    case, result = run_example(executor, name, text, layout)
    refined = refine_reference(executor, case, result)
    few, many = (sensitivity(each, tensor) for each in (result, refined))
    assert (many >= few).all()
    assert (many > 1.5 * few).any()
    assert judge(case, refined.example, refined.reference, refined.observations).findings == ()
    assert judge_run(case, result, [], executor).failures == ()


def with_weak_perturbations(result: Result) -> Result:
    """The result with a reference whose few perturbations have moved the output by a sixteenth of what they do."""
    sensitivity = result.reference.inner_sensitivity
    weak = {**sensitivity, "output[0]": sensitivity["output[0]"] / 16}
    return replace(result, reference=replace(result.reference, inner_sensitivity=weak))


def test_the_operator_of_a_module_is_judged_so_too(executor: Executor, monkeypatch: pytest.MonkeyPatch) -> None:
    """What few perturbations condemn by chance is no reason to blame the operator that a model calls."""
    case, result = run_example(executor, *UNLUCKY[1][:3])
    unlucky = with_weak_perturbations(result)
    assert judge_result(case, unlucky, []).failures != ()
    match = (replace(case, fills=(result.example.fill,)), result.example)
    monkeypatch.setattr("harness.models.operator_replay.match_operator", lambda *_: match)
    monkeypatch.setattr(Executor, "run_isolated", lambda *_, **__: unlucky)
    replay = OperatorReplayer(executor, lambda: (case,), lambda *_: ()).replay((), (), "avx2")
    assert replay is not None
    assert replay.verdict is CellState.PASSED


def with_one_wrong_element(observation: Observation) -> Observation:
    """The observation with the first element of its output off by a thousandth."""
    record = observation.tensors["output[0]"]
    values = record.values.copy()
    values[0, 0, 0, 0] *= 1.001
    return replace(observation, tensors={**observation.tensors, "output[0]": replace(record, values=values)})


def test_what_is_wrong_stays_wrong(executor: Executor) -> None:
    """A result that is off by a thousandth fails by the finer reference too."""
    case, result = run_example(executor, *UNLUCKY[1][:3])
    wrong = replace(result, observations=tuple(map(with_one_wrong_element, result.observations)))
    findings = judge_run(case, wrong, [], executor).failures
    assert [(finding.oracle, finding.tensor) for finding in findings] == [("values", "output[0]")]
