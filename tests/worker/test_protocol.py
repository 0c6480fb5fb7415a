"""The protocol: what the README shows, what the harness asks and what a worker answers has the types that it says."""

from __future__ import annotations

import re
import types
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints, is_typeddict

import pytest

import harness
from harness.core import Case, Expression, Module, TensorArgument, TorchName
from harness.execution import requests
from harness.generation import resolve_example
from harness.portable import protocol
from harness.portable.model_protocol import MODEL_OPERATIONS
from harness.portable.operator_protocol import OPERATOR_OPERATIONS
from harness.portable.protocol import FORK_SERVER_OPERATIONS, FaultReply, LostReply
from harness.portable.timing_protocol import TIMING_OPERATIONS
from tests.execution import stand

README = (Path(harness.__file__).parent / "worker" / "README.md").read_text("utf-8")
WORKER_OPERATIONS = {**OPERATOR_OPERATIONS, **MODEL_OPERATIONS, **TIMING_OPERATIONS}
OPERATIONS = {**WORKER_OPERATIONS, **FORK_SERVER_OPERATIONS}


def readme_variables() -> dict[str, Any]:
    """The variables of the README's Python, `examples` among them: an operation's request and reply."""
    scope: dict[str, Any] = {"examples": {}}
    for block in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(block, scope)  # noqa: S102 - our own file
    return scope


EXAMPLES: dict[str, tuple[Any, Any]] = readme_variables()["examples"]


def misfit(value: Any, hint: Any, where: str = "") -> str:
    """Where a value is not of a type, and how; nothing where it is."""
    problems = [_misfit(value, form, where) for form in _forms(hint)]
    return "" if "" in problems else min(problems, key=len)


def _forms(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if get_origin(hint) in (Union, types.UnionType) else (hint,)


def _misfit(value: Any, hint: Any, where: str) -> str:
    origin = get_origin(hint)
    if is_typeddict(hint):
        return _misfit_of_fields(value, hint, where)
    if origin is Literal:
        return "" if value in get_args(hint) else f"{where} is {value!r}, not one of {get_args(hint)}"
    kind = {float: (float, int), None: type(None), Any: object}.get(hint, origin or hint)
    if not isinstance(value, kind):
        return f"{where} is {value!r}, not {hint}"
    return _first(misfit(part, each, f"{where}[{index!r}]") for index, part, each in _parts(value, hint))


def _parts(value: Any, hint: Any) -> list[tuple[Any, Any, Any]]:
    """What a container holds, each with its index and its type."""
    args = get_args(hint)
    if isinstance(value, dict):
        return [(key, part, args[1]) for key, part in value.items()]
    if isinstance(value, (list, tuple)) and args:
        repeated = args[:1] * len(value)
        hints = repeated if args[-1] is Ellipsis or not isinstance(value, tuple) else args
        return list(zip(range(len(value)), value, hints, strict=True))
    return []


def _first(problems: Iterable[str]) -> str:
    return next(filter(None, problems), "")


def _misfit_of_fields(value: Any, form: Any, where: str) -> str:
    hints = get_type_hints(form)
    if not isinstance(value, dict):
        return f"{where} is {value!r}, not {form.__name__}"
    required = hints if form.__total__ else {}
    if differing := sorted((set(value) - set(hints)) | (set(required) - set(value))):
        return f"{where} and {form.__name__} differ in {differing}"
    return _first(misfit(part, hints[key], f"{where}.{key}") for key, part in value.items())


@pytest.mark.parametrize("op", OPERATIONS)
def test_each_operation_is_documented_with_a_request_and_a_reply_of_its_types(op: str) -> None:
    """The README has a line of the table and an example of each, and the example has the types of the protocol."""
    assert f"\n| `{op}` |" in README
    request, reply = EXAMPLES[op]
    assert misfit(request, OPERATIONS[op].request, "request") == ""
    assert misfit(reply, OPERATIONS[op].reply, "reply") == ""


def test_a_message_of_another_shape_does_not_fit() -> None:
    """A field too few or too many, a value of another type, deep in the message too: each is named by its place."""
    request, reply = EXAMPLES["observe"]
    form = OPERATIONS["observe"]
    assert misfit({**request, "more": 1}, form.request) == " and ObserveRequest differ in ['more']"
    assert misfit({key: request[key] for key in request if key != "fill"}, form.request).endswith("['fill']")
    assert misfit({**request, "tensors": [{**request["tensors"][0], "shape": [1, 2]}]}, form.request).startswith(
        ".tensors[0].shape"
    )
    assert misfit({**reply, "drawn": {**reply["drawn"], "status": "died"}}, form.reply).startswith(
        ".drawn.status is 'died'"
    )


def test_the_readme_shows_no_operation_that_there_is_not() -> None:
    """Nor does its table; what stands for a lost reply and a fault is shown as well."""
    rows = re.findall(r"^\| `([\w-]+)` \|", README, re.MULTILINE)
    assert sorted(rows) == sorted(EXAMPLES) == sorted(OPERATIONS)
    assert misfit(readme_variables()["lost"], LostReply) == ""
    assert misfit(readme_variables()["fault"], FaultReply) == ""


def test_a_worker_answers_the_operations_of_the_tables() -> None:
    """All of those about operators and models and their times, and no other."""
    worker = stand.module("serve").Worker("local", traced=False)
    assert sorted(worker.handlers) == sorted(WORKER_OPERATIONS)


def test_an_unknown_operation_is_refused_with_a_sentence() -> None:
    """It names those that there are, in a fault with the worker's own traceback."""
    reply = stand.module("serve").Worker("local", traced=False).answer({"op": "refuse"})
    assert misfit(reply, FaultReply) == ""
    assert "ValueError: there is no operation 'refuse'; there are catalogue, check, " in reply["fault"]


@pytest.mark.parametrize("op", OPERATOR_OPERATIONS)
def test_a_worker_answers_the_examples_as_shown(op: str) -> None:
    """Asked what the README asks, it gives what the README shows; of the catalogue the README shows a part."""
    request, expected = EXAMPLES[op]
    worker = stand.module("serve").Worker("local", traced=False)
    reply = protocol.decode(protocol.encode(worker.answer(protocol.decode(protocol.encode(request)))))
    assert misfit(reply, OPERATIONS[op].reply, "reply") == ""
    if op == "catalogue":
        listed = reply["functions"]
        reply["functions"] = {
            name: {each: listed[name][each] for each in shown} for name, shown in expected["functions"].items()
        }
    assert reply == expected


BATCH_NORM = stand.case(
    "torch.nn.BatchNorm2d",
    stand.tensor("x", "N", "C", "H", "W"),
    stand.tensor("weight", "C", optional=True, between=(Expression.parse(1), Expression.parse("C"))),
    module=Module({"num_features": Expression.parse("C"), "dtype": TorchName("float32")}, state={"weight": "weight"}),
)
CAT = stand.case("torch.cat", positional=((TensorArgument("x"), TensorArgument("x")),), arguments={"dim": 1})


@pytest.mark.parametrize("case", [stand.CONV2D, BATCH_NORM, CAT], ids=lambda case: case.name)
@pytest.mark.parametrize("absent", [False, True])
def test_what_the_harness_asks_has_the_types_of_the_protocol(case: Case, absent: bool) -> None:
    """Requests about functions and modules, with tensors in lists, ranges, and tensors that are left out."""
    optional = tuple(spec.name for spec in case.tensors if spec.optional) if absent else ()
    resolved = resolve_example(case, stand.example(case, sizes={"K": 2}, absent=optional))
    messages: list[Any] = [
        requests.observation_request(resolved, after=[resolved]),
        requests.reference_request(resolved),
        requests.double_backward_request(resolved),
        requests.metadata_request([resolved]),
    ]
    for request in messages:
        assert misfit(request, OPERATIONS[request["op"]].request, request["op"]) == ""
        assert protocol.decode(protocol.encode(request)) == request


def test_a_check_has_the_types_of_the_protocol() -> None:
    """Of a function."""
    assert misfit(requests.check_request(stand.CONV2D), OPERATIONS["check"].request) == ""
