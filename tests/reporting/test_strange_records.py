"""Records and examples that were changed at random: read, or refused with a message, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from harness.core import Example
from harness.errors import UserError
from harness.reporting import operator_item_record, read_record
from harness.trial import Outcome
from tests.reporting.records import CASE, model_item, record
from tests.reporting.test_record import FAILURE

Result = TypeVar("Result")
Refusal = TypeVar("Refusal", bound=Exception)

EXAMPLE: dict[str, Any] = json.loads(FAILURE.example.to_json())
STRANGE = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(max_size=5),
    st.sampled_from(["../../x", "../../x.yaml::y", "a.yaml::../b", "\0", "x" * 5000, "1e999", "$", "::"]),
    st.lists(st.integers(), max_size=2),
    st.dictionaries(st.text(max_size=2), st.integers(), max_size=2),
)


def places(document: Any, *above: Any) -> Iterator[tuple[Any, ...]]:
    """Where the values of a document are, the collections included."""
    parts = (
        document.items() if isinstance(document, dict) else enumerate(document) if isinstance(document, list) else ()
    )
    for key, value in parts:
        yield (*above, key)
        yield from places(value, *above, key)


def changed(document: Any, place: tuple[Any, ...], value: Any) -> Any:
    """A copy of the document with another value in this place."""
    copy = json.loads(json.dumps(document))
    part = copy
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    return copy


def record_document() -> Any:
    """A record with a failure in it, as JSON has it."""
    failing = operator_item_record(Outcome(CASE, "float32", failures=[FAILURE]))
    return json.loads(record(failing, model_item()).text())


RECORD = record_document()


def result_or_refusal(read: Callable[[], Result], refusal: type[Refusal]) -> Result | Refusal:
    """What was read, or the error of that class that says why nothing was. Any other is the test's failure."""
    try:
        return read()
    except refusal as error:
        return error


@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(place=st.sampled_from([*places(RECORD)]), value=STRANGE)
def test_a_record_is_read_or_refused(tmp_path: Path, place: tuple[Any, ...], value: Any) -> None:
    """What is read leads out of no folder; what does not fit is one message that names the file."""
    file = tmp_path / "record.json"
    file.write_text(json.dumps(changed(RECORD, place, value)), "utf-8")
    result = result_or_refusal(lambda: read_record(file), UserError)
    if isinstance(result, UserError):
        assert str(file) in str(result)
    else:
        assert all(".." not in item.suite for item in result.operators.values())


@settings(deadline=None, max_examples=300)
@given(place=st.sampled_from([*places(EXAMPLE)]), value=STRANGE)
def test_an_example_is_read_or_refused(place: tuple[Any, ...], value: Any) -> None:
    """What is read is written again as it was; what is none is a ValueError with a text."""
    document = changed(EXAMPLE, place, value)
    result = result_or_refusal(lambda: Example.from_json(json.dumps(document)), ValueError)
    if isinstance(result, ValueError):
        assert str(result)
    else:
        assert str(Example.from_json(result.to_json())) == str(result)


@pytest.mark.parametrize("text", ["", "{", "[" * 5000, "\ud800", '{"case": 1e999}', "nul", '"' * 3])
def test_text_that_is_no_example(text: str) -> None:
    """It is a ValueError with a text, however deep it is nested."""
    with pytest.raises(ValueError, match=r"\w"):
        Example.from_json(text)
