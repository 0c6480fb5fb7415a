"""How a worker on another machine ended, as an exit status that ssh hands on. Standard library only, Python 3.8 on.

ssh(1): it exits with the status of the remote command, or with 255 where the connection failed. A signal is added to
128, as shells do it.
"""

from __future__ import annotations

import os

SIGNALLED = 128
"""The status of who was ended by signal n is n more."""

DISCONNECTED = 255
"""ssh's own status: there is no connection, or it was lost."""


def exit_status(status: int) -> int:
    """The exit status that tells a wait status, by os.waitpid; never that of a lost connection."""
    if os.WIFSIGNALED(status):
        return SIGNALLED + os.WTERMSIG(status)
    return min(os.WEXITSTATUS(status), DISCONNECTED - 1)
