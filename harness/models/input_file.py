"""The inputs of a model from a file: YAML or JSON that describes them, or a user's own tensors."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Final, Literal

import numpy as np
from pydantic import Field

from harness.core.observation import Array
from harness.errors import UserError
from harness.models.call_inputs import InputTree, TensorInput
from harness.portable.call_protocol import ArgumentData
from harness.suites import Items, Location, Report, StrictSchema, read_document, validate_part

TENSOR_KEYS: Final = ("shape", "values")
"""A mapping with one of these keys describes a tensor; any other is a dict of arguments."""

INPUT_DTYPES: Final = ("float32", "int64", "int32", "uint8", "bool")
"""The dtypes of inputs. A model is judged in float32, and its floating inputs with it."""

LARGEST_ARCHIVE: Final = 2**30
"""Bytes of the largest file of arrays that is read."""


class InputTensorSchema(StrictSchema):
    """A tensor, as the `inputs` of a suite declare it but for expressions; or with its own numbers."""

    shape: Items[Annotated[int, Field(ge=0)]] | None = Field(None, description="Sizes: [1, 3, 224, 224]")
    values: Any = Field(None, description="The numbers themselves, in lists of lists, in place of a shape")
    layout: Literal["contiguous", "channels_last"] | None = Field(
        None, description="contiguous: never converted; by default what has four or five dimensions is an image"
    )
    dtype: Literal["float32", "int64", "int32", "uint8", "bool"] = Field("float32", description="torch's name of it")
    most: int = Field(3, ge=1, description="The largest of whole numbers that the harness makes")


def read_inputs(path: Path) -> InputTree:
    """What a file of YAML or JSON says a model is called with.

    A mapping names keyword arguments, a list those by position. Raises DeclarationError with every mistake.
    """
    document = read_document(path, "description of inputs")
    report = Report(document)
    tree = _read_part(document.data, (), report)
    report.raise_if_any()
    return tree


def _read_part(part: Any, at: Location, report: Report) -> InputTree:
    if isinstance(part, dict):
        if any(key in part for key in TENSOR_KEYS):
            return _read_tensor(part, at, report)
        return {str(key): _read_part(value, (*at, key), report) for key, value in part.items()}
    if isinstance(part, list):
        return [_read_part(value, (*at, index), report) for index, value in enumerate(part)]
    return part  # type: ignore[no-any-return] # YAML gives numbers, texts, flags and nothing beside


def _read_tensor(part: dict[str, Any], at: Location, report: Report) -> TensorInput | None:
    schema = validate_part(report, InputTensorSchema, part, at)
    if schema is None:
        return None
    layout = None if schema.layout is None else schema.layout == "channels_last"
    if schema.values is None:
        return TensorInput(schema.shape or (), schema.dtype, schema.most, layout)
    try:
        data = np.asarray(schema.values, dtype=schema.dtype)
    except (ValueError, TypeError, OverflowError) as error:
        report.add((*at, "values"), f"no array of {schema.dtype}: {error}")
        return None
    if schema.shape is not None and schema.shape != data.shape:
        report.add((*at, "shape"), f"the values have the shape {list(data.shape)}; leave `shape` out")
    return TensorInput(data.shape, schema.dtype, schema.most, layout, data)


def read_archive(path: Path) -> InputTree:
    """The arrays of a ``.npz`` file by name, or by position where they are called ``arr_0`` as NumPy calls them.

    Raises UserError for what is no such file, and for arrays of other numbers than inputs have.
    """
    if path.stat().st_size > LARGEST_ARCHIVE:
        raise UserError(f"{path} is larger than {LARGEST_ARCHIVE // 2**30} GiB")
    try:
        with np.load(path, allow_pickle=False) as archive:
            arrays = {name: archive[name] for name in archive.files}
    except (OSError, ValueError, EOFError, AttributeError, TypeError) as error:
        raise UserError(f"{path} is no .npz file of arrays: {error}") from None
    tensors = {name: array_input(array, f"{path}: {name}") for name, array in arrays.items()}
    numbered = [f"arr_{index}" for index in range(len(tensors))]
    return [tensors[name] for name in numbered] if set(numbered) == set(tensors) else tensors


def saved_input(content: ArgumentData, where: str) -> InputTree:
    """What ``torch.save`` has put into a file, as a worker has read it. `where` is the file, for messages."""
    if content[0] == "tensor":
        dtype, shape, raw = content[1]
        return array_input(np.frombuffer(raw, np.dtype(dtype)).reshape(shape), where)
    if content[0] == "list":
        return [saved_input(item, where) for item in content[1]]
    if content[0] == "dict":
        return {key: saved_input(value, where) for key, value in content[1]}
    return content[1]


def array_input(array: Array, where: str) -> TensorInput:
    """A tensor with these numbers; floating ones are rounded to float32. Raises UserError for other dtypes."""
    plain = array.astype(np.float32) if array.dtype.kind == "f" else array
    if plain.dtype.name not in INPUT_DTYPES:
        raise UserError(f"{where} is of {array.dtype.name}; an input is {', '.join(INPUT_DTYPES)}")
    return TensorInput(plain.shape, plain.dtype.name, data=np.ascontiguousarray(plain))
