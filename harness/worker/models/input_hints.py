"""What is wrong with the inputs of a model that raised, where that can be seen, and what would be right."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Callable, Dict

import torch

from ...portable import dtypes
from .call_arguments import call_arguments
from .model_request import ModelRequest


def input_hint(request: ModelRequest, model: torch.nn.Module) -> str:
    """One sentence, or nothing where the inputs do not explain why the model raised."""
    return (
        _call_hint(request, model)
        or _dict_hint(request, model)
        or _nhwc_hint(request, model)
        or _whole_number_hint(request, model)
    )


def _call_hint(request: ModelRequest, model: torch.nn.Module) -> str:
    """Where the forward cannot be called so at all: with that number of arguments, or with these names."""
    signature = inspect.signature(model.forward)
    positional, named = call_arguments(request, [torch.empty(0) for _ in request.inputs])
    try:
        signature.bind(*positional, **named)
    except TypeError as error:
        return (
            f"its forward{signature} cannot be called so: {error}; give an input by its keyword, "
            "--input NAME:SHAPE, or all of them in a file, --inputs FILE"
        )
    return ""


def _dict_hint(request: ModelRequest, model: torch.nn.Module) -> str:
    """Where the forward takes an item by its name from what was given as a tensor."""
    positional, named = call_arguments(request, [torch.empty(0) for _ in request.inputs])
    arguments = inspect.signature(model.forward).bind(*positional, **named).arguments
    for name, key in first_text_keys(model.forward).items():
        if isinstance(arguments.get(name), torch.Tensor):
            shape = list(request.inputs[0].shape)
            return (
                f"its forward takes {name}[{key!r}], and {name} was given as a tensor: describe the dict in a file, "
                f"--inputs FILE, by {{{name}: {{{key}: {{shape: {shape}}}}}}}"
            )
    return ""


def first_text_keys(function: Callable[..., object]) -> Dict[str, str]:
    """The names in a function of which items are taken by a text, ``batch["image"]``, each with the first such text.

    Nothing where its source is not known.
    """
    keys: Dict[str, str] = {}
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError):
        return keys
    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name):
            key: object = node.slice
            while isinstance(key, ast.AST):  # Python 3.8 has an Index around the Constant
                key = getattr(key, "value", None)
            if isinstance(key, str):
                keys.setdefault(node.value.id, key)
    return keys


def _nhwc_hint(request: ModelRequest, model: torch.nn.Module) -> str:
    """Where an input is shaped NHWC and the model wants its channels first."""
    channels = [module.in_channels for module in model.modules() if isinstance(module, torch.nn.modules.conv._ConvNd)]
    for spec in request.inputs if channels else ():
        shape = list(spec.shape)
        if len(shape) in (4, 5) and shape[1] != channels[0] and shape[-1] == channels[0]:
            right = [shape[0], shape[-1], *shape[1:-1]]
            return (
                f"the input {spec.name!r} is shaped {shape}, that is NHWC, and the first convolution wants "
                f"{channels[0]} channels in dimension 1: give {right}. channels-last changes the strides of a "
                "tensor and not its shape, which stays N, C, H, W; `x.permute(0, 3, 1, 2)` makes one of the other"
            )
    return ""


def _whole_number_hint(request: ModelRequest, model: torch.nn.Module) -> str:
    """Where an embedding gets nothing but numbers with fractions."""
    embeddings = [path for path, module in model.named_modules() if isinstance(module, torch.nn.Embedding)]
    if not embeddings or any(spec.dtype not in dtypes.FLOATING for spec in request.inputs):
        return ""
    sizes = ",".join(map(str, request.inputs[0].shape))
    return f"{embeddings[0]} is an Embedding, which takes whole numbers: give them as int64, --input int64:{sizes}"
