"""What `equivalence model` calls a model with: `--input`, once for each tensor, or a file by `--inputs`."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from harness.cli.options import existing_file
from harness.core.json_text import LARGEST_INT64
from harness.errors import UserError
from harness.models import (
    INPUT_DTYPES,
    CallInputs,
    InputTree,
    TensorInput,
    call_inputs,
    read_archive,
    read_inputs,
    saved_input,
    split_arguments,
)
from harness.portable.call_protocol import ArgumentData

_READERS: Final = {".yaml": read_inputs, ".yml": read_inputs, ".json": read_inputs, ".npz": read_archive}
"""Who reads a file of that suffix in this process."""

_SAVED: Final = (".pt", ".pth")
_HALF: Final = ("float16", "bfloat16", "float64", "half", "double")
_GRAMMAR: Final = "write [NAME:][DTYPE:]SHAPE: 1,3,224,224, int64:1,16 or pixel_values:1,3,224,224"


def add_input_options(parser: argparse.ArgumentParser) -> None:
    """The options that say what the model is called with; one of them is needed."""
    inputs = parser.add_mutually_exclusive_group(required=True)
    tensor = "an input by its shape; NAME is its keyword; once for each, in order"
    inputs.add_argument("--input", action="append", metavar="[NAME:][DTYPE:]N,C,H,W", help=tensor)
    file = "all inputs: a description in .yaml or .json, or your own tensors in .pt or .npz"
    inputs.add_argument("--inputs", metavar="FILE", type=Path, help=file)


def needs_worker(options: argparse.Namespace) -> bool:
    """Whether the inputs are in a file that a worker has to read: the harness has no torch."""
    return options.inputs is not None and existing_file(options.inputs).suffix in _SAVED


def declared_inputs(options: argparse.Namespace) -> CallInputs:
    """What the model is called with. Raises UserError for what is no input, and for a file without any tensor."""
    if options.inputs is None:
        return call_inputs(*_by_place(options.input))
    path = existing_file(options.inputs)
    if path.suffix not in _READERS:
        raise UserError(f"--inputs: {path} is none of {', '.join([*_READERS, *_SAVED])}")
    return _inputs_of_file(path, _READERS[path.suffix](path))


def saved_inputs(path: Path, content: ArgumentData) -> CallInputs:
    """The same of a file that torch has saved, as a worker has read it."""
    return _inputs_of_file(path, saved_input(content, str(path)))


def _inputs_of_file(path: Path, content: InputTree) -> CallInputs:
    inputs = call_inputs(*split_arguments(content))
    if not inputs.inputs:
        raise UserError(f"--inputs: there is no tensor in {path}; one is described by {{shape: [1, 3, 224, 224]}}")
    return inputs


def _by_place(texts: Sequence[str]) -> tuple[list[TensorInput], dict[str, TensorInput]]:
    """The tensors of `--input` by position and by keyword."""
    positional: list[TensorInput] = []
    named: dict[str, TensorInput] = {}
    for text in texts:
        name, tensor = tensor_of_text(text)
        if name in named:
            raise UserError(f"--input: {name} is there twice")
        if name:
            named[name] = tensor
        else:
            positional.append(tensor)
    return positional, named


def tensor_of_text(text: str) -> tuple[str, TensorInput]:
    """Name (empty: by position) and tensor of ``[NAME:][DTYPE:]SHAPE``. Raises UserError for anything else."""
    *words, sizes = text.split(":")
    shape = _shape(sizes, text)
    dtype = words.pop() if words and words[-1] in (*INPUT_DTYPES, *_HALF) else "float32"
    if dtype in _HALF:
        raise UserError(f"--input: {text!r}: a model is judged in float32, and its inputs with it; leave {dtype} out")
    name = words.pop() if words else ""
    if words or (name and not name.isidentifier()):
        raise UserError(f"--input: {text!r} is no input; {_GRAMMAR}; a dtype is one of {', '.join(INPUT_DTYPES)}")
    return name, TensorInput(shape, dtype)


def _shape(sizes: str, text: str) -> tuple[int, ...]:
    try:
        shape = tuple(int(part) for part in sizes.split(","))
    except ValueError:
        shape = ()
    if not shape or min(shape) < 0 or max(shape) > LARGEST_INT64:
        raise UserError(f"--input: {text!r} is not a shape; {_GRAMMAR}")
    return shape
