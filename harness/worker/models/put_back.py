"""A call that loses channels-last, watched until its result is taken: the format may be put back right behind it."""

from __future__ import annotations

from ...portable.model_protocol import ImageCallData
from .image_functions import TorchCall


class WatchedLoss:
    """The data of a call that gave NCHW for NHWC, in which `loses` is kept up to date with who takes the result.

    It is ``put back`` while the only call that takes the result is one that asks for channels-last by `memory_format`
    and gets it. Whatever else takes the result works in NCHW.
    """

    def __init__(self, loss: ImageCallData) -> None:
        self._loss = loss
        self._readers = 0

    def note_reader(self, call: TorchCall | None, output_format: str) -> None:
        """Note a call that takes the result, and gives an image of that format; None: whoever called the model."""
        self._readers += 1
        is_restoration = call is not None and call.asks_for_channels_last and output_format == "nhwc"
        self._loss["loses"] = "put back" if is_restoration and self._readers == 1 else "gives nchw"
