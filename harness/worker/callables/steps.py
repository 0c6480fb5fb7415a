"""Steps of optimizers, and what else is done to a list of tensors at once, as callables.

A suite names them ``nhwc_equivalence.worker.callables.steps.NAME``. Each changes its tensors in place, as training
does. What it should come to is the same for one tensor after the other: the reference of a step is the step with
neither `foreach` nor `fused`, that of a function on lists a loop over them.
"""

from __future__ import annotations

import functools
from typing import Callable, Dict, List, Sequence

import torch
from torch import Tensor

Tensors = Sequence[Tensor]

FORMS: Dict[str, Dict[str, bool]] = {
    "plain": {"foreach": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}
"""The ways of an optimizer to make a step, and how each is asked for."""

STATES: Dict[str, Sequence[str]] = {
    "SGD": ("momentum_buffer",),
    "Adam": ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    "AdamW": ("exp_avg", "exp_avg_sq", "max_exp_avg_sq"),
    "Adagrad": ("sum",),
    "RMSprop": ("square_avg", "momentum_buffer", "grad_avg"),
}
"""What each optimizer keeps for a parameter, of the parameter's shape."""

STEPS_BEFORE = 3.0
"""Steps that have been made where an optimizer goes on: the state that is given comes from these."""

LENGTHS: Dict[str, int] = {"one": 1, "two": 2, "three": 3, "plain": 3}
"""How many tensors of a list are taken; ``plain`` is one after the other. It is a word in suites.

Each tensor of a list is traced in each format with each word.
"""


def _step(  # noqa: PLR0913, PLR0917 - what a step depends on
    name: str,
    form: str,
    parameters: Tensors,
    gradients: Tensors,
    states: Sequence[Tensors],
    steps: int,
    fresh: bool = False,
    **options: object,
) -> List[Tensor]:
    """Make `steps` steps of an optimizer; returns parameters and states, the first state of each parameter first.

    `states` has a list for each name in `STATES`. `fresh`: the optimizer starts, and makes its state by itself.
    """
    optimizer = getattr(torch.optim, name)(list(parameters), **FORMS[form], **options)
    for index, (parameter, gradient) in enumerate(zip(parameters, gradients)):
        parameter.grad = gradient
        if not fresh:
            _put_state(optimizer, parameter, {key: each[index] for key, each in zip(STATES[name], states)})
    for _ in range(steps):
        optimizer.step()
    kept = [optimizer.state[parameter].get(key) for key in STATES[name] for parameter in parameters]
    return [*parameters, *(tensor for tensor in kept if isinstance(tensor, Tensor))]


def _put_state(optimizer: torch.optim.Optimizer, parameter: Tensor, state: Dict[str, Tensor]) -> None:
    """Let the optimizer go on with this state."""
    if type(optimizer) is not torch.optim.SGD:
        optimizer.state[parameter]["step"] = torch.tensor(STEPS_BEFORE)
    optimizer.state[parameter].update(state)


def _plain_step(name: str, _form: str, *arguments: object, **options: object) -> List[Tensor]:
    """The same in the plain form, whatever form is asked for."""
    return _step(name, "plain", *arguments, **options)  # type: ignore[arg-type] # handed on


sgd = functools.partial(_step, "SGD")
adam = functools.partial(_step, "Adam")
adamw = functools.partial(_step, "AdamW")
adagrad = functools.partial(_step, "Adagrad")
rmsprop = functools.partial(_step, "RMSprop")
plain_sgd = functools.partial(_plain_step, "SGD")
plain_adam = functools.partial(_plain_step, "Adam")
plain_adamw = functools.partial(_plain_step, "AdamW")
plain_adagrad = functools.partial(_plain_step, "Adagrad")
plain_rmsprop = functools.partial(_plain_step, "RMSprop")


def _so_many(length: str, tensors: Tensors) -> List[Tensor]:
    """The first of a list, as many as the word says."""
    return [*tensors[: LENGTHS[length]]]


def clip_norm(length: str, gradients: Tensors, most: float, kind: float) -> Tensor:
    """Scale gradients down to the norm `most` of all of them together; returns the norm that they had."""
    parameters = _parameters_with(_so_many(length, gradients))
    return torch.nn.utils.clip_grad_norm_(parameters, most, kind, foreach=length != "plain")


def plain_clip_norm(length: str, gradients: Tensors, most: float, kind: float) -> Tensor:
    """The same as its documentation has it."""
    gradients = _so_many(length, gradients)
    norm = torch.linalg.vector_norm(torch.stack([torch.linalg.vector_norm(each, kind) for each in gradients]), kind)
    for gradient in gradients:
        gradient.copy_(gradient * torch.clamp(most / (norm + 1e-6), max=1.0))
    return norm


def clip_value(length: str, gradients: Tensors, most: float) -> List[Tensor]:
    """Clamp gradients to `most` and its negative."""
    gradients = _so_many(length, gradients)
    torch.nn.utils.clip_grad_value_(_parameters_with(gradients), most, foreach=length != "plain")
    return gradients


def plain_clip_value(length: str, gradients: Tensors, most: float) -> List[Tensor]:
    """The same for one after the other."""
    return [gradient.clamp_(-most, most) for gradient in _so_many(length, gradients)]


def _parameters_with(gradients: Tensors) -> List[Tensor]:
    """Parameters that have these gradients."""
    parameters = [torch.empty_like(gradient) for gradient in gradients]
    for parameter, gradient in zip(parameters, gradients):
        parameter.grad = gradient
    return parameters


def moving_average(length: str, averages: Tensors, parameters: Tensors, decay: float) -> List[Tensor]:
    """Exponential moving averages of parameters, by `torch.optim.swa_utils`."""
    averages, parameters = _so_many(length, averages), _so_many(length, parameters)
    torch.optim.swa_utils.get_ema_multi_avg_fn(decay)(averages, parameters, 1)
    return averages


def plain_moving_average(length: str, averages: Tensors, parameters: Tensors, decay: float) -> List[Tensor]:
    """The same for one after the other."""
    return [average.lerp_(parameter, 1 - decay) for average, parameter in zip(_so_many(length, averages), parameters)]


def equal_average(length: str, averages: Tensors, parameters: Tensors, count: int) -> List[Tensor]:
    """Averages of parameters with equal weights, `count` of which are in them already, by `torch.optim.swa_utils`."""
    averages, parameters = _so_many(length, averages), _so_many(length, parameters)
    torch.optim.swa_utils.get_swa_multi_avg_fn()(averages, parameters, count)
    return averages


def plain_equal_average(length: str, averages: Tensors, parameters: Tensors, count: int) -> List[Tensor]:
    """The same for one after the other."""
    return [
        average.lerp_(parameter, 1 / (count + 1)) for average, parameter in zip(_so_many(length, averages), parameters)
    ]


def unscale(length: str, gradients: Tensors, scale: float) -> Tensor:
    """Divide gradients by the scale of a loss, as `torch.amp.GradScaler` does; returns whether any is not finite."""
    is_infinite = torch.zeros(1, dtype=torch.float32)
    inverse = torch.tensor([1 / scale]).float()
    torch._amp_foreach_non_finite_check_and_unscale_(_so_many(length, gradients), is_infinite, inverse)
    return is_infinite


def plain_unscale(length: str, gradients: Tensors, scale: float) -> Tensor:
    """The same for one after the other."""
    is_infinite = torch.zeros(1, dtype=torch.float32)
    for gradient in _so_many(length, gradients):
        is_infinite += not torch.isfinite(gradient).all()
        gradient.mul_(1 / scale)
    return is_infinite.clamp_(max=1)


def _on_lists(name: str, length: str, *lists: Tensors, **options: object) -> List[Tensor]:
    """The function of torch of that name, of the first so many of each list."""
    results: List[Tensor] = getattr(torch, name)(*(_so_many(length, each) for each in lists), **options)
    return results


def _for_each(function: Callable[..., Tensor]) -> Callable[..., List[Tensor]]:
    """A function of tensors as one of lists of them: of the first of each list, then of the second of each."""

    def loop(length: str, *lists: Tensors, **options: object) -> List[Tensor]:
        """The results in order."""
        return [function(*tensors, **options) for tensors in zip(*(_so_many(length, each) for each in lists))]

    return loop


foreach_add_ = functools.partial(_on_lists, "_foreach_add_")
foreach_mul_ = functools.partial(_on_lists, "_foreach_mul_")
foreach_clamp_max_ = functools.partial(_on_lists, "_foreach_clamp_max_")
foreach_copy_ = functools.partial(_on_lists, "_foreach_copy_")
foreach_addcmul_ = functools.partial(_on_lists, "_foreach_addcmul_")
foreach_addcdiv_ = functools.partial(_on_lists, "_foreach_addcdiv_")
foreach_lerp_ = functools.partial(_on_lists, "_foreach_lerp_")
foreach_sqrt_ = functools.partial(_on_lists, "_foreach_sqrt_")
each_add_ = _for_each(Tensor.add_)
each_mul_ = _for_each(Tensor.mul_)
each_clamp_max_ = _for_each(lambda target, other: target.clamp_(max=other))
each_copy_ = _for_each(Tensor.copy_)
each_addcmul_ = _for_each(Tensor.addcmul_)
each_addcdiv_ = _for_each(Tensor.addcdiv_)
each_lerp_ = _for_each(Tensor.lerp_)
each_sqrt_ = _for_each(Tensor.sqrt_)
each_norm = functools.partial(_for_each(torch.linalg.vector_norm), "three")
