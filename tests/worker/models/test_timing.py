"""Where the time of a model's step goes: a copy, a reorder, a kernel belong to the module that runs them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from harness.portable import protocol
from tests.execution.stand import module
from tests.worker.models.small_models import fields, planted, refer
from tests.worker.test_protocol import OPERATIONS, misfit

REORDER = "onednn_verbose,v1,primitive,exec,cpu,reorder,jit:uni,undef,a b,,,2x3,1.5\n"
CONVOLUTION = "onednn_verbose,v1,primitive,exec,cpu,convolution,jit:avx2,forward,a b,,,2x3,40.0\n"


class Copies(nn.Module):
    """Goes back to NCHW by a copy that is large beside all else."""

    def forward(self, x: Any) -> Any:
        """The same image in NCHW."""
        return x.contiguous()


class Printed:
    """A trace into which the test writes what oneDNN would print."""

    def __init__(self) -> None:
        self.lines = ""
        self.active = True
        self.durations = module("kernel_trace").Trace(active=False).durations

    def text(self) -> str:
        """What was printed since the last call."""
        text, self.lines = self.lines, ""
        return text


class Prints(nn.Module):
    """Prints, forward and backward, what a convolution of oneDNN would."""

    def __init__(self, log: Printed) -> None:
        super().__init__()
        self.log = log
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, x: Any) -> Any:
        """A product whose gradient prints."""
        self.log.lines += CONVOLUTION + REORDER
        result = x * self.weight
        if result.requires_grad:
            result.register_hook(self.print_reorder)
        return result

    def print_reorder(self, _gradient: Any) -> None:
        """What is printed as the gradient arrives."""
        self.log.lines += REORDER


def time_model(about: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """The reply to a request to measure, which has the types of the protocol."""
    request = {**about, "op": "model-time", "state": None, "seconds": 0.05, "intraop_threads": 1, "profiled": True}
    worker = module("serve").Worker("local", traced=False)
    reply: dict[str, Any] = protocol.decode(protocol.encode(worker.answer({**request, **changes})))
    assert misfit(reply, OPERATIONS["model-time"].reply) == ""
    return reply


def seconds_by(costs: list[dict[str, Any]], *names: str) -> dict[Any, float]:
    """Seconds by these fields."""
    sums: dict[Any, float] = {}
    for cost in costs:
        key = tuple(cost[name] for name in names)
        sums[key] = sums.get(key, 0.0) + cost["seconds"]
    return sums


@pytest.mark.parametrize("step", ["eval", "train"])
def test_both_formats_are_measured_and_what_they_cost_belongs_to_modules(step: str) -> None:
    """As many rounds of each, all of them longer than nothing; every module of the model has costs."""
    about = fields(step=step)
    reply = time_model(about, state=refer(about)["state"])
    assert reply["threads"] == 1
    assert len(reply["rounds"]["nchw"]) == len(reply["rounds"]["nhwc"]) >= 3
    assert min(reply["rounds"]["nchw"] + reply["rounds"]["nhwc"]) > 0
    for costs in (reply["costs"]["nchw"], reply["costs"]["nhwc"]):
        assert {cost["class_name"] for cost in costs} > {"Conv2d", "BatchNorm2d", "ReLU"}
        assert all(cost["seconds"] >= 0 for cost in costs)


@pytest.mark.parametrize("step", ["eval", "train"])
def test_a_copy_to_the_other_format_belongs_to_the_module_that_makes_it(
    step: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there in the converted step alone, where the image comes in NHWC and is made contiguous."""
    about = planted(monkeypatch, nn.Sequential(nn.ReLU(), Copies(), nn.Conv2d(3, 4, 1)), step=step)
    costs = time_model(about)["costs"]
    assert ("1", "copy") in seconds_by(costs["nhwc"], "module", "kind")
    assert ("1", "copy") not in seconds_by(costs["nchw"], "module", "kind")
    assert ("1", "aten::copy_") in seconds_by(costs["nhwc"], "module", "operator")


def test_the_backward_of_an_operator_belongs_to_the_module_of_its_forward(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not to the model, in whose step it runs; the optimiser's work is no module's."""
    about = planted(monkeypatch, nn.Sequential(nn.Conv2d(3, 4, 3), nn.Sequential(nn.BatchNorm2d(4))), step="train")
    operators = seconds_by(time_model(about)["costs"]["nchw"], "module", "operator")
    backward = {operator: path for path, operator in operators if operator.endswith("_backward")}
    assert backward["aten::convolution_backward"] == "0"
    assert backward["aten::native_batch_norm_backward"] == "1.0"
    assert ("", "Optimizer.step#SGD.step") in operators


def test_a_reorder_belongs_to_the_module_that_runs_it_forward_and_backward() -> None:
    """What is printed while a module runs is its own, and what is printed before the gradient of another runs too."""
    log = Printed()
    model: Any = nn.Sequential(nn.Identity(), nn.Sequential(Prints(log)), nn.ReLU())
    image = torch.ones(1, 3, 4, 4)
    costs = module("models.reorder_costs").reorder_costs(lambda: model(image).sum().backward(), model, log)
    assert {key.module: (key.kind, round(seconds, 6)) for key, seconds in costs.items()} == {
        ("1.0", "Prints"): ("reorder", 0.003)
    }


def test_reorders_are_split_off_the_kernels_of_their_module() -> None:
    """The costliest first, and never more than there is: the seconds of the module stay the same if they can."""
    costs_module = module("models.operator_costs")
    key, name = costs_module.CostKey, costs_module.ModuleName("conv", "Conv2d")
    kernels = {key(name, "convolution", "kernel"): 5.0, key(name, "add", "kernel"): 1.0, key(name, "", "overhead"): 2.0}
    reorder = key(name, "reorder", "reorder")
    split = module("models.reorder_costs").split_off_reorders
    assert split(kernels, {reorder: 4.0}) == {**kernels, key(name, "convolution", "kernel"): 1.0, reorder: 4.0}
    assert sum(split(kernels, {reorder: 5.5}).values()) == sum(kernels.values())
    much = split(kernels, {reorder: 9.0})
    assert [much[each] for each in kernels] == [0.0, 0.0, 2.0]
    assert much[reorder] == 9.0


def test_the_costs_of_a_step_add_up_to_the_step() -> None:
    """Every microsecond between the first and the last event of the step is somebody's."""
    costs_module = module("models.operator_costs")
    model: Any = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    ranges = costs_module.ModuleRanges(model)
    with ranges:
        events = costs_module.profile_step(lambda: model(torch.ones(1, 3, 8, 8)))
    costs = costs_module.sum_costs(events, ranges.modules, casts=False)
    whole = next(event for event in events if event.name == costs_module.STEP)
    assert sum(costs.values()) == pytest.approx(whole.cpu_time_total * 1e-6)
    assert {key.kind for key in costs} >= {"kernel", "overhead"}


def test_a_cast_is_work_and_no_copy_where_the_step_casts() -> None:
    """Under autocast `_to_copy` changes dtypes; elsewhere it changes the format."""
    costs_module = module("models.operator_costs")
    model: Any = nn.Identity()

    def kinds(*, casts: bool) -> set[str]:
        """The kinds of what is called copy_."""
        costs = costs_module.operator_costs(lambda: torch.ones(8, 8).to(torch.bfloat16), model, casts=casts)
        return {key.kind for key in costs if key.operator == "aten::copy_"}

    assert kinds(casts=False) == {"copy"}
    assert kinds(casts=True) == {"kernel"}


def test_what_raises_is_a_problem_in_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that raises cannot be measured, and the reply says why."""
    about = planted(monkeypatch, nn.Sequential(nn.Conv2d(5, 4, 1)))
    reply = time_model(about)
    assert reply["status"] == "problem"
    assert "\n" not in reply["message"]
    assert reply["message"].startswith("it raised RuntimeError: ")
