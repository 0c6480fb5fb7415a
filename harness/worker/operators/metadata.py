"""Shapes and strides of what an example returns, and nothing else: one call, no values, no second look."""

from __future__ import annotations

import torch

from ...portable.operator_protocol import CallMetadata
from ..call import Call
from .run import Run


def call_metadata(call: Call) -> CallMetadata:
    """Dtype, shape and strides of every output and gradient, in the example's own layouts."""
    torch.set_num_threads(call.threads)
    run = Run(call, contiguous=False)
    records, raised = run.call()
    return {
        "status": "ok" if raised is None else "raised",
        "tensors": {name: record[:3] for name, record in records.items()},
        "inputs": run.strides(),
        "error": raised.error if raised else "",
        "message": raised.message if raised else "",
    }
