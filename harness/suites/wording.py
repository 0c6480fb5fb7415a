"""Pydantic's errors in plain words, with what would be right taken from the JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any, Final

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from harness.errors import did_you_mean, nearest
from harness.suites.mistakes import suggestion
from harness.suites.positions import Location

JsonSchema = Mapping[str, Any]
EXPECTED: Final = "x-expected"
"""A key that a JSON Schema may carry: what belongs here, where listing the types would not help anyone."""

_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "object": "a mapping",
}
_BOUNDS: Final = {"greater_than_equal": "at least", "greater_than": "more than", "less_than_equal": "at most"}
_LONGEST: Final = 40


def explain_error(error: ErrorDetails, schema: type[BaseModel]) -> str:
    """Say in one sentence what is wrong, and what would be right."""
    *above, last = error["loc"] or ("",)
    ctx = error.get("ctx", {})
    got = describe_value(error["input"])
    match error["type"]:
        case "extra_forbidden":
            sentence = f"unknown key {last!r}{suggestion(last, _known_keys(schema, above), otherwise='known keys are')}"
        case "missing":
            sentence = f"{last!r} is missing; expected {_expectation(schema, error['loc'])}"
        case "too_short":
            sentence = f"must not be empty; expected {_expectation(schema, error['loc'])}"
        case "string_too_short":
            sentence = f"must have at least {ctx['min_length']} characters, got {got}"
        case "greater_than_equal" | "greater_than" | "less_than_equal":
            sentence = f"must be {_BOUNDS[error['type']]} {next(iter(ctx.values()))}, got {got}"
        case "value_error":
            sentence = str(ctx["error"])
        case "literal_error":
            sentence = _not_one_of(re.findall(r"'([^']*)'", str(ctx["expected"])), error["input"])
        case _:
            sentence = f"expected {_expectation(schema, error['loc'])}, got {got}"
    return sentence


def _not_one_of(known: list[str], value: Any) -> str:
    near = did_you_mean(value, known) if isinstance(value, str) else ""
    return f"expected {_one_of(known)}, got {describe_value(value)}{near}"


def consequences(errors: list[ErrorDetails]) -> Iterator[ErrorDetails]:
    """The errors that only follow from another: a list "too short" for its bad items, a key missing for its typo."""
    for error in errors:
        loc = error["loc"]
        inner = any(other["loc"][: len(loc)] == loc for other in errors if other is not error)
        typos = [str(other["loc"][-1]) for other in errors if _beside(other, error)]
        misspelt = error["type"] == "missing" and nearest(loc[-1], typos)
        if misspelt or (error["type"] == "too_short" and inner):
            yield error


def _beside(other: ErrorDetails, error: ErrorDetails) -> bool:
    return other["type"] == "extra_forbidden" and other["loc"][:-1] == error["loc"][:-1]


def describe_value(value: Any) -> str:
    """Name a value as a person would."""
    match value:
        case None:
            name = "nothing"
        case bool():
            name = str(value).lower()
        case int() | float():
            name = f"the number {value}"
        case str():
            name = f"the text {(value if len(value) <= _LONGEST else value[: _LONGEST - 3] + '...')!r}"
        case list() | tuple():
            name = "a list" if value else "an empty list"
        case _:
            name = "a mapping" if value else "an empty mapping"
    return name


def _expectation(schema: type[BaseModel], location: Location) -> str:
    """What belongs at a place, in words."""
    words = list(dict.fromkeys(_words(part, schema) for part in _parts(schema, location)))
    return " or ".join(words) or "something else"


def _known_keys(schema: type[BaseModel], location: Location) -> list[str]:
    keys = [key for part in _parts(schema, location) for key in part.get("properties", ())]
    return list(dict.fromkeys(keys))


def _words(part: JsonSchema, schema: type[BaseModel]) -> str:
    if EXPECTED in part:
        return str(part[EXPECTED])
    if "const" in part or "enum" in part:
        return _one_of([str(word) for word in part.get("enum", [part.get("const")])])
    if part.get("type") == "array":
        inner = " or ".join(dict.fromkeys(_words(item, schema) for item in _branches(part.get("items", {}), schema)))
        return f"a list of {inner}" if inner else "a list"
    if keys := ", ".join(part.get("properties", ())):
        return f"a mapping with the keys {keys}"
    return _TYPES.get(str(part.get("type")), "a value")


def _one_of(words: list[str]) -> str:
    return f"{words[0]!r}" if len(words) == 1 else f"one of {', '.join(words)}"


@cache
def _json_schema(schema: type[BaseModel]) -> JsonSchema:
    return schema.model_json_schema()


def _parts(schema: type[BaseModel], location: Location) -> list[JsonSchema]:
    """The JSON Schemas that may hold at a place. A step that none of them has is the tag of a union, and skipped."""
    here = list(_branches(_json_schema(schema), schema))
    for step in location:
        below = [branch for part in here for child in _children(part, step) for branch in _branches(child, schema)]
        here = below or here
    return here


def _children(part: JsonSchema, step: int | str) -> Iterator[JsonSchema]:
    if isinstance(step, int):
        yield from [part["items"]] if "items" in part else []
    elif step in part.get("properties", {}):
        yield part["properties"][step]
    elif isinstance(part.get("additionalProperties"), Mapping) and not step.startswith("<"):
        yield part["additionalProperties"]


def _branches(part: JsonSchema, schema: type[BaseModel]) -> Iterator[JsonSchema]:
    """A part with references followed and unions taken apart, unless it says itself what is expected."""
    if "$ref" in part:
        target = _json_schema(schema)["$defs"][part["$ref"].removeprefix("#/$defs/")]
        if EXPECTED in part:
            target = {**target, EXPECTED: part[EXPECTED]}
        yield from _branches(target, schema)
        return
    union = part.get("anyOf") or part.get("oneOf")
    if not union:
        yield part
        return
    for member in union:
        if member.get("type") == "null":  # an optional field: nobody needs to be told to write null
            continue
        for branch in _branches(member, schema):
            yield {**branch, EXPECTED: part[EXPECTED]} if EXPECTED in part else branch
