"""The worker's side of the conversation: get ready once, then one reply for each request, in order."""

from __future__ import annotations

import faulthandler
import os
import traceback
from typing import Any, Callable, Dict, Mapping

from ..portable import operator_protocol as wire
from ..portable import protocol
from ..portable import timing_protocol as timing_wire
from ..portable.protocol import FaultReply, ReadyMessage, Role, SetupMessage
from . import call, describe, fork_per_request, fork_server, kernel_trace, stray_forks
from .channel import Channel
from .models import factory, operations
from .models import timing as model_timing
from .operators import (
    check,
    compiled,
    double_backward,
    foreign,
    functional_catalogue,
    lookup,
    metadata,
    observe,
    signatures,
    switches,
)
from .operators import timing as call_timing
from .reference import float64

Reply = Mapping[str, object]
Handler = Callable[[Any], Reply]
"""Takes a request of the type that the table of operations says, and gives the reply."""


class Worker:
    """Answers requests, in the role ``fork_per_request`` each in a fork of its own."""

    def __init__(self, role: Role, traced: bool) -> None:
        self.role = role
        self.log = kernel_trace.Trace(traced)
        self.handlers: Dict[str, Handler] = {
            **self._operator_handlers(),
            **operations.handlers(self.log),
            "time": _time,
            "model-time": self._time_model,
        }
        if role == "fork_per_request":
            fork_per_request.prepare()

    def ready(self, preload: list[str]) -> ReadyMessage:
        """Load the preload files and describe the build; `problem` is a sentence where a file failed."""
        # proven before the preload, which may replace the very kernels that the proof runs
        proof = describe.proof(self.log) if self.role == "cell" else {}
        problem = next(filter(None, map(lookup.preload, preload)), "")
        return {"build": describe.build(), "proof": proof, "problem": problem}

    def answer(self, request: Mapping[str, Any]) -> Reply:
        """The reply to one request, or a FaultReply, or the LostReply of a fork that gave none."""
        if self.role == "fork_per_request":
            return fork_per_request.run_in_fork(lambda: self.answer_here(request), request["limit"])
        return self.answer_here(request)

    def answer_here(self, request: Mapping[str, Any]) -> Reply:
        """As `answer`, in this very process."""
        try:
            return self._handler(request["op"])(request)
        except Exception:
            fault: FaultReply = {"fault": traceback.format_exc()}
            return fault

    def _handler(self, op: str) -> Handler:
        if op not in self.handlers:
            raise ValueError(protocol.unknown_operation(op, self.handlers))
        return self.handlers[op]

    def _operator_handlers(self) -> Dict[str, Handler]:
        return {
            "observe": self._observe,
            "refer": _refer,
            "double_backward": _double_backward,
            "metadata": _metadata,
            "check": _check,
            "packages": _packages,
            "catalogue": _catalogue,
            "schemas": _schemas,
        }

    def _time_model(self, request: timing_wire.ModelTimeRequest) -> timing_wire.ModelTimeReply:
        return model_timing.time_model(model_timing.parse_model_time(request), self.log)

    def _observe(self, request: wire.ObserveRequest) -> wire.ObserveReply:
        parsed = call.parse_observe(request)
        with switches.without(onednn=not parsed.onednn, poison=not parsed.poisoned):
            return observe.observe_repeatedly(parsed, self.log)


def _refer(request: wire.ReferRequest) -> wire.ReferReply:
    return float64.refer(call.parse_refer(request))


def _double_backward(request: wire.DoubleBackwardRequest) -> wire.DoubleBackwardReply:
    return double_backward.check_double_backward(call.parse_call(request))


def _metadata(request: wire.MetadataRequest) -> wire.MetadataReply:
    return {"metadata": [metadata.call_metadata(call.parse_call(fields)) for fields in request["calls"]]}


def _check(request: wire.CheckRequest) -> wire.CheckReply:
    problems = check.problems(call.parse_check(request))
    return {"problems": problems, "foreign": foreign.is_foreign_name(request["call"])}


def _time(request: timing_wire.TimeRequest) -> timing_wire.TimeReply:
    return call_timing.time_call(call_timing.parse_time(request))


def _packages(request: wire.PackagesRequest) -> wire.PackagesReply:
    problems = (factory.missing_package(request["requires"]), *map(compiled.path_problem, request["paths"]))
    return {"missing": next(filter(None, problems), "")}


def _catalogue(request: wire.CatalogueRequest) -> wire.CatalogueReply:
    offered = {namespace: functional_catalogue.functions(namespace) for namespace in request["namespaces"]}
    return {
        "functions": {
            namespace: {name: functional_catalogue.operator_name(value) for name, value in each.items()}
            for namespace, each in offered.items()
        },
        "called": functional_catalogue.called_names(request["calls"], offered),
    }


def _schemas(request: wire.SchemasRequest) -> wire.SchemasReply:
    return {"schemas": signatures.operator_schemas(request["operators"])}


def serve(channel: Channel) -> None:
    """Answer until the channel closes, as a worker or, in the role ``fork_server``, by making workers."""
    faulthandler.enable(2, all_threads=False)  # a crash leaves its Python stack in the worker's stderr
    setup: SetupMessage = protocol.decode(channel.receive())
    if setup["role"] == "fork_server":
        fork_server.serve_forks(channel, serve)
        return
    worker, owner = Worker(setup["role"], setup["trace"]), os.getpid()
    channel.send(protocol.encode(worker.ready(setup["preload"])))
    for message in channel:
        reply = worker.answer(protocol.decode(message))
        stray_forks.end_stray_fork(owner)
        channel.send(protocol.encode(reply))
