"""Which strides an output or a gradient must have: the case's promise about memory formats."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from harness.core import Case, Example, Observation, Reference, TensorRecord
from harness.core.case import BATCHED_PATHS, RARE_PATHS
from harness.core.example import GRAD_OUTPUT
from harness.portable.layouts import split_name
from harness.portable.memory_format import (
    CHANNELS_LAST_RANKS,
    FormatReading,
    Shape,
    dense_strides,
    strides_agree,
    unambiguous_format,
)
from harness.portable.tensor_name import FIRST_OUTPUT, TensorKind, kind_of, parse, with_kind

_SAME_FORMAT_VIEWS: Final = {
    *("", "offset", "batch_slice"),
    *(f"{cut}_{letter}" for cut in ("slice", "step") for letter in "cdhw"),
}
"""Views of which the format is that of the base, whatever the strides of dimensions of size 1."""


def judge_strides(
    case: Case, example: Example, reference: Reference, observation: Observation
) -> Iterator[tuple[str, str]]:
    """Yield (tensor, message) for each output and gradient whose strides break the promise.

    Formats are read from `observation.inputs`, which holds the strides of each input by name and of the grad_output of
    ``output[i]`` as ``grad_output[i]``; without the latter, the layout's name in the example stands in.
    """
    for tensor, values in reference.values.items():
        record = observation.tensors.get(tensor)
        if record is None or record.shape != values.shape or values.size == 0:
            continue
        due = _written_in_place(case, example, observation, tensor) or _always(case, tensor, values.shape)
        due = due or _promise(case, example, reference, observation, tensor)
        if due is None or strides_agree(record.shape, record.strides, due.strides):
            continue
        if not _hands_on_grad_output(observation, tensor, record):
            yield tensor, f"{tensor} has strides {record.strides} where {due.words} {due.strides} are due"


class _Due(NamedTuple):
    """The strides that a tensor must have over its dimensions larger than 1, and what they are called in a message."""

    words: str
    strides: Shape


def _hands_on_grad_output(observation: Observation, tensor: str, record: TensorRecord) -> bool:
    """Whether this gradient has the very strides of a grad_output: an identity or a sum hands on its view."""
    return kind_of(tensor) is TensorKind.GRADIENT and any(
        len(strides) == len(record.shape) and strides_agree(record.shape, record.strides, strides)
        for name, strides in observation.inputs.items()
        if kind_of(name) is TensorKind.GRAD_OUTPUT
    )


def _written_in_place(case: Case, example: Example, observation: Observation, tensor: str) -> _Due | None:
    """What an operator writes keeps the strides it was given."""
    name = parse(tensor)
    if name.kind is TensorKind.BUFFER:
        own = observation.inputs.get(name.of)
        return _Due("its own strides", own) if own else None
    out = observation.inputs.get(with_kind(tensor, TensorKind.OUT)) if name.kind is TensorKind.OUTPUT else None
    if out:
        return _Due("the strides it was given", out)
    own = observation.inputs.get(case.tensors[0].name) if example.inplace and tensor == FIRST_OUTPUT else None
    return _Due("its input's own strides", own) if own else None


def _always(case: Case, tensor: str, shape: Shape) -> _Due | None:
    """What is due whatever comes in."""
    return _due("channels_last", shape) if case.channels_last and kind_of(tensor) is TensorKind.OUTPUT else None


def _promise(case: Case, example: Example, reference: Reference, observation: Observation, tensor: str) -> _Due | None:
    """What follows from the formats that came in; None where the case promises nothing of this tensor."""
    name, shape = parse(tensor), reference.values[tensor].shape
    if name.kind in (TensorKind.BUFFER, TensorKind.TANGENT, TensorKind.SECOND) or example.path in (
        *BATCHED_PATHS,
        *RARE_PATHS,
    ):
        return None
    if name.kind is TensorKind.GRADIENT:
        if name.of not in (case.preserves or ()):
            return None
    elif case.preserves == () or not _has_rank_of_first(case, reference, shape):
        return None
    if observation.layout == "contiguous" or case.preserves is None:
        return _due("contiguous", shape)
    output = _output_format(case, reference, observation, len(shape))
    if name.kind is not TensorKind.GRADIENT:
        return _due(output, shape)
    gradient = _gradient_format(example, reference, observation, name.of)
    return None if gradient == "contiguous" and output != "contiguous" else _due(gradient, shape)


def _due(reading: FormatReading, shape: Shape) -> _Due | None:
    if reading == "contiguous":
        return _Due("contiguous strides", dense_strides("contiguous", shape))
    if reading == "channels_last" and len(shape) in CHANNELS_LAST_RANKS:
        return _Due("channels-last strides", dense_strides("channels_last", shape))
    return None


def _has_rank_of_first(case: Case, reference: Reference, shape: Shape) -> bool:
    first = reference.inputs.get(case.tensors[0].name)
    return first is not None and first.ndim == len(shape)


def _output_format(case: Case, reference: Reference, observation: Observation, rank: int) -> FormatReading:
    """Channels-last if one named tensor surely is; contiguous if all of the output's rank surely are.

    With `shared` the other way round: contiguous if one is, channels-last if all are.
    """
    formats = [
        unambiguous_format(reference.inputs[name].shape, observation.inputs[name])
        for name in case.preserves or ()
        if name in observation.inputs and name in reference.inputs and reference.inputs[name].ndim == rank
    ]
    decisive: FormatReading = "contiguous" if case.shared else "channels_last"
    return decisive if decisive in formats else _common_format(formats)


def _gradient_format(example: Example, reference: Reference, observation: Observation, source: str) -> FormatReading:
    """Operators follow the input's format or grad_output's: promised is only what both have.

    An operator such as convolution works in channels-last when any one of its tensors is, or may be taken for it; the
    caller drops the promise of a contiguous gradient there.
    """
    own = observation.inputs.get(source)
    if own is None:
        return "ambiguous"
    grad_outputs = _grad_output_formats(example, reference, observation)
    return _common_format([unambiguous_format(reference.inputs[source].shape, own), *grad_outputs])


def _grad_output_formats(example: Example, reference: Reference, observation: Observation) -> list[FormatReading]:
    formats = [
        unambiguous_format(reference.values[output].shape, strides)
        for name, strides in observation.inputs.items()
        if kind_of(name) is TensorKind.GRAD_OUTPUT
        and (output := with_kind(name, TensorKind.OUTPUT)) in reference.values
    ]
    return formats or [_format_by_name(example, reference)]


def _format_by_name(example: Example, reference: Reference) -> FormatReading:
    """The format that a layout's name says of output[0], where its shape can tell formats apart."""
    layout, output = example.layouts.get(GRAD_OUTPUT, ""), reference.values.get(FIRST_OUTPUT)
    if not layout or output is None or output.ndim not in CHANNELS_LAST_RANKS:
        return "ambiguous"
    memory_format, view = split_name(layout)
    if view not in _SAME_FORMAT_VIEWS:
        return "ambiguous"
    return unambiguous_format(output.shape, dense_strides(memory_format, output.shape))


def _common_format(formats: Iterable[FormatReading]) -> FormatReading:
    """The format that all have."""
    distinct = set(formats)
    return distinct.pop() if len(distinct) == 1 else "ambiguous"
