"""Examples in a record. JSON has no infinity and no NaN, which a suite may list among the choices of a size."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Final

from pydantic import BeforeValidator, JsonValue, PlainSerializer

from harness.core import Example

NON_FINITE: Final = {"Infinity": math.inf, "-Infinity": -math.inf, "NaN": math.nan}
"""How a record spells them, as text; a choice that is this text itself cannot be told from the number."""


def plain_size(value: object) -> JsonValue:
    """The value of a size as JSON: tuples are lists, and what is no finite number is text."""
    if isinstance(value, list | tuple):
        return [plain_size(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return next(text for text, number in NON_FINITE.items() if str(number) == str(value))
    assert value is None or isinstance(value, str | int | float)  # noqa: S101 - what YAML has for a choice
    return value


def read_size(plain: object) -> object:
    """The value that `plain_size` wrote, in lists for tuples."""
    if isinstance(plain, list):
        return [read_size(part) for part in plain]
    return NON_FINITE.get(plain, plain) if isinstance(plain, str) else plain


PlainSize = Annotated[JsonValue, BeforeValidator(read_size), PlainSerializer(plain_size)]
"""The value of a size in a record."""


def _read_example(plain: object) -> object:
    """The example that core reads from plain data; its message says what is wrong. Raises ValueError."""
    if not isinstance(plain, Mapping):
        return plain
    sizes = plain.get("sizes")
    if isinstance(sizes, Mapping):
        plain = {**plain, "sizes": {name: read_size(value) for name, value in sizes.items()}}
    return Example.from_json(plain)


def _plain_example(example: Example) -> dict[str, object]:
    """All fields as plain data, `path` also where it is the plain one."""
    return {**asdict(example), "sizes": {name: plain_size(value) for name, value in example.sizes.items()}}


OperatorExample = Annotated[Example, BeforeValidator(_read_example), PlainSerializer(_plain_example)]
"""An example of an operator. `equivalence replay` reads its plain data, too, where every size is a finite number."""
