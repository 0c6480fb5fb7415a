"""How a worker hears from the harness: a channel of execnet's, or a socket with the same manners."""

from __future__ import annotations

import contextlib
import os
import socket
from multiprocessing.connection import Connection
from typing import Iterator, Protocol


class Channel(Protocol):
    """Whole messages, iterated until the harness closes."""

    def receive(self) -> bytes:
        """The next message. Raises EOFError once the harness has closed."""

    def send(self, message: bytes) -> None:
        """Send one message."""

    def __iter__(self) -> Iterator[bytes]: ...


class SocketChannel:
    """The channel of a worker that is a fork: a connection to the harness's socket at `address`.

    `first` is a message that came with the request to fork, and is received before all others. A fork of this process
    has no connection: what lives on in one would keep the harness from seeing that the worker has ended.
    """

    def __init__(self, address: str, first: bytes) -> None:
        connected = socket.socket(socket.AF_UNIX)
        connected.connect(address)
        self._connection = Connection(connected.detach())
        self._first = [first]
        os.register_at_fork(after_in_child=self._connection.close)

    def receive(self) -> bytes:
        """The next message. Raises EOFError once the harness has closed."""
        return self._first.pop() if self._first else self._connection.recv_bytes()

    def send(self, message: bytes) -> None:
        """Send one message."""
        self._connection.send_bytes(message)

    def __iter__(self) -> Iterator[bytes]:
        with contextlib.suppress(EOFError, ConnectionResetError):
            while True:
                yield self.receive()
