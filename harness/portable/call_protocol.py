"""What a model is called with, as it travels: tensors and constants at their places, and what a file holds of them."""

from __future__ import annotations

from typing import Dict, List, Literal, Sequence, Tuple, TypedDict, Union

from .protocol import ArrayData

Scalar = Union[None, bool, int, float, str]

ArgumentData = Union[
    Tuple[Literal["tensor"], ArrayData],
    Tuple[Literal["list"], List["ArgumentData"]],
    Tuple[Literal["dict"], List[Tuple[str, "ArgumentData"]]],
    Tuple[Literal["value"], Scalar],
]
"""An argument of a module call. A tuple travels as a list; what is neither tensor nor container nor `Scalar` travels as
the value None."""

Place = Sequence[Union[int, str]]
"""Where an argument stands in the call of a model: its position or its keyword, and then, where it is in a container,
an index or a key for each list or dict that it is in."""


class InputData(TypedDict):
    """One tensor that the model is called with; `channels_last`: it is converted with the model.

    A `dtype` that is not floating holds whole numbers 0 to `most`. `data` are the numbers where they are a user's own;
    None: the worker makes them.
    """

    name: str
    place: Place
    shape: Sequence[int]
    dtype: str
    channels_last: bool
    most: int
    data: ArrayData | None


ConstantValue = Union[Scalar, List[Scalar], Dict[str, Scalar]]
"""What is no tensor; or a list or a dict in which there is nothing."""


class ConstantData(TypedDict):
    """An argument of the model's call that is no tensor."""

    place: Place
    value: ConstantValue


class ProblemReply(TypedDict):
    """The model cannot be judged; `message` is one sentence that says why."""

    status: Literal["problem"]
    message: str


class ModelInputsRequest(TypedDict):
    """What ``torch.save`` has put into a file, whose path is one of the reference's machine: arguments of a call."""

    op: Literal["model-inputs"]
    path: str


class InputsReply(TypedDict):
    """The content of the file; floating tensors are float32. The formats of tensors are not kept."""

    status: Literal["ok"]
    content: ArgumentData


ModelInputsReply = Union[InputsReply, ProblemReply]
