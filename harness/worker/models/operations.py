"""The worker's door for models: each operation parses its request once and gives it to whoever carries it out."""

from __future__ import annotations

from typing import Any, Callable, Dict, Mapping

from .. import kernel_trace
from . import factory, isolation, run_step, saved_inputs, sensitivity
from .model_request import parse_feed, parse_isolate, parse_model

Handler = Callable[[Any], Mapping[str, object]]
"""Takes a request of the type that the table of operations says, and gives the reply."""


def handlers(log: kernel_trace.Trace) -> Dict[str, Handler]:
    """Who answers each operation of `MODEL_OPERATIONS`; `log` is the worker's trace of kernels."""
    return {
        "model-check": factory.check_model,
        "model-inputs": saved_inputs.load_inputs,
        "model-refer": lambda request: sensitivity.refer_model(parse_model(request)),
        "model-run": lambda request: run_step.run_model(parse_model(request, request["state"]), request["runs"], log),
        "model-record-calls": lambda request: isolation.record_calls(parse_model(request, request["state"])),
        "model-feed": lambda request: isolation.feed_call(parse_feed(request)),
        "model-isolate": lambda request: isolation.isolate_call(parse_isolate(request), log),
        "model-release": lambda _request: isolation.release_calls(),
    }
