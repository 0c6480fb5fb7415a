"""When an item is not available: the rule, and what a trial makes of it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from harness.core import Example, ItemStatus, Observation, Reference, ReproducerState, TensorRecord
from harness.execution import Result
from harness.trial import Availability
from harness.trial.availability import lacks_kernel
from tests.trial.toy import CASE, ToyExecutor
from tests.trial.trials import REPRODUCER, known_issue, right, try_case

EXAMPLE = Example(CASE.id, "float32", {"N": 1, "C": 1, "H": 1, "W": 1}, {"input": "channels_last"})
NO_KERNEL = {"error": "RuntimeError", "message": "\"avg_pool2d_out_frame\" not implemented for 'Half'\nand more"}
NO_OPERATOR = {
    "error": "NotImplementedError",
    "message": "Could not run 'aten::x' with arguments from the 'CPU' backend",
}
NO_DERIVATIVE = {"error": "RuntimeError", "message": "derivative for aten::narrow_copy is not implemented"}
COMPUTED = Reference("ok")


def raising(layout: Any = "drawn", **end: Any) -> Observation:
    """A call that raised."""
    return Observation("avx2", layout, "raised", **{**NO_KERNEL, **end})


def returning(*shape: int) -> Observation:
    """A call that returned one output."""
    output = TensorRecord("float32", shape, (1,) * len(shape), np.zeros(shape))
    return Observation("avx2", "drawn", "ok", {"output[0]": output})


def lack(*observations: Observation, reference: Reference = COMPUTED) -> str:
    """What the rule says of one example."""
    availability = Availability()
    availability.note(Result(EXAMPLE, reference, observations))
    return availability.lack


@pytest.mark.parametrize("end", [NO_KERNEL, NO_OPERATOR])
def test_an_item_without_a_kernel_is_not_available(end: dict[str, str]) -> None:
    """It raises what ATen says of a missing kernel in both layouts; the reason is the first line of that."""
    text = f"{end['error']}: {end['message'].partition(chr(10))[0]}"
    assert lack(raising(**end), raising("contiguous", **end)) == text
    assert lack(raising(**end), returning(1, 0)) == text


def test_what_the_reference_refuses_alike_is_not_available() -> None:
    """Nothing can compute it in this release."""
    reference = Reference("raised", **NO_DERIVATIVE)  # type: ignore[arg-type] # the texts of the error
    raised = raising(**NO_DERIVATIVE, phase="backward")
    assert (
        lack(raised, raised, reference=reference) == "RuntimeError: derivative for aten::narrow_copy is not implemented"
    )


@pytest.mark.parametrize(
    "observations",
    [
        (raising(), returning(1, 2)),
        (raising(error="ValueError"), raising(message="channels_last is not supported")),
        (raising(message="expected scalar type Half"), raising()),
        (raising(tensors=returning(1, 2).tensors, phase="backward"), raising()),
        (raising(), Observation("avx2", "contiguous", "died")),
        (returning(1, 0), returning(0, 2)),
        (),
    ],
)
def test_a_real_failure_is_not_swallowed(observations: tuple[Observation, ...]) -> None:
    """One layout computes it, another error is raised, the forward is there, the worker dies, or all is empty."""
    assert lack(*observations) == ""


def test_a_refusal_that_the_reference_does_not_share_is_a_failure() -> None:
    """The reference raises something else: the operator is there."""
    assert lack(raising(**NO_DERIVATIVE), reference=Reference("raised", error="ValueError", message="x")) == ""
    assert lack(raising(**NO_DERIVATIVE)) == ""


def test_one_example_that_is_computed_refutes_it() -> None:
    """An operator that raises for some examples only is there, in whatever order they come."""
    for order in ((raising(), returning(1, 2)), (returning(1, 2), raising())):
        availability = Availability()
        for observation in order:
            availability.note(Result(EXAMPLE, COMPUTED, (observation,)))
        assert availability.lack == ""


def test_a_backward_without_a_kernel_is_a_difference() -> None:
    """What the forward computed is there to be judged."""
    assert lacks_kernel(raising())
    assert not lacks_kernel(raising(tensors=returning(1, 2).tensors, phase="backward"))
    assert not lacks_kernel(returning(1, 2))


class WithoutKernel(ToyExecutor):
    """The toy in a release that has no kernel for it."""

    def run(self, *args: Any, **options: Any) -> Any:
        """Each example raises in every cell and layout, but those in `kept`."""
        for result in super().run(*args, **options):
            ends = tuple(
                Observation(each.cell, each.layout, "raised", **NO_KERNEL)  # type: ignore[arg-type] # its texts
                for each in result.observations
            )
            yield Result(result.example, result.reference, ends)


def test_a_trial_is_not_available_where_a_release_may_lack_the_item() -> None:
    """It neither fails nor passes, says why, and its known issues are not called stale."""
    outcome = try_case(WithoutKernel(right), known_issue(REPRODUCER), may_lack=True)
    assert outcome.status is ItemStatus.NOT_AVAILABLE
    assert outcome.lack == "RuntimeError: \"avg_pool2d_out_frame\" not implemented for 'Half'"
    assert (outcome.failures, outcome.stale) == ([], [])
    assert [check.state for check in outcome.reproducers.values()] == [ReproducerState.NOT_CHECKED]


def test_a_trial_in_a_verified_release_fails() -> None:
    """golden/ has seen the item there: what is missing now is a fault."""
    outcome = try_case(WithoutKernel(right))
    assert (outcome.status, outcome.lack) == (ItemStatus.FAILED, "")


def test_a_way_that_the_machine_cannot_go_is_said_and_nothing_of_it_runs() -> None:
    """Neither an example nor a reproducer: both would look as if they had passed."""

    class WithoutCompiler(ToyExecutor):
        def path_problem(self, path: str) -> str:
            return f"no compiler for {path}"

    case = replace(CASE, paths=("compile",))
    entry = known_issue(REPRODUCER.but(path="compile"))
    outcome = try_case(WithoutCompiler(right), entry, case=case, saved=[REPRODUCER.but(path="compile")])
    assert outcome.notes == ["compile is not available: no compiler for compile"]
    check = outcome.reproducers[entry.name]
    assert (check.state, check.detail) == (ReproducerState.NOT_CHECKED, "compile is not available")
    assert outcome.examples["saved"] == 0
