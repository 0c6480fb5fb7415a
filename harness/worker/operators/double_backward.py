"""Double backward: torch.autograd.gradgradcheck of an operator in float64, as drawn and with all contiguous.

It compares the derivative of the gradients, as autograd has it, with finite differences along random directions.
"""

from __future__ import annotations

import warnings

import torch

from ...portable.operator_protocol import DoubleBackwardOutcome, DoubleBackwardReply, DoubleBackwardResult
from .. import messages
from ..call import Call
from .run import Run


def check_double_backward(call: Call) -> DoubleBackwardReply:
    """What the double backward comes to in each layout: see `DoubleBackwardOutcome`."""
    torch.set_num_threads(call.threads)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # gradcheck warns of inputs whose elements share memory
        return {
            "drawn": _check(Run(call, contiguous=False)),
            "contiguous": _check(Run(call, contiguous=True)),
        }


def _check(run: Run) -> DoubleBackwardResult:
    leaves = run.leaves
    try:
        ends = run.output_ends(run.inputs)
        grad_outputs = [run.grad_output(index, end).requires_grad_() for index, end in ends.items()]
        outputs = list(ends.values())
        gradients = _gradients(outputs, list(leaves.values()), grad_outputs)
    except Exception as error:
        return _result("raised", error)
    if not gradients:
        return _result("constant")
    if any(tensor.dtype != torch.float64 for tensor in [*leaves.values(), *outputs]):
        return _result("coarse")
    return _compare(run, leaves, grad_outputs, gradients)


def _compare(
    run: Run, leaves: dict[str, torch.Tensor], grad_outputs: list[torch.Tensor], gradients: list[torch.Tensor]
) -> DoubleBackwardResult:
    def outputs_of(*moved: torch.Tensor) -> tuple[torch.Tensor, ...]:
        """What the leaves of these values come to: gradcheck moves them a little."""
        return tuple(run.output_ends({**run.inputs, **dict(zip(leaves, moved))}).values())

    ones = [torch.ones_like(gradient) for gradient in gradients]
    try:
        _gradients(gradients, [*leaves.values(), *grad_outputs], ones)
    except Exception as error:
        return _result("refused", error)
    try:
        torch.autograd.gradgradcheck(
            outputs_of, tuple(leaves.values()), tuple(grad_outputs), check_undefined_grad=False, fast_mode=True
        )
    except Exception as error:
        return _result("differs", error)
    return _result("agrees")


def _gradients(
    ends: list[torch.Tensor], leaves: list[torch.Tensor], grad_outputs: list[torch.Tensor]
) -> list[torch.Tensor]:
    """The gradients that can be differentiated again."""
    if not ends:
        return []
    gradients = torch.autograd.grad(ends, leaves, grad_outputs, create_graph=True, allow_unused=True)
    return [gradient for gradient in gradients if gradient is not None and gradient.requires_grad]


def _result(state: DoubleBackwardOutcome, error: BaseException | None = None) -> DoubleBackwardResult:
    return {"state": state, "message": "" if error is None else messages.error_line(error)}
