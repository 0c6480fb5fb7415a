"""What the harness and a worker process say to each other: how messages travel, and what all of them have in common.

A message is plain data in the format `MARSHAL_VERSION` of marshal. A process is sent a `SetupMessage` first and says
that it is ready; then each request is answered by one reply, in order. What a worker can be asked is in
`operator_protocol` and `model_protocol`, each with a table of operations; the fork server's table is here.
`worker/README.md` has an example of each. Standard library only, Python 3.8 on.
"""

from __future__ import annotations

import marshal
from typing import Any, Dict, Iterable, List, Literal, NamedTuple, Optional, Tuple, TypedDict

MARSHAL_VERSION = 2
"""The format of the messages: every Python that runs a worker writes and reads this one."""

Role = Literal["cell", "reference", "fork_per_request", "timing", "fork_server", "local"]
"""What a process is for. ``timing`` measures, ``local`` is the worker of ``--eq-in-process``, in pytest's process."""

Outcome = Literal["ok", "raised"]
"""How a call ended that came to an end."""
LostStatus = Literal["died", "hung"]
"""How a process ended that gave no reply."""

TensorData = Tuple[str, List[int], List[int], Optional[bytes]]
"""A tensor that came back: torch's name of its dtype, shape, strides in elements, and its values in C order, bfloat16
as its 16 bits. Without bytes it has those of the tensor of that name in the observation that was sent before it."""
TensorLayoutData = Tuple[str, List[int], List[int]]
"""The same without values."""
ArrayData = Tuple[str, List[int], bytes]
"""An array of the reference: NumPy's name of its dtype (``<f8``), shape, and its values in C order."""


class SetupMessage(TypedDict):
    """The first message to a process: what it is for, and which files a worker runs first.

    `trace`: oneDNN's verbose lines are read from descriptor 1.
    """

    role: Role
    trace: bool
    preload: list[str]


class BuildData(TypedDict):
    """Versions of the build under test; `onednn` is empty without."""

    torch: str
    onednn: str
    python: str
    numpy: str
    platform: str


class ProofData(TypedDict, total=False):
    """What oneDNN and ATen say of their caps after a convolution; a worker that is no cell proves nothing."""

    onednn: str
    aten: str


class ReadyMessage(TypedDict):
    """A worker's first message: what it runs, and `problem`, a sentence, where a preload file failed."""

    build: BuildData
    proof: ProofData
    problem: str


class ForkServerReadyMessage(TypedDict):
    """A fork server's first message: whether its forks can run kernels."""

    fork_safe: bool
    problem: str


class SpawnRequest(TypedDict):
    """Become a worker in a fork, which connects to the socket `address`.

    `settings` are environment variables, `setup` is its SetupMessage, encoded.
    """

    op: Literal["spawn"]
    settings: dict[str, str]
    setup: bytes
    stderr: str
    address: str


class SpawnReply(TypedDict):
    """The new worker's process id."""

    pid: int


class WaitRequest(TypedDict):
    """Wait up to so many seconds for a worker to end."""

    op: Literal["wait"]
    pid: int
    seconds: float


class EndingData(TypedDict):
    """How a process ended: the signal, 0 for none, and a text."""

    signal: int
    message: str


class WaitReply(TypedDict, total=False):
    """As EndingData; empty where the worker still runs."""

    signal: int
    message: str


class LostReply(EndingData):
    """What stands for the reply of a process that ended without one, written by its supervisor or by its parent."""

    status: LostStatus


class FaultReply(TypedDict):
    """A traceback: the worker itself went wrong, which is a fault of the harness and no observation."""

    fault: str


class Operation(NamedTuple):
    """The types of the request and of the reply of an operation: each a TypedDict, or a Union of these."""

    request: object
    reply: object


FORK_SERVER_OPERATIONS: Dict[str, Operation] = {
    "spawn": Operation(SpawnRequest, SpawnReply),
    "wait": Operation(WaitRequest, WaitReply),
}
"""What the process that becomes workers can be asked."""


def encode(message: Any) -> bytes:
    """The bytes of a message, which is a mapping. Raises ValueError for what marshal cannot write."""
    return marshal.dumps(message, MARSHAL_VERSION)


def decode(message: bytes) -> Any:
    """The message in these bytes, which a process wrote that we started, or that started us."""
    return marshal.loads(message)  # noqa: S302 - see above


def unknown_operation(op: str, operations: Iterable[str]) -> str:
    """The sentence that refuses an operation that is not among these."""
    return f"there is no operation {op!r}; there are {', '.join(sorted(operations))}"
