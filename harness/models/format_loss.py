"""Where a model loses channels-last: the module that got NHWC and gave, or passed on, NCHW."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.models.model import ModuleRecord

FEATURES_LAST: Final = ("Linear",)
"""Classes of modules whose features are the last dimension: (N, H, W, C) is what they take."""


@dataclass(frozen=True)
class Loss:
    """One module that lost the format, and in which way."""

    path: str
    message: str


def losses(modules: Sequence[ModuleRecord]) -> Iterator[Loss]:
    """The modules that lost the format themselves: what their children lost is the children's.

    `modules` are in the order in which their calls ended, so children stand before their parent. A module loses it by
    returning NCHW for NHWC, or by handing NCHW to a child where everything before was NHWC. A view is no loss, nor is
    what a module makes of one: after x.permute(0, 2, 3, 1) contiguous strides are what channels-last was, be it in a
    module of its own or in a forward before the next. A linear layer has its features last: what it takes is no image.
    Where an image is too small to tell, nothing is said.
    """
    told: set[str] = set()
    for index, module in enumerate(modules):
        calls = _calls(modules, index)
        within = any(_below(path, module.path) for path in told)
        loss = "" if within else _returned(module, calls)
        loss = loss or _passed(module, _children(calls), told)
        if loss and module.path not in told:
            told.add(module.path)
            yield Loss(module.path, loss)


def keeps(module: ModuleRecord) -> bool:
    """Whether the module got an image in NHWC and none in NCHW."""
    return "nhwc" in module.given and "nchw" not in module.given


def _returned(module: ModuleRecord, calls: Sequence[ModuleRecord]) -> str:
    if _flips(module) and not any(one.turned or (_flips(one) and _turns(one)) for one in (*calls, module)):
        return f"{_name(module)} got NHWC and gave NCHW back"
    return ""


def _flips(module: ModuleRecord) -> bool:
    """Whether strides of NHWC went in, and those of NCHW came out."""
    return keeps(module) and "nchw" in module.returned


def _turns(module: ModuleRecord) -> bool:
    """Whether the module gives its image with the dimensions in another order, or takes it for no image."""
    return module.alias or module.kind in FEATURES_LAST


def _passed(module: ModuleRecord, children: Sequence[ModuleRecord], told: set[str]) -> str:
    if not keeps(module):
        return ""
    for child in children:
        if child.turned:
            return ""
        if "nchw" in child.given:
            return f"{_name(module)} got NHWC and gave {child.path} ({child.kind}) NCHW"
        if "nchw" in child.returned or any(path == child.path or _below(path, child.path) for path in told):
            return ""
    return ""


def _calls(modules: Sequence[ModuleRecord], index: int) -> Sequence[ModuleRecord]:
    """The calls within that of the module at `index`, in order: those below its path since its last call."""
    start = index
    while start and _below(modules[start - 1].path, modules[index].path):
        start -= 1
    return modules[start:index]


def _children(calls: Sequence[ModuleRecord]) -> Sequence[ModuleRecord]:
    """Of the calls within a module those that it made itself, in order.

    One that gets no image and gives none whose format can be told (a detector is given a list of three-dimensional
    ones, and gives losses, or masks of one channel) stands for those that it makes.
    """
    found: list[ModuleRecord] = []
    index = len(calls) - 1
    while index >= 0:
        child, within = calls[index], _calls(calls, index)
        index -= len(within) + 1
        found[:0] = [child] if child.given or {"nchw", "nhwc"} & set(child.returned) else _children(within)
    return found


def _below(path: str, parent: str) -> bool:
    return bool(path) and (not parent or path.startswith(parent + "."))


def _name(module: ModuleRecord) -> str:
    return f"{module.path} ({module.kind})" if module.path else f"the model's own forward ({module.kind})"
