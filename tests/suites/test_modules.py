"""Modules with state: how they are made, their mode, and the tensors that stand for parameters and buffers."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from harness.core import Expression, Module, TensorArgument
from harness.suites import Suite

Load = Callable[[str], Suite]
Mistakes = Callable[[str], list[str]]

MODULE = """\
suite: things
cases:
  thing:
    module: torch.nn.Thing
    sizes: {N: batch, C: channels, train: [true, false]}
    tensors:
      input: {shape: [N, C], layout: channels_last}
      weight: {shape: [C]}
      running_mean: {shape: [C], buffer: true}
    init: {features: C, mode: {text: fast}}
    train: train
    state: [weight, running_mean]
    numerics: exact
"""


def test_a_module_has_what_makes_it_its_mode_and_its_state(load: Load) -> None:
    """Values of init are those of arguments; what holds state is passed nowhere else."""
    case = load(MODULE).cases[0]
    assert case.call == "torch.nn.Thing"
    state = {"weight": "weight", "running_mean": "running_mean"}
    assert case.module == Module({"features": Expression.parse("C"), "mode": "fast"}, Expression.parse("train"), state)
    assert case.by_position == (TensorArgument("input"),)


def test_a_mapping_gives_state_other_names_than_tensors_may_have(load: Load) -> None:
    """A parameter of an inner module has a dot in its name; positional does not have to name what is state."""
    text = MODULE.replace("[weight, running_mean]", "{inner.weight: weight, mean: running_mean}")
    case = load(text.replace("    train: train\n", "") + "    positional: [input]\n").cases[0]
    assert case.module is not None
    assert case.module.state == {"inner.weight": "weight", "mean": "running_mean"}
    assert case.module.train is True
    assert case.by_position == (TensorArgument("input"),)


def test_a_family_of_modules_has_the_name_in_module(load: Load) -> None:
    """The names of a family stand for {name} in `module`, as in the call of a function."""
    text = MODULE.replace("torch.nn.Thing", "torch.nn.{name}").replace("    init:", "    names: [A, B]\n    init:")
    assert [case.call for case in load(text).cases] == ["torch.nn.A", "torch.nn.B"]


def test_a_function_has_no_module(plain: str, load: Load) -> None:
    """A case with a call has no module."""
    assert load(plain).cases[0].module is None


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "    module: torch.nn.Thing\n",
            "    module: torch.nn.Thing\n    call: torch.thing\n",
            [
                (
                    "3:3: 'thing' has a call and a module; write one: call: torch.nn.functional.relu, "
                    "or module: torch.nn.ReLU"
                )
            ],
        ),
        (
            "    module: torch.nn.Thing\n",
            "    module: Thing\n",
            ["4:13: 'Thing' is not a dotted name, such as torch.nn.functional.conv2d"],
        ),
        (
            "features: C",
            "features: Q",
            ["10:22: 'Q' is not a size of 'thing'; its sizes are N, C, train; for the text itself write {text: Q}"],
        ),
        ("train: train", "train: trains", ["11:12: 'trains' is not a size of 'thing'; did you mean 'train'?"]),
        (
            "train: train",
            "train: 3",
            ["11:12: expected true, false, or an expression over the sizes, got the number 3"],
        ),
        ("[weight, running", "[wight, running", ["12:13: 'wight' is not a tensor of 'thing'; did you mean 'weight'?"]),
        (
            "[weight, running_mean]",
            "{a: weight, b: bias}",
            ["12:27: 'bias' is not a tensor of 'thing'; its tensors are input, weight, running_mean"],
        ),
        (
            "    numerics: exact\n",
            "    numerics: exact\n    inplace: torch.thing_\n",
            ["14:14: a module has no in-place form here; give its own argument in init"],
        ),
    ],
)
def test_mistakes_of_modules_are_placed(mistakes: Mistakes, old: str, new: str, expected: list[str]) -> None:
    """Both forms of a call, names that do not exist and a mode that is none are reported at their places."""
    assert mistakes(MODULE.replace(old, new, 1)) == expected


def test_what_belongs_to_a_module_is_refused_for_a_function(plain: str, mistakes: Mistakes) -> None:
    """Each key that only a module has is reported at its place."""
    assert mistakes(f"{plain}    train: false\n    state: [bias]\n") == [
        "10:12: 'train' belongs to a module; 'thing' calls a function",
        "11:12: 'state' belongs to a module; 'thing' calls a function",
    ]
