"""Forks that a preload file or an operator makes and lets return: two processes then do what one was asked to do."""

from __future__ import annotations

import os


def end_stray_fork(owner: int) -> None:
    """End this process unless its id is `owner`: a copy that came back must not answer for it.

    It ends at once, without what a Python does at its end: that belongs to the owner too.
    """
    if os.getpid() != owner:
        os._exit(0)
