"""A request about a model, parsed once, at the worker's door: what the rest of this room works on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Dict, Mapping, NamedTuple, Sequence, Tuple

from ...portable.call_protocol import InputData
from ...portable.model_protocol import (
    CalibrationData,
    CallArgumentsData,
    ImageFormat,
    ModelFeedRequest,
    ModelFields,
    ModelIsolateRequest,
)
from ...portable.protocol import ArrayData


class InputRequest(NamedTuple):
    """One tensor that the model is called with; the fields are those of `InputData`."""

    name: str
    place: Tuple[int | str, ...]
    shape: Tuple[int, ...]
    dtype: str
    channels_last: bool
    most: int
    data: ArrayData | None


class ConstantRequest(NamedTuple):
    """An argument that is no tensor; the fields are those of `ConstantData`."""

    place: Tuple[int | str, ...]
    value: object


class Calibration(NamedTuple):
    """What calibration changed in a model; the fields are those of `CalibrationData`."""

    powers: Dict[str, int]
    statistics: Dict[str, Tuple[bytes, bytes]]

    def to_data(self) -> CalibrationData:
        """The same as plain data."""
        return {"powers": self.powers, "statistics": self.statistics}


@dataclass(frozen=True)
class ModelRequest:
    """An example of a model; the fields are those of `ModelFields`.

    `calibration` is None until the reference has calibrated the model.
    """

    factory: str
    arguments: Mapping[str, object]
    inputs: Tuple[InputRequest, ...]
    constants: Tuple[ConstantRequest, ...]
    weights_file: str
    step: str
    runner: str
    precision: str
    conversions: Tuple[str, ...]
    frozen: Tuple[str, ...]
    needs_frozen: bool
    watch: Tuple[str, ...]
    seeded: bool
    seed: int
    threads: int
    calibration: Calibration | None = None

    @property
    def trains(self) -> bool:
        """Whether it is a training step."""
        return self.step == "train"

    @property
    def parameters_key(self) -> str:
        """What the parameters before calibration depend on."""
        return repr((self.factory, sorted(self.arguments.items()), self.seed, self.weights_file))


@dataclass(frozen=True)
class FeedRequest:
    """One recorded call, by its number, again by itself in float64."""

    model: ModelRequest
    call: int


@dataclass(frozen=True)
class IsolateRequest:
    """One module by itself in a cell; the fields are those of `ModelIsolateRequest`."""

    model: ModelRequest
    path: str
    call_arguments: CallArgumentsData
    gradients: Mapping[str, ArrayData]
    images: Mapping[str, Sequence[ImageFormat]]


def parse_model(fields: ModelFields, state: CalibrationData | None = None) -> ModelRequest:
    """What a request says of the model and its example; `state` is that of the reference."""
    return ModelRequest(
        factory=fields["factory"],
        arguments=fields["arguments"],
        inputs=tuple(map(_input, fields["inputs"])),
        constants=tuple(ConstantRequest(tuple(data["place"]), data["value"]) for data in fields["constants"]),
        weights_file=fields["weights_file"],
        step=fields["step"],
        runner=fields["runner"],
        precision=fields["precision"],
        conversions=tuple(fields["conversions"]),
        frozen=tuple(fields["frozen"]),
        needs_frozen=fields["needs_frozen"],
        watch=tuple(fields["watch"]),
        seeded=fields["seeded"],
        seed=fields["seed"],
        threads=fields["threads"],
        calibration=None if state is None else Calibration(state["powers"], state["statistics"]),
    )


def _input(data: InputData) -> InputRequest:
    return InputRequest(
        name=data["name"],
        place=tuple(data["place"]),
        shape=tuple(data["shape"]),
        dtype=data["dtype"],
        channels_last=data["channels_last"],
        most=data["most"],
        data=data["data"],
    )


def parse_feed(request: ModelFeedRequest) -> FeedRequest:
    """The same for ``model-feed``."""
    return FeedRequest(parse_model(request), request["call"])


def parse_isolate(request: ModelIsolateRequest) -> IsolateRequest:
    """The same for ``model-isolate``."""
    return IsolateRequest(
        model=parse_model(request, request["state"]),
        path=request["path"],
        call_arguments=request["call_arguments"],
        gradients=request["gradients"],
        images=request["images"],
    )
