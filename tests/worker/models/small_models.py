"""Requests about small models, answered in this process as a worker answers them: through the door, as plain data."""

from __future__ import annotations

import marshal
from typing import Any, get_args

import pytest

from harness.portable.model_protocol import MODEL_OPERATIONS
from tests.execution.stand import module

BLOCKS = "nhwc_equivalence.worker.callables.blocks"


def fields(factory: str = f"{BLOCKS}.conv_bn_relu", **changes: Any) -> dict[str, Any]:
    """What every request says of a model with an input x of shape (2, 3, 8, 8)."""
    arguments = {"channels": 3, "width": 4, "depth": 2}
    return {
        "factory": factory,
        "arguments": arguments if factory.startswith(BLOCKS) else {},
        "inputs": [image_input("x", (2, 3, 8, 8))],
        "constants": [],
        "weights_file": "",
        "step": "eval",
        "runner": "eager",
        "precision": "float32",
        "conversions": ("both", "model", "input"),
        "frozen": (),
        "needs_frozen": False,
        "watch": (),
        "seeded": False,
        "seed": 1,
        "threads": 1,
        **changes,
    }


def image_input(name: str, shape: tuple[int, ...], *place: int | str) -> dict[str, Any]:
    """An input of float32, the first by position unless `place` says otherwise."""
    about = {"shape": shape, "dtype": "float32", "channels_last": True, "most": 3, "data": None}
    return {"name": name, "place": place or (0,), **about}


def answer(op: str, about: dict[str, Any] | None = None, **changes: Any) -> dict[str, Any]:
    """The reply to a request, both as they come out of marshal; it has the fields of one of the operation's replies."""
    request = marshal.loads(marshal.dumps({**(about or {}), **changes, "op": op}, 2))  # noqa: S302 - made here
    reply = module("models.operations").handlers(module("kernel_trace").Trace(active=False))[op](request)
    plain: dict[str, Any] = marshal.loads(marshal.dumps(reply, 2))  # noqa: S302 - made here
    assert set(plain) in [set(form.__annotations__) for form in forms(MODEL_OPERATIONS[op].reply)]
    return plain


def forms(reply: Any) -> tuple[Any, ...]:
    """The forms that a reply may have, each a TypedDict."""
    return get_args(reply) or (reply,)


def refer(about: dict[str, Any]) -> dict[str, Any]:
    """The reply of the reference."""
    return answer("model-refer", about, threads=1)


def run(about: dict[str, Any]) -> dict[str, Any]:
    """The reply of a cell, with the state of the reference."""
    return answer("model-run", about, state=refer(about)["state"], runs=("nchw", *about["conversions"]))


def parse(about: dict[str, Any], state: Any = None) -> Any:
    """The request as the rooms behind the door get it."""
    return module("models.model_request").parse_model(about, state)


def planted(monkeypatch: pytest.MonkeyPatch, model: Any, **changes: Any) -> dict[str, Any]:
    """What requests say of a model that is there already."""
    monkeypatch.setattr(module("callables.blocks"), "planted", lambda: model, raising=False)
    module("models.builder").release()
    module("operators.lookup").resolve.cache_clear()
    return fields(f"{BLOCKS}.planted", arguments={}, **changes)
