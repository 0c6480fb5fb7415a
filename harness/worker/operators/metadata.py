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
    records, failure = run.call()
    return {
        "status": "ok" if failure is None else "raised",
        "tensors": {name: record[:3] for name, record in records.items()},
        "inputs": run.strides(),
        "error": failure[0] if failure else "",
        "message": failure[1] if failure else "",
    }
