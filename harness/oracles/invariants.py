"""Everything else that must be equal: that it ran, its error, shape and dtype, its inputs, its repetition."""

from __future__ import annotations

import signal
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from harness.core import Case, Example, Observation, Reference
from harness.core.finding import Oracle
from harness.oracles.aggregate import Place
from harness.oracles.compare import Fault
from harness.oracles.expected import due_shape, expected_dtype
from harness.oracles.vacuity import EMPTY, Reasons
from harness.portable.operator_protocol import CallPhase
from harness.portable.tensor_name import DERIVED, TensorKind, kind_of

PHASE_WORDS: Final[dict[CallPhase, str]] = {
    "forward": "the call",
    "jvp": "its jvp",
    "meta": "FakeTensorMode",
    "backward": "its backward",
}
"""What raises, at the beginning of a sentence."""


class _Raise(NamedTuple):
    """What a call was doing when it raised, and the class of the error."""

    phase: CallPhase
    error: str

    def __str__(self) -> str:
        """What others do, at the end of a sentence."""
        return f"raise {self.error}" if self.phase == "forward" else f"raise {self.error} in {PHASE_WORDS[self.phase]}"


_End = _Raise | None
"""How a call came to its end; None where it returned."""


def worker_fault(observation: Observation) -> Fault | None:
    """How the worker was lost over this example, if it was."""
    if observation.status == "hung":
        return Fault(1.0, "the call outlasted the time limit")
    if observation.status != "died":
        return None
    return Fault(1.0, f"the worker died{_describe_signal(observation.signal)}")


def _describe_signal(number: int) -> str:
    if number <= 0:
        return ""
    names = {int(each): each.name for each in signal.Signals}
    return f" of {names.get(number, f'signal {number}')}"


def metadata_faults(
    case: Case, example: Example, reference: Reference, observation: Observation
) -> Iterator[tuple[Oracle, str, str]]:
    """Yield (oracle, tensor, message) for each tensor that is missing, or has another shape or dtype than is due."""
    for tensor, values in reference.values.items():
        record = observation.tensors.get(tensor)
        if record is None:
            if _is_due(observation, tensor):
                yield "shape", tensor, f"{tensor} is missing"
            continue
        shape = due_shape(case, example, tensor) or values.shape
        if record.shape != shape:
            yield "shape", tensor, f"{tensor} has shape {record.shape} where {shape} is due"
        due = expected_dtype(case, example, reference, tensor)
        if record.dtype != due:
            owner = " like its input" if kind_of(tensor) is TensorKind.GRADIENT else ""
            yield "dtype", tensor, f"{tensor} is {record.dtype} where {due}{owner} is due"


def _is_due(observation: Observation, tensor: str) -> bool:
    """Whether the call was asked for that tensor and came so far as to return it.

    One that raises in its backward has returned outputs.
    """
    if tensor in observation.omitted:
        return False
    if observation.phase == "backward":
        return kind_of(tensor) not in DERIVED
    if observation.phase == "meta":
        return True
    return observation.status == "ok" or (observation.phase == "jvp" and kind_of(tensor) is not TensorKind.TANGENT)


def index_faults(case: Case, example: Example, observation: Observation) -> Iterator[tuple[str, str]]:
    """Yield (tensor, message) for each tensor of indices with one outside its range, the reference's word aside.

    Who follows such an index reads or writes beside the tensor, and the reference may hold the same index.
    """
    for tensor, numerics in case.numerics.each.items():
        record = observation.tensors.get(tensor)
        if numerics.below is None or record is None:
            continue
        below = int(numerics.below.evaluate(dict(example.sizes)))
        outside = record.values[(record.values < 0) | (record.values >= below)]
        if outside.size:
            first = f"{tensor} holds the index {int(outside[0])}, outside 0..{below - 1}"
            yield tensor, f"{first}; {outside.size} of {record.values.size} indices are outside"


def write_faults(case: Case, example: Example, observation: Observation) -> Iterator[tuple[str, str]]:
    """Yield (tensor, message) for each input the call changed, the one it works on in place excepted."""
    buffers = [spec.name for spec in case.tensors if spec.buffer]
    for name in observation.written:
        if name in buffers or kind_of(name) is TensorKind.OUT:
            yield name, f"the call changed memory beside the elements of {name}"
        elif not (example.inplace and name == case.tensors[0].name):
            yield name, f"the call changed its input {name}"


def repetition_faults(case: Case, observation: Observation) -> Iterator[tuple[str, str]]:
    """Yield (tensor, message) for each tensor whose bits differ when the same call runs again, where any are due."""
    for name in observation.unrepeated:
        if case.numerics.rule(name) != "unspecified":
            yield name, f"{name} differs in its bits when the same call runs again"


def judge_unsupported(reference: Reference, observations: Sequence[Observation]) -> tuple[dict[Place, Fault], Reasons]:
    """Who computes an answer in a dtype that must be refused, or refuses it otherwise than the rest.

    Nothing can be said where the reference, in a dtype that is supported, has no answer either: then the call itself
    is wrong. Nor where all that comes back is empty: many operators return before they look at the dtype.
    """
    answers = _answers(observations)
    ends = {place: _end_of(observation) for place, observation in answers.items()}
    usual = _majority({place: end for place, end in ends.items() if end is not None})
    if reference.status != "ok":
        return {}, _missing_reference(reference, {})
    if answers and not usual and all(_is_empty(observation) for observation in answers.values()):
        return {}, {EMPTY: ()}
    return {
        place: Fault(1.0, _describe_outlier(answers[place], usual) if end else _describe_answer(usual))
        for place, end in ends.items()
        if end is None or end != usual
    }, {}


def judge_errors(reference: Reference, observations: Sequence[Observation]) -> tuple[dict[Place, Fault], Reasons]:
    """Who raises otherwise than the rest, and why the example cannot be trusted if all raise alike.

    To raise in the backward is something else than to raise in the forward, of whatever class the error is.
    The reference decides what is usual where at least one observation agrees with it; else the contiguous
    observations do, by majority. Raising alike in every cell and layout is a refusal where the reference raises too;
    where it computes an answer, it is a fault: a case says which dtypes it runs in.
    """
    answers = _answers(observations)
    ends = {place: _end_of(observation) for place, observation in answers.items()}
    expected = reference.error if reference.status == "raised" else ""
    agreeing = {place: end for place, end in ends.items() if (end.error if end else "") == expected}
    usual = _majority(agreeing or ends)
    faults = {
        place: Fault(1.0, _describe_outlier(answers[place], usual)) for place, end in ends.items() if end != usual
    }
    if not faults and usual is not None and reference.status == "ok":
        faults = {place: Fault(1.0, _describe_refusal(observation)) for place, observation in answers.items()}
    if faults or not answers:
        return faults, _missing_reference(reference, answers)
    return {}, {f"raised {usual.error}": ()} if usual else _missing_reference(reference, {})


def _answers(observations: Sequence[Observation]) -> dict[Place, Observation]:
    """The observations in which the call came to an end, by place."""
    return {(each.cell, each.layout): each for each in observations if each.status in ("ok", "raised")}


def _is_empty(observation: Observation) -> bool:
    outputs = [record for name, record in observation.tensors.items() if kind_of(name) is TensorKind.OUTPUT]
    return observation.status == "ok" and all(record.values.size == 0 for record in outputs)


def _end_of(observation: Observation) -> _End:
    """How the call came to its end."""
    if observation.status != "raised":
        return None
    return _Raise(observation.phase or "forward", observation.error or "Exception")


def _majority(ends: Mapping[Place, _End]) -> _End:
    """What most contiguous observations came to, or most of all where there is none."""
    plain = [end for (_, layout), end in ends.items() if layout == "contiguous"]
    return Counter(plain or ends.values()).most_common(1)[0][0] if ends else None


def _describe_answer(usual: _End) -> str:
    others = f", where others {usual}" if usual else ""
    return f"the call returns in a dtype that is declared unsupported{others}"


def _describe_outlier(observation: Observation, usual: _End) -> str:
    others = f"others {usual}" if usual else "others do not"
    if observation.status == "ok":
        return f"the call returns where {others}"
    return f"{_describe_raise(observation)} where {others}: {_first_line(observation.message)}"


def _describe_raise(observation: Observation) -> str:
    return f"{PHASE_WORDS[observation.phase or 'forward']} raises {observation.error or 'Exception'}"


def _describe_refusal(observation: Observation) -> str:
    first = _first_line(observation.message)
    return f"{_describe_raise(observation)} where the float64 reference computes an answer: {first}"


def _missing_reference(reference: Reference, answers: Mapping[Place, Observation]) -> Reasons:
    """Without a reference nothing else can be judged."""
    if reference.status == "ok" or any(observation.status == "raised" for observation in answers.values()):
        return {}
    error = f"raised {reference.error}: {_first_line(reference.message)}" if reference.error else reference.status
    return {f"the reference {error}": ()}


def _first_line(message: str) -> str:
    return message.strip().partition("\n")[0]
