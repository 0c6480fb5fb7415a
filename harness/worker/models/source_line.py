"""The line of a user's source that is at work."""

from __future__ import annotations

from types import FrameType

from ...portable.source_line import SourceLine
from .call_arguments import call_model

_WORKER = __name__.rpartition(".models.")[0]
_NETWORKS = f"{_WORKER}.callables."
"""The networks that suites name: their source is a user's."""


def source_line(frame: FrameType | None) -> SourceLine | None:
    """The innermost line of a model's that is neither PyTorch's nor the worker's own; None where there is none.

    What called the model is no line of it.
    """
    while frame is not None and frame.f_code is not call_model.__code__:
        module = str(frame.f_globals.get("__name__", ""))
        is_worker = module.startswith(f"{_WORKER}.") and not module.startswith(_NETWORKS)
        is_file = not frame.f_code.co_filename.startswith("<")
        if is_file and module.partition(".")[0] != "torch" and not is_worker:
            return frame.f_code.co_filename, frame.f_lineno
        frame = frame.f_back
    return None
