"""Where a model loses channels-last: the module that got NHWC and gave, or passed on, NCHW."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.models.model import ModuleRecord, is_below

FEATURES_LAST: Final = ("Linear",)
"""Classes of modules whose features are the last dimension: (N, H, W, C) is what they take."""


@dataclass(frozen=True)
class FormatLoss:
    """One module that lost the format, and in which way: a sentence."""

    path: str
    message: str


def format_losses(modules: Sequence[ModuleRecord]) -> Iterator[FormatLoss]:
    """The modules that lost the format themselves: what their children lost is the children's.

    `modules` are in the order in which their calls ended, so children stand before their parent. A module loses it by
    returning NCHW for NHWC, or by handing NCHW to a child where everything before was NHWC. A view is no loss, nor is
    what a module makes of one: after x.permute(0, 2, 3, 1) contiguous strides are what channels-last was, be it in a
    module of its own or in a forward before the next. A linear layer has its features last: what it takes is no image.
    Where an image is too small to tell, nothing is said.
    """
    losing_paths: set[str] = set()
    for index, module in enumerate(modules):
        calls = _calls_within(modules, index)
        is_childs_loss = any(is_below(path, module.path) for path in losing_paths)
        message = "" if is_childs_loss else _loss_at_return(module, calls)
        message = message or _loss_before_child(module, _direct_children(calls), losing_paths)
        if message and module.path not in losing_paths:
            losing_paths.add(module.path)
            yield FormatLoss(module.path, message)


def _got_channels_last(module: ModuleRecord) -> bool:
    """Whether the module got an image in NHWC and none in NCHW."""
    return "nhwc" in module.input_formats and "nchw" not in module.input_formats


def _loss_at_return(module: ModuleRecord, calls: Sequence[ModuleRecord]) -> str:
    """What is said of a module that returns NCHW for NHWC, and did not turn the image within; else nothing."""
    turns_image = any(call.permuted_input or (_gives_nchw(call) and _turns(call)) for call in (*calls, module))
    return f"{_title(module)} got NHWC and gave NCHW back" if _gives_nchw(module) and not turns_image else ""


def _gives_nchw(module: ModuleRecord) -> bool:
    """Whether strides of NHWC went in, and those of NCHW came out."""
    return _got_channels_last(module) and "nchw" in module.output_formats


def _turns(module: ModuleRecord) -> bool:
    """Whether the module gives its image with the dimensions in another order, or takes it for no image."""
    return module.is_view or module.class_name in FEATURES_LAST


def _loss_before_child(module: ModuleRecord, children: Sequence[ModuleRecord], losing_paths: set[str]) -> str:
    """What is said of a module that hands NCHW to a child, all having been NHWC before it; else nothing."""
    if not _got_channels_last(module):
        return ""
    for child in children:
        if child.permuted_input:
            return ""
        if "nchw" in child.input_formats:
            return f"{_title(module)} got NHWC and gave {child.path} ({child.class_name}) NCHW"
        lost_within = any(path == child.path or is_below(path, child.path) for path in losing_paths)
        if "nchw" in child.output_formats or lost_within:
            return ""
    return ""


def _calls_within(modules: Sequence[ModuleRecord], index: int) -> Sequence[ModuleRecord]:
    """The calls within that of the module at `index`, in order: those below its path since its last call."""
    start = index
    while start and is_below(modules[start - 1].path, modules[index].path):
        start -= 1
    return modules[start:index]


def _direct_children(calls: Sequence[ModuleRecord]) -> Sequence[ModuleRecord]:
    """Of the calls within a module those that it made itself, in order.

    One that gets no image and gives none whose format can be told (a detector is given a list of three-dimensional
    ones, and gives losses, or masks of one channel) stands for those that it makes.
    """
    children: list[ModuleRecord] = []
    index = len(calls) - 1
    while index >= 0:
        child, within = calls[index], _calls_within(calls, index)
        index -= len(within) + 1
        handles_images = child.input_formats or {"nchw", "nhwc"} & set(child.output_formats)
        children[:0] = [child] if handles_images else _direct_children(within)
    return children


def _title(module: ModuleRecord) -> str:
    return f"{module.path} ({module.class_name})" if module.path else f"the model's own forward ({module.class_name})"
