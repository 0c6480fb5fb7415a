"""An end that is asked for from outside: it ends a run as Ctrl-C does, so that no process and no folder outlives it."""

from __future__ import annotations

import contextlib
import signal
import threading
import time
from collections.abc import Iterator
from types import FrameType
from typing import Final

SIGNALS: Final = (signal.SIGTERM, signal.SIGHUP)
"""What a service manager, `timeout`, or a terminal that closes sends."""

REPEATED_WITHIN: Final = 10.0
"""Seconds in which the same request may come again: `timeout` sends it to the process and to its group.

Later ones are obeyed, for where the first was lost in a place that lets no exception out.
"""


class TerminationRequest(KeyboardInterrupt):
    """A signal has asked for the end; `number` is the signal's."""

    def __init__(self, number: int) -> None:
        super().__init__(f"ended by {signal.Signals(number).name}")
        self.number = number


class _Handler:
    """Raises the request, and lets the cleaning up that it begins come to its end."""

    def __init__(self) -> None:
        self._obeyed_until = 0.0

    def __call__(self, number: int, frame: FrameType | None) -> None:
        del frame
        now = time.monotonic()
        if now >= self._obeyed_until:
            self._obeyed_until = now + REPEATED_WITHIN
            raise TerminationRequest(number)


def accept_interrupts() -> None:
    """Let SIGINT raise KeyboardInterrupt in a process of xdist that was started with it ignored.

    A shell starts so what it runs in the background. execnet ends such a process by `_thread.interrupt_main`, which
    does nothing where SIGINT is ignored.
    """
    is_main = threading.current_thread() is threading.main_thread()
    if is_main and signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)


@contextlib.contextmanager
def termination_requests() -> Iterator[None]:
    """Within, `SIGNALS` raise TerminationRequest where they would end the process at once.

    A signal that somebody handles or ignores already stays as it is, and so do all of them outside the main thread,
    which alone may change them.
    """
    handler, replaced = _Handler(), []
    if threading.current_thread() is threading.main_thread():
        replaced = [number for number in SIGNALS if signal.getsignal(number) is signal.SIG_DFL]
    for number in replaced:
        signal.signal(number, handler)
    try:
        yield
    finally:
        for number in replaced:
            signal.signal(number, signal.SIG_DFL)
