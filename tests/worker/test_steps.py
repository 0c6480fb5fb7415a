"""Steps of optimizers as callables: every form makes the same step, and the state that is given is gone on from."""

from __future__ import annotations

from typing import Any

import pytest

from tests.execution.stand import module

torch = pytest.importorskip("torch")

ONE_STATE: dict[str, Any] = {"lr": 0.25, "weight_decay": 0.25}
OPTIMIZERS: dict[str, tuple[int, dict[str, Any]]] = {
    "sgd": (1, {**ONE_STATE, "momentum": 0.5}),
    "adam": (3, {**ONE_STATE, "amsgrad": True}),
    "adamw": (3, {**ONE_STATE, "amsgrad": True}),
    "adagrad": (1, ONE_STATE),
    "rmsprop": (3, {**ONE_STATE, "momentum": 0.5, "centered": True}),
}


def numbers(seed: int) -> list[Any]:
    """A kernel of images and one of volumes, contiguous, between 0.5 and 1.5."""
    generator = torch.Generator().manual_seed(seed)
    return [torch.rand(shape, generator=generator) + 0.5 for shape in ((4, 3, 2, 2), (3, 4, 2, 2, 2))]


def step(name: str, form: str, steps: int = 1, fresh: bool = False) -> list[Any]:
    """What a step comes to, from the same numbers."""
    count, options = OPTIMIZERS[name]
    states = [numbers(2 + index) for index in range(count)]
    if name == "rmsprop":
        states = [[4 * tensor for tensor in states[0]], *states[1:]]
    tensors: list[Any] = getattr(module("callables.steps"), name)(
        form, numbers(0), numbers(1), states, steps, fresh, **options
    )
    return tensors


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_form_makes_the_same_step(name: str) -> None:
    """Of contiguous tensors; parameters come first, then the states by name."""
    due = step(name, "plain")
    assert len(due) == 2 + 2 * OPTIMIZERS[name][0]
    for form in ("foreach", "fused") if name != "rmsprop" else ("foreach",):
        for tensor, other in zip(step(name, form), due, strict=True):
            torch.testing.assert_close(tensor, other)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_state_that_is_given_is_used_and_a_fresh_optimizer_has_its_own(name: str) -> None:
    """Going on from a state is not starting, and two steps are not one."""
    parameters = [step(name, "plain")[0], step(name, "plain", fresh=True)[0], step(name, "plain", steps=2)[0]]
    assert not parameters[0].equal(parameters[1])
    assert not parameters[0].equal(parameters[2])


@pytest.mark.parametrize("length", ["plain", "two"])
def test_gradients_are_clipped_in_place(length: str) -> None:
    """To the norm or the value that is asked for, and the norm that they had is returned."""
    steps = module("callables.steps")
    gradients, others = numbers(0), numbers(0)
    torch.testing.assert_close(
        steps.clip_norm(length, gradients, 0.5, 2), steps.plain_clip_norm(length, others, 0.5, 2)
    )
    torch.testing.assert_close(gradients, others)
    assert all(tensor.max() == 0.75 for tensor in steps.clip_value(length, numbers(0), 0.75))


def test_averages_and_scales_are_what_a_loop_gives() -> None:
    """The functions of torch.optim.swa_utils and of GradScaler change the tensors that they are given."""
    steps = module("callables.steps")
    for name, arguments in {"moving_average": (numbers(1), 0.75), "equal_average": (numbers(1), 3)}.items():
        due = getattr(steps, "plain_" + name)("two", numbers(0), *arguments)
        torch.testing.assert_close(getattr(steps, name)("two", numbers(0), *arguments), due)
    gradients, others = numbers(0), numbers(0)
    gradients[1][0] = others[1][0] = torch.inf
    assert steps.unscale("two", gradients, 2).item() == steps.plain_unscale("two", others, 2).item() == 1
    torch.testing.assert_close(gradients, others)


@pytest.mark.parametrize("name", ["add_", "mul_", "clamp_max_", "copy_", "addcmul_", "addcdiv_", "lerp_", "sqrt_"])
def test_so_many_of_a_list_are_changed_as_the_word_says(name: str) -> None:
    """One of two, or both, as a loop changes them; what is behind is as it was."""
    steps = module("callables.steps")
    count = {"sqrt_": 1, "addcmul_": 3, "addcdiv_": 3, "lerp_": 3}.get(name, 2)
    for length, changed in {"one": 1, "two": 2}.items():
        lists = [numbers(seed) for seed in range(count)]
        getattr(steps, "foreach_" + name)(length, *lists)
        due = getattr(steps, "each_" + name)(length, *(numbers(seed) for seed in range(count)))
        assert len(due) == changed
        torch.testing.assert_close(lists[0], due + numbers(0)[changed:])
