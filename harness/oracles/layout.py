"""Which strides an output or a gradient must have: the case's promise about memory formats."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

from harness.core import Case, Example, Observation, Reference, TensorRecord
from harness.oracles.expected import BUFFER, GRADIENT, TANGENT
from harness.portable.memory_format import (
    CHANNELS_LAST_RANKS,
    FormatReading,
    Shape,
    dense_strides,
    strides_agree,
    unambiguous_format,
)

GRAD_OUTPUT = "grad_output"
_PLAIN: Final = re.compile(r"(contiguous|channels_last)(:(slice|step)_[cdhw]|:offset|:batch_slice)?")
"""Layout names that say the format whatever the strides of dimensions of size 1."""


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
        due = _own(case, example, observation, tensor) or _always(case, tensor, values.shape)
        due = due or _promised(case, example, reference, observation, tensor)
        if (
            due
            and not strides_agree(record.shape, record.strides, due[1])
            and not _passed_on(observation, tensor, record)
        ):
            yield tensor, f"{tensor} has strides {record.strides} where {due[0]} {due[1]} are due"


def _passed_on(observation: Observation, tensor: str, record: TensorRecord) -> bool:
    """Whether this gradient has the very strides of a grad_output: an identity or a sum hands on its view."""
    grad_outputs = [strides for name, strides in observation.inputs.items() if name.startswith(GRAD_OUTPUT)]
    return tensor.startswith(GRADIENT) and any(
        len(strides) == len(record.shape) and strides_agree(record.shape, record.strides, strides)
        for strides in grad_outputs
    )


Due = tuple[str, Shape]


def _own(case: Case, example: Example, observation: Observation, tensor: str) -> Due | None:
    """What an operator writes keeps the strides it was given."""
    if tensor.startswith(BUFFER):
        own = observation.inputs.get(tensor.removeprefix(BUFFER))
        return ("its own strides", own) if own else None
    if given := observation.inputs.get(tensor.replace("output", "out")):
        return ("the strides it was given", given)
    own = observation.inputs.get(case.tensors[0].name) if example.inplace and tensor == "output[0]" else None
    return ("its input's own strides", own) if own else None


def _always(case: Case, tensor: str, shape: Shape) -> Due | None:
    """What is due whatever comes in."""
    return _due("channels_last", shape) if case.channels_last and tensor.startswith("output") else None


def _promised(case: Case, example: Example, reference: Reference, observation: Observation, tensor: str) -> Due | None:
    shape = reference.values[tensor].shape
    gradient = tensor.startswith(GRADIENT)
    if tensor.startswith((BUFFER, TANGENT)) or example.path == "vmap":
        return None
    if gradient:
        source = tensor.removeprefix(GRADIENT)
        if source not in (case.preserves or ()):
            return None
    elif case.preserves == () or not _same_rank(case, reference, shape):
        return None
    if observation.layout == "contiguous" or case.preserves is None:
        return _due("contiguous", shape)
    if gradient:
        wanted = _of_gradient(example, reference, observation, source)
        others = _of_output(case, reference, observation, len(shape))
        return None if wanted == "contiguous" and others != "contiguous" else _due(wanted, shape)
    return _due(_of_output(case, reference, observation, len(shape)), shape)


def _due(wanted: FormatReading, shape: Shape) -> Due | None:
    if wanted == "contiguous":
        return ("contiguous strides", dense_strides("contiguous", shape))
    if wanted == "channels_last" and len(shape) in CHANNELS_LAST_RANKS:
        return ("channels-last strides", dense_strides("channels_last", shape))
    return None


def _same_rank(case: Case, reference: Reference, shape: Shape) -> bool:
    first = reference.inputs.get(case.tensors[0].name)
    return first is not None and first.ndim == len(shape)


def _of_output(case: Case, reference: Reference, observation: Observation, rank: int) -> FormatReading:
    """Channels-last if one named tensor surely is; contiguous if all of the output's rank surely are.

    With `shared` the other way round: contiguous if one is, channels-last if all are.
    """
    formats = [
        unambiguous_format(reference.inputs[name].shape, observation.inputs[name])
        for name in case.preserves or ()
        if name in observation.inputs and name in reference.inputs and reference.inputs[name].ndim == rank
    ]
    decisive: FormatReading = "contiguous" if case.shared else "channels_last"
    return decisive if decisive in formats else _common(formats)


def _of_gradient(example: Example, reference: Reference, observation: Observation, source: str) -> FormatReading:
    """Operators follow the input's format or grad_output's: promised is only what both have.

    An operator such as convolution works in channels-last when any one of its tensors is, or may be taken for it; the
    caller drops the promise of a contiguous gradient there.
    """
    own = observation.inputs.get(source)
    if own is None:
        return "ambiguous"
    grad_outputs = _cotangents(example, reference, observation)
    return _common([unambiguous_format(reference.inputs[source].shape, own), *grad_outputs])


def _cotangents(example: Example, reference: Reference, observation: Observation) -> list[FormatReading]:
    recorded = [
        unambiguous_format(reference.values[output].shape, strides)
        for name, strides in observation.inputs.items()
        if name.startswith(GRAD_OUTPUT) and (output := name.replace(GRAD_OUTPUT, "output")) in reference.values
    ]
    return recorded or [_by_name(example, reference)]


def _by_name(example: Example, reference: Reference) -> FormatReading:
    """The format that a layout's name says of output[0], where its shape can tell formats apart."""
    plain = _PLAIN.fullmatch(example.layouts.get(GRAD_OUTPUT, ""))
    output = reference.values.get("output[0]")
    if plain is None or output is None or output.ndim not in CHANNELS_LAST_RANKS:
        return "ambiguous"
    return unambiguous_format(output.shape, dense_strides(plain[1], output.shape))


def _common(formats: Iterable[FormatReading]) -> FormatReading:
    found = set(formats)
    return found.pop() if len(found) == 1 else "ambiguous"
