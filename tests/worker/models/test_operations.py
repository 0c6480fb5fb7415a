"""The worker's door for models: every operation of the table has an answer, and every reply says its form."""

from __future__ import annotations

import typing

import pytest

from harness.portable import model_protocol
from harness.portable.model_protocol import MODEL_OPERATIONS
from tests.execution.stand import module
from tests.worker.models.small_models import fields, forms, parse, refer

pytest.importorskip("torch")


def test_the_worker_answers_what_the_table_lists_and_nothing_else() -> None:
    """An operation without an answer, or an answer that nobody can ask for, is a mistake in one of the two."""
    handlers = module("models.operations").handlers(module("kernel_trace").Trace(active=False))
    assert set(handlers) == set(MODEL_OPERATIONS)


@pytest.mark.parametrize("op", MODEL_OPERATIONS)
def test_the_table_has_the_types_that_name_the_operation(op: str) -> None:
    """A request type bears the operation that it stands for; the forms of a reply differ in their status."""
    operation = MODEL_OPERATIONS[op]
    hints = typing.get_type_hints(operation.request, vars(model_protocol))
    assert typing.get_args(hints["op"]) == (op,)
    statuses = [typing.get_args(typing.get_type_hints(form)["status"]) for form in forms(operation.reply)]
    assert len(set(statuses)) == len(statuses)


def test_a_parsed_request_has_every_field_of_the_wire() -> None:
    """What the harness says of a model reaches the rooms behind the door, inputs and calibration included."""
    about = fields(step="train", frozen=["Dropout"], watch=["0"], seeded=True)
    state = refer(fields())["state"]
    request = parse(about, state)
    plain = {name: getattr(request, name) for name in model_protocol.ModelFields.__annotations__ if name != "inputs"}
    expected = {name: tuple(value) if isinstance(value, list) else value for name, value in about.items()}
    assert plain == {name: value for name, value in expected.items() if name != "inputs"}
    assert [item._asdict() for item in request.inputs] == about["inputs"]
    assert request.calibration.to_data() == state
