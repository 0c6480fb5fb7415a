"""Pydantic's errors in plain words, with what would be right taken from the model's JSON Schema."""

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

Schema = Mapping[str, Any]
EXPECTED: Final = "x-expected"
"""A key that a model's JSON Schema may carry: what belongs here, where listing the types would not help anyone."""

_TYPES: Final = {
    "string": "text",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
    "null": "null",
    "object": "a mapping",
}
_LONGEST: Final = 40


def explain(error: ErrorDetails, form: type[BaseModel]) -> str:
    """Say in one sentence what is wrong, and what would be right."""
    *above, last = error["loc"] or ("",)
    ctx = error.get("ctx", {})
    got = describe(error["input"])
    match error["type"]:
        case "extra_forbidden":
            said = f"unknown key {last!r}{suggestion(last, _known_keys(form, above), otherwise='known keys are')}"
        case "missing":
            said = f"{last!r} is missing; expected {_expected(form, error['loc'])}"
        case "too_short":
            said = f"must not be empty; expected {_expected(form, error['loc'])}"
        case "string_too_short":
            said = f"must have at least {ctx['min_length']} characters, got {got}"
        case "greater_than_equal":
            said = f"must be at least {ctx['ge']}, got {got}"
        case "greater_than":
            said = f"must be more than {ctx['gt']}, got {got}"
        case "value_error":
            said = str(ctx["error"])
        case "literal_error":
            said = _not_one_of(re.findall(r"'([^']*)'", str(ctx["expected"])), error["input"])
        case _:
            said = f"expected {_expected(form, error['loc'])}, got {got}"
    return said


def _not_one_of(known: list[str], value: Any) -> str:
    near = did_you_mean(value, known) if isinstance(value, str) else ""
    return f"expected {_one_of(known)}, got {describe(value)}{near}"


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


def describe(value: Any) -> str:
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


def _expected(form: type[BaseModel], location: Location) -> str:
    found = list(dict.fromkeys(_words(schema, form) for schema in _schemas(form, location)))
    return " or ".join(found) or "something else"


def _known_keys(form: type[BaseModel], location: Location) -> list[str]:
    found = [key for schema in _schemas(form, location) for key in schema.get("properties", ())]
    return list(dict.fromkeys(found))


def _words(schema: Schema, form: type[BaseModel]) -> str:
    if EXPECTED in schema:
        return str(schema[EXPECTED])
    if "const" in schema or "enum" in schema:
        return _one_of([str(word) for word in schema.get("enum", [schema.get("const")])])
    if schema.get("type") == "array":
        inner = " or ".join(dict.fromkeys(_words(part, form) for part in _branches(schema.get("items", {}), form)))
        return f"a list of {inner}" if inner else "a list"
    if keys := ", ".join(schema.get("properties", ())):
        return f"a mapping with the keys {keys}"
    return _TYPES.get(str(schema.get("type")), "a value")


def _one_of(words: list[str]) -> str:
    return f"{words[0]!r}" if len(words) == 1 else f"one of {', '.join(words)}"


@cache
def _schema(form: type[BaseModel]) -> Schema:
    return form.model_json_schema()


def _schemas(form: type[BaseModel], location: Location) -> list[Schema]:
    """The schemas that may hold at a place. A step that no schema has is the tag of a union, and skipped."""
    here = list(_branches(_schema(form), form))
    for step in location:
        below = [part for schema in here for child in _children(schema, step) for part in _branches(child, form)]
        here = below or here
    return here


def _children(schema: Schema, step: int | str) -> Iterator[Schema]:
    if isinstance(step, int):
        yield from [schema["items"]] if "items" in schema else []
    elif step in schema.get("properties", {}):
        yield schema["properties"][step]
    elif isinstance(schema.get("additionalProperties"), Mapping) and not step.startswith("<"):
        yield schema["additionalProperties"]


def _branches(schema: Schema, form: type[BaseModel]) -> Iterator[Schema]:
    """A schema with references followed and unions taken apart, unless it says itself what is expected."""
    if "$ref" in schema:
        target = _schema(form)["$defs"][schema["$ref"].removeprefix("#/$defs/")]
        if EXPECTED in schema:
            target = {**target, EXPECTED: schema[EXPECTED]}
        yield from _branches(target, form)
        return
    union = schema.get("anyOf") or schema.get("oneOf")
    if not union:
        yield schema
        return
    for part in union:
        if part.get("type") == "null":  # an optional field: nobody needs to be told to write null
            continue
        for branch in _branches(part, form):
            yield {**branch, EXPECTED: schema[EXPECTED]} if EXPECTED in schema else branch
