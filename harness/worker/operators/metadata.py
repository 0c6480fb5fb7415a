"""Shapes and strides of what an example returns, and nothing else: one call, no values, no second look."""

from __future__ import annotations

from typing import Any

import torch

from .. import tensors
from . import observe


def metadata(request: dict[str, Any]) -> dict[str, Any]:
    """Dtype, shape and strides of every output and gradient, in the example's own layouts, as plain data."""
    torch.set_num_threads(request["threads"])
    run = observe.Run(request, tensors.numbers(request), contiguous=False)
    records, raised = run.call()
    return {
        "status": "raised" if raised else "ok",
        "tensors": {name: record[:3] for name, record in records.items()},
        "inputs": run.strides(),
        "error": raised[0] if raised else "",
        "message": raised[1] if raised else "",
    }
