"""JSON within limits: what is read, and what each refusal says."""

from __future__ import annotations

import json
import math

import pytest

from harness.core.json_text import LARGEST_INT64, LEAST_INT64, parse_json

TOO_DEEP = "nested too deeply to be read: more than 100 lists and mappings in one another"


def test_json_is_read_as_python_reads_it() -> None:
    """Lists, mappings, texts, and numbers that are not finite."""
    text = '{"a": [1, 2.5, null, true], "b": {"c": "d"}, "e": [-Infinity]}'
    assert parse_json(text) == {"a": [1, 2.5, None, True], "b": {"c": "d"}, "e": [-math.inf]}
    assert parse_json(json.dumps([LEAST_INT64, LARGEST_INT64])) == [LEAST_INT64, LARGEST_INT64]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "not JSON: Expecting value: line 1 column 1 (char 0)"),
        ("{'a': 1}", "not JSON: Expecting property name enclosed in double quotes"),
        (str(LARGEST_INT64 + 1), "the whole number 9223372036854775808 has more than 64 bits"),
        (str(LEAST_INT64 - 1), "the whole number -9223372036854775809 has more than 64 bits"),
        ('{"a": [' + "9" * 100_000 + "]}", "the whole number 99999999999999999999... has more than 64 bits"),
        ("[" * 101 + "]" * 101, TOO_DEEP),
        ('{"a":' * 101 + "1" + "}" * 101, TOO_DEEP),
        ("[" * 2000 + "]" * 2000, TOO_DEEP),
        ('{"a":[' * 300_000, TOO_DEEP),
    ],
)
def test_what_is_no_json_or_beyond_the_limits(text: str, message: str) -> None:
    """The words are the same whatever limit Python has."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared below
        parse_json(text)
    assert str(error.value).startswith(message)


def test_what_is_just_not_too_deep_is_read() -> None:
    """A hundred lists in one another are read, whatever lies in them."""
    assert parse_json("[" * 100 + '"x", 1' + "]" * 100)
