"""The worker's side of the conversation: get ready once, then one reply for each request, in order."""

from __future__ import annotations

import faulthandler
import marshal
import traceback
from typing import Any

from . import describe, fork_per_request, fork_server, kernel_trace
from .models import builder, localise, run_step, sensitivity
from .operators import double_backward, functional_catalogue, invoke, lookup, metadata, observe
from .reference import float64

VERSION = 2
"""marshal's format: every Python that runs a worker writes and reads this one."""


class Worker:
    """Answers requests. `role` is ``cell``, ``reference`` or ``fork_per_request`` (forks for each request)."""

    def __init__(self, role: str, traced: bool) -> None:
        self.role = role
        self.log = kernel_trace.Trace(traced)
        if role == "fork_per_request":
            fork_per_request.prepare()

    def ready(self, preload: list[str]) -> dict[str, Any]:
        """Load the preload files and describe the build; `problem` is a sentence where a file failed."""
        reply: dict[str, Any] = {"build": describe.build()}
        # proven before the preload, which may replace the very kernels that the proof runs
        reply["proof"] = describe.proof(self.log) if self.role == "cell" else {}
        reply["problem"] = next(filter(None, map(lookup.preload, preload)), "")
        return reply

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """The reply to one request; `fault` carries a traceback where the worker itself went wrong."""
        if self.role == "fork_per_request":
            reply: dict[str, Any] = fork_per_request.forked(lambda: self.performed(request), request["limit"])
            return reply
        return self.performed(request)

    def performed(self, request: dict[str, Any]) -> dict[str, Any]:
        """As `answer`, in this very process."""
        try:
            return self._perform(request)
        except Exception:
            return {"fault": traceback.format_exc()}

    def _perform(self, request: dict[str, Any]) -> dict[str, Any]:
        for earlier in request.get("after", ()):
            self._perform(earlier)
        work: dict[str, Any] = {
            "observe": lambda: repeated(request, self.log),
            "refer": lambda: float64.refer(request),
            "check": lambda: {"problems": invoke.problems(request)},
            "packages": lambda: {"missing": builder.missing(request["requires"])},
            "catalogue": lambda: {
                "functions": list(functional_catalogue.functions()),
                "called": functional_catalogue.called(request["calls"]),
            },
            "metadata": lambda: {"metadata": [metadata.metadata(call) for call in request["calls"]]},
            "double_backward": lambda: double_backward.differentiate(request),
            "model": lambda: run_step.serve(request, self.log),
            "model-refer": lambda: sensitivity.refer(request),
            "model-calls": lambda: localise.calls(request),
            "model-fed": lambda: localise.fed(request),
            "model-alone": lambda: localise.alone(request, self.log),
            "model-release": localise.release,
            "model-check": lambda: builder.checked(request),
        }
        reply: dict[str, Any] = work[request["op"]]()
        return reply


def repeated(request: dict[str, Any], log: kernel_trace.Trace) -> dict[str, Any]:
    """The observations of a request, made `repeats` times; a tensor that differs in any of them is unrepeated."""
    first = observe.observe(request, log)
    for _ in range(request["repeats"] - 1):
        _compare(first, observe.observe(request, log))
    return first


def _compare(first: dict[str, Any], again: dict[str, Any]) -> None:
    for layout, seen in first.items():
        other = again[layout]
        differing = [
            name
            for name, record in seen["tensors"].items()
            if not observe.same(_whole(first, name, record), _whole(again, name, other["tensors"].get(name)))
        ]
        seen["unrepeated"] = sorted({*seen["unrepeated"], *other["unrepeated"], *differing})
        seen["written"] = sorted({*seen["written"], *other["written"]})


def _whole(reply: dict[str, Any], name: str, record: Any) -> Any:
    """The record with its bytes, which a contiguous one may share with the drawn one."""
    return (*record[:3], reply["drawn"]["tensors"][name][3]) if record and record[3] is None else record


def serve(channel: Any) -> None:
    """Answer until the channel closes, as a worker or, in the role ``fork_server``, by making workers."""
    faulthandler.enable(2, all_threads=False)  # a crash leaves its Python stack in the worker's stderr
    setup = marshal.loads(channel.receive())  # noqa: S302 - from the harness that started this worker
    if setup["role"] == "fork_server":
        fork_server.tend(channel, serve)
        return
    worker = Worker(setup["role"], setup["trace"])
    channel.send(marshal.dumps(worker.ready(setup["preload"]), VERSION))
    for message in channel:
        channel.send(marshal.dumps(worker.answer(marshal.loads(message)), VERSION))  # noqa: S302 - as above
