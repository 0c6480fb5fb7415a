"""Double backward: torch.autograd.gradgradcheck of an operator in float64, as drawn and with all contiguous.

It compares the derivative of the gradients, as autograd has it, with finite differences along random directions.
"""

from __future__ import annotations

import warnings
from typing import Any

import torch

from .. import tensors
from . import invoke, observe


def differentiate(request: dict[str, Any]) -> dict[str, Any]:
    """What the double backward came to, as plain data under ``drawn`` and ``contiguous``: state and message.

    The states are ``agrees``, ``constant`` (no gradient depends on anything), ``refused`` (it is not implemented, the
    message says how), ``differs`` (the message is gradgradcheck's), ``raised`` (already the gradient raises), and
    ``coarse`` (something is not in float64, and finite differences tell nothing).
    """
    torch.set_num_threads(request["threads"])
    values = tensors.numbers(request)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gradcheck warns of inputs whose elements share memory
        return {
            "drawn": _checked(observe.Run(request, values, contiguous=False)),
            "contiguous": _checked(observe.Run(request, values, contiguous=True)),
        }


def _checked(run: observe.Run) -> dict[str, str]:
    leaves = {name: leaf for name, leaf in run.inputs.items() if leaf is not None and leaf.requires_grad}
    try:
        ends = _ends(run, run.inputs)
        grad_outputs = [run.grad_output(index, end).requires_grad_() for index, end in ends]
        outputs = [end for _index, end in ends]
        first = _gradients(outputs, list(leaves.values()), grad_outputs)
    except Exception as error:
        return _state("raised", error)
    if not first:
        return _state("constant")
    if any(each.dtype != torch.float64 for each in [*leaves.values(), *outputs]):
        return _state("coarse")
    return _twice(run, leaves, grad_outputs, first)


def _twice(run: observe.Run, leaves: dict[str, Any], grad_outputs: list[Any], first: list[Any]) -> dict[str, str]:
    def function(*given: Any) -> Any:
        """What the leaves of these values come to: gradcheck moves them a little."""
        return tuple(end for _index, end in _ends(run, {**run.inputs, **dict(zip(leaves, given))}))

    try:
        _gradients(first, [*leaves.values(), *grad_outputs], [torch.ones_like(one) for one in first])
    except Exception as error:
        return _state("refused", error)
    try:
        torch.autograd.gradgradcheck(
            function, tuple(leaves.values()), tuple(grad_outputs), check_undefined_grad=False, fast_mode=True
        )
    except Exception as error:
        return _state("differs", error)
    return _state("agrees")


def _gradients(ends: list[Any], leaves: list[Any], grad_outputs: list[Any]) -> list[Any]:
    """The gradients that can be differentiated again."""
    if not ends:
        return []
    found = torch.autograd.grad(ends, leaves, grad_outputs, create_graph=True, allow_unused=True)
    return [gradient for gradient in found if gradient is not None and gradient.requires_grad]


def _ends(run: observe.Run, inputs: dict[str, Any]) -> list[Any]:
    """The outputs that depend on a leaf, with their indices; what the operator writes is fresh every time."""
    fresh = {name: inputs[name].detach().clone() for name in run.buffers}
    outputs = tensors.flatten(invoke.invoke(run.request, {**inputs, **fresh}))
    return [(index, output) for index, output in enumerate(outputs) if output.requires_grad]


def _state(state: str, error: BaseException | None = None) -> dict[str, str]:
    return {"state": state, "message": "" if error is None else "{}: {}".format(*observe.failure(error))}
