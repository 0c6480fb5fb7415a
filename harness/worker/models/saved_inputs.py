"""Inputs of a model that a user has saved by ``torch.save``."""

from __future__ import annotations

import torch

from ...portable.call_protocol import ModelInputsReply, ModelInputsRequest
from .. import messages, pytree
from .argument_data import pack


def load_inputs(request: ModelInputsRequest) -> ModelInputsReply:
    """The tensors in the file, the floating ones in float32; no code in it is run."""
    path = request["path"]
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:
        return {"status": "problem", "message": f"torch.load cannot read it: {messages.error_line(error)}"}
    tensors = pytree.flatten(content)
    if any(tensor.is_complex() or tensor.layout != torch.strided or tensor.is_quantized for tensor in tensors):
        return {"status": "problem", "message": "a tensor in it is complex, sparse or quantised"}
    return {"status": "ok", "content": pack(pytree.map_tensors(content, _plain_tensor))}


def _plain_tensor(tensor: torch.Tensor) -> torch.Tensor:
    """The tensor as NumPy can hold it."""
    return tensor.detach().float() if tensor.is_floating_point() else tensor.detach()
