"""What to write in place of a call that loses channels-last, for those of which that is known."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from harness.models.format_loss import loss_sentence
from harness.models.image_call import ImageCall, LayoutLoss

BY_FUNCTION: Final = {
    "stack": "if the stack is summed up, add the tensors one to the other in place of it: an addition keeps the format",
    "contiguous": "write contiguous(memory_format={format}), or leave it out if what follows takes any strides",
    "clone": "write clone() without a memory_format, or with memory_format={format}",
    "view": "write reshape in place of view: it copies only where it has to",
}
"""What to do instead, by the last part of the function's name; `{format}` is channels-last of the image's rank."""


@dataclass(frozen=True)
class Place:
    """A place to change: what happens there, what to write instead, and all calls that are made there."""

    sentence: str
    instead: str
    calls: tuple[ImageCall, ...]


def places_to_change(calls: Sequence[ImageCall]) -> list[Place]:
    """The calls that lose the format for good, one for each line of source, in the order of the forward pass."""
    lines = _group_by_line([call for call in calls if call.is_to_change])
    return [Place(loss_sentence(same[0]), instead(same[0]), tuple(same)) for same in lines]


def places_put_back(calls: Sequence[ImageCall]) -> list[Place]:
    """The calls right behind which the format is put back, likewise; `instead` is what saves the copy, if anything."""
    lines = _group_by_line([call for call in calls if call.loses is LayoutLoss.PUT_BACK])
    return [Place(loss_sentence(same[0]), _replacement(same[0]), tuple(same)) for same in lines]


def _group_by_line(calls: Sequence[ImageCall]) -> list[list[ImageCall]]:
    """The calls of the same function on the same line of source."""
    by_line: dict[tuple[str, str], list[ImageCall]] = {}
    for call in calls:
        by_line.setdefault((call.line or call.module, call.function), []).append(call)
    return list(by_line.values())


def instead(call: ImageCall) -> str:
    """What to write in place of a call, or beside it."""
    where = "behind" if call.loses is LayoutLoss.GIVES else "before"
    return _replacement(call) or (
        f"put the format back {where} it: x = x.contiguous(memory_format={channels_last(call.image_rank)})"
    )


def _replacement(call: ImageCall) -> str:
    """What does the same as a call and keeps the format; empty where nothing is known to."""
    name = call.function.rpartition(".")[2].strip("_")
    if name == "contiguous" and call.input_axes.count("C") > 1:
        return "write torch.nn.functional.channel_shuffle in place of the shuffle of channels: it keeps the format"
    if name == "sum" and call.input_axes.count("N") > 1:
        return "add the tensors one to the other in place of torch.stack(...).sum(...): an addition keeps the format"
    if call.kind == "resampling" and "nhwc" not in call.input_formats and set(call.input_shape[2:]) == {1}:
        return "write x.expand(-1, -1, H, W) in place of the interpolation of a single pixel"
    return BY_FUNCTION.get(name, "").format(format=channels_last(call.image_rank))


def channels_last(rank: int) -> str:
    """The memory format of images of that many dimensions, as torch names it."""
    return "torch.channels_last_3d" if rank == 5 else "torch.channels_last"
