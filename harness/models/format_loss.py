"""Where a model loses channels-last: the call in which NHWC went in and NCHW came out, and the line that makes it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.models.image_call import ImageCall, LayoutLoss


@dataclass(frozen=True)
class FormatLoss:
    """One module in whose forward the format is lost, and in which call: a sentence."""

    path: str
    message: str


def format_losses(calls: Sequence[ImageCall]) -> Iterator[FormatLoss]:
    """The modules that lose the format themselves, each with the first call that does.

    What a call raises is told of the run that raised; what is put back right behind a call is no loss.
    """
    losing_paths: set[str] = set()
    for call in calls:
        if call.loses in (LayoutLoss.GIVES, LayoutLoss.GETS) and call.module not in losing_paths:
            losing_paths.add(call.module)
            yield FormatLoss(call.module, loss_sentence(call))


def loss_sentence(call: ImageCall) -> str:
    """What a call does to the format, and where it stands."""
    what = "got NCHW" if call.loses is LayoutLoss.GETS else _got_and_gave(call)
    if call.loses is LayoutLoss.PUT_BACK:
        what += ", which is put back right behind it"
    where = f" ({call.line})" if call.line else ""
    return f"{call.title}: {call.function} {what}{where}"


def _got_and_gave(call: ImageCall) -> str:
    if call.loses is LayoutLoss.RAISES:
        return "got NHWC and raised"
    return "got NHWC and gave NCHW" if "nhwc" in call.input_formats else "got what is in both formats, and gave NCHW"
