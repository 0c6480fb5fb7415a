"""The ways in which users put a model in another memory format, or hand one on that is in it.

No run is needed to judge them. A model that has the same parameters and buffers in the same strides as the one that
`image_format.convert_module` makes gives the same results, bit for bit.
"""

from __future__ import annotations

import copy
import inspect
import io
import pickle
from typing import Callable, Dict, List, NamedTuple, Sequence

import torch

from ...portable.model_protocol import ConversionFaultData
from .. import messages
from . import image_format


class Formats(NamedTuple):
    """A model in both formats; a way may change either, and is given copies of its own."""

    contiguous: torch.nn.Module
    channels_last: torch.nn.Module


class Way(NamedTuple):
    """One way: what it makes of a model in both formats, and in which of these that should be.

    `is_taken` says whether the unconverted model can go this way at all; what it cannot do is no fault of the format.
    """

    convert: Callable[[Formats], torch.nn.Module]
    gives_channels_last: bool = True
    is_taken: Callable[[torch.nn.Module], bool] = lambda _model: True


def conversion_faults(model: torch.nn.Module) -> List[ConversionFaultData]:
    """What is wrong with each way to convert this model, which is unconverted, and stays as it is."""
    converted = copy.deepcopy(model)
    image_format.convert_module(converted)
    faults: List[ConversionFaultData] = []
    for name, way in WAYS.items():
        if not way.is_taken(model):
            continue
        try:
            result = way.convert(Formats(copy.deepcopy(model), copy.deepcopy(converted)))
        except Exception as error:
            faults.append((name, "error", f"raised {messages.error_line(error)}"))
            continue
        faults += _differences(name, result, converted if way.gives_channels_last else model)
    return faults


def _differences(name: str, result: torch.nn.Module, expected: torch.nn.Module) -> List[ConversionFaultData]:
    """The first tensor of the state that has other numbers than it should have, and the first in other strides."""
    faults: List[ConversionFaultData] = []
    have, due = result.state_dict(), expected.state_dict()
    for oracle, differs in _COMPARISONS.items():
        wrong = [key for key in due if key not in have or differs(have[key], due[key])]
        if wrong:
            faults.append((name, oracle, f"{_words(wrong)} in other {oracle} than the harness's own conversion gives"))
    return faults


def _words(wrong: Sequence[str]) -> str:
    return f"{wrong[0]} is" if len(wrong) == 1 else f"{wrong[0]} and {len(wrong) - 1} more are"


def _has_other_values(tensor: torch.Tensor, due: torch.Tensor) -> bool:
    if (tensor.dtype, tensor.shape) != (due.dtype, due.shape):
        return True
    return not bool(((tensor == due) | ((tensor != tensor) & (due != due))).all())  # noqa: PLR0124 - NaN


def _has_other_strides(tensor: torch.Tensor, due: torch.Tensor) -> bool:
    return bool(tensor.stride() != due.stride())


_COMPARISONS: Dict[str, Callable[[torch.Tensor, torch.Tensor], bool]] = {
    "values": _has_other_values,
    "strides": _has_other_strides,
}


def _to(formats: Formats) -> torch.nn.Module:
    """`Module.to`, with the format of each rank that the model has; that of images alone where it has none."""
    model = formats.contiguous
    for memory_format in _formats_of(model) or [torch.channels_last]:
        model = model.to(memory_format=memory_format)
    return model


def _formats_of(model: torch.nn.Module) -> List[torch.memory_format]:
    tensors = sorted([*model.parameters(), *model.buffers()], key=torch.Tensor.dim)
    formats = [image_format.channels_last_format(tensor) for tensor in tensors]
    return [each for each in dict.fromkeys(formats) if each is not None]


def _load_contiguous(formats: Formats) -> torch.nn.Module:
    """The state of a contiguous model into one in channels-last, which stays in that."""
    formats.channels_last.load_state_dict(formats.contiguous.state_dict())
    return formats.channels_last


def _load_channels_last(formats: Formats) -> torch.nn.Module:
    """The other way round."""
    formats.contiguous.load_state_dict(formats.channels_last.state_dict())
    return formats.contiguous


def _assign(formats: Formats) -> torch.nn.Module:
    """The tensors of a state in place of the model's own: their format comes with them."""
    formats.contiguous.load_state_dict(formats.channels_last.state_dict(), assign=True)
    return formats.contiguous


def _can_assign(model: torch.nn.Module) -> bool:
    """Whether this release can; it came with PyTorch 2.1."""
    return "assign" in inspect.signature(model.load_state_dict).parameters


def _save_state(formats: Formats) -> torch.nn.Module:
    """A state through a file, and its tensors in place of the model's own."""
    state = _through_file(formats.channels_last.state_dict())
    formats.contiguous.load_state_dict(state, assign=True)
    return formats.contiguous


def _through_file(state: Dict[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    loaded: Dict[str, torch.Tensor] = torch.load(buffer)
    return loaded


def _deepcopy(formats: Formats) -> torch.nn.Module:
    return copy.deepcopy(formats.channels_last)


def _pickle(formats: Formats) -> torch.nn.Module:
    loaded: torch.nn.Module = pickle.loads(pickle.dumps(formats.channels_last))  # noqa: S301 - made here
    return loaded


def _can_be_pickled(model: torch.nn.Module) -> bool:
    """Whether it can; a model with a parametrization, or with a function made inside another, cannot."""
    try:
        pickle.loads(pickle.dumps(model))  # noqa: S301 - made here
    except Exception:
        return False
    return True


WAYS: Dict[str, Way] = {
    "to": Way(_to),
    "load contiguous": Way(_load_contiguous),
    "load channels_last": Way(_load_channels_last, gives_channels_last=False),
    "assign": Way(_assign, is_taken=_can_assign),
    "save and load": Way(_save_state, is_taken=_can_assign),
    "deepcopy": Way(_deepcopy),
    "pickle": Way(_pickle, is_taken=_can_be_pickled),
}
"""Every way by its name, as findings have it."""
