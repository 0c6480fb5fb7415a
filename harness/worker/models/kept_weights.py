"""The weights that a factory gave, the same bit for bit in every worker: the reference's, in a file that cells read.

A factory that is called again in another worker need not give the same: torch's normal numbers depend on the
instruction set, and some initialisations solve equations.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Dict

import torch

from .problems import ModelProblem


def keep_weights(model: torch.nn.Module, file: str, *, writes: bool) -> None:
    """Give a model, in float32, the parameters and buffers that the file has.

    `writes`: where there is no such file yet, those of this model are written there. Raises ModelProblem where there is
    none and should be: the worker runs on another machine.
    """
    tensors: Dict[str, torch.Tensor] = {**dict(model.named_parameters()), **dict(model.named_buffers())}
    path = Path(file)
    if writes and not path.exists():
        unfinished = path.with_suffix(f".{os.getpid()}")
        torch.save({name: tensor.detach() for name, tensor in tensors.items()}, unfinished)
        unfinished.replace(path)
    if not path.exists():
        msg = "the weights of the factory are on the machine of the reference, and this worker runs on another"
        raise ModelProblem(msg)
    kept = torch.load(path, weights_only=True)
    for name, tensor in tensors.items():
        tensor.data = kept[name]
