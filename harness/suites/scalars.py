"""What YAML 1.1 makes of unquoted words that a person meant otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from yaml.constructor import SafeConstructor
from yaml.nodes import ScalarNode

from harness.core.json_text import LARGEST_INT64, LEAST_INT64

_PREFIX: Final = "tag:yaml.org,2002:"
_EXPONENT: Final = re.compile(r"(?P<sign>[-+]?)(?=\.?\d)(?P<digits>\d*)(?P<fraction>\.\d*)?[eE](?P<power>[-+]?\d+)")
_LEADING_ZERO: Final = re.compile(r"(?P<sign>[-+]?)0+(?P<digits>\d+)")
_KINDS: Final = {f"{_PREFIX}{kind}" for kind in ("null", "bool", "int", "float", "str")}

_WHOLE: Final = re.compile(r"[-+]?[0-9][0-9a-fA-FxX_:]*")
_DIGITS: Final = 16
"""Digits of the longest number of 64 bits, in any base that YAML has but two; a longer one may be too large."""

_SHOWN: Final = 40
"""Characters of a number that a message repeats."""

UNPRINTABLE: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufeff\uff00-\ufffd\U00010000-\U0010ffff]")
"""The characters that no text has: those that YAML does not call printable, and halves of surrogate pairs."""

_CONSTRUCTOR: Final = SafeConstructor()


@dataclass(frozen=True)
class Scalar:
    """The value of a scalar, and what is misleading about the way it is written ("" when nothing is)."""

    value: Any
    problem: str = ""
    has_foreign_tag: bool = False
    """Whether the problem is a tag other than those of plain data."""


def read_scalar(node: ScalarNode) -> Scalar:
    """What a scalar says. A number that is none of 64 bits, and text that cannot be printed, are problems."""
    if node.tag == f"{_PREFIX}timestamp":
        problem = f"{node.value!r} is read as a date; write '{node.value}' in quotes if text is meant"
        return Scalar(node.value, problem)
    if node.tag not in _KINDS:
        return Scalar(node.value, f"the tag {_short(node.tag)!r} is not allowed here; remove it", has_foreign_tag=True)
    if match := UNPRINTABLE.search(node.value):
        return Scalar(node.value, f"no text has the character 0x{ord(match[0]):02x}; remove it")
    try:
        value = SafeConstructor.yaml_constructors[node.tag](_CONSTRUCTOR, node)  # construct_object would keep the node
    except (ValueError, LookupError, ArithmeticError):
        return Scalar(node.value, _construction_problem(node))
    if isinstance(value, int) and not LEAST_INT64 <= value <= LARGEST_INT64:
        return Scalar(node.value, _construction_problem(node))
    return Scalar(value) if node.style else Scalar(*_plain_value(node, value))


def _construction_problem(node: ScalarNode) -> str:
    """Why a scalar has no value: PyYAML makes none of it, or it is a whole number of more than 64 bits."""
    text = node.value if len(node.value) <= _SHOWN else f"{node.value[: _SHOWN - 3]}..."
    if len(text) > _DIGITS and _WHOLE.fullmatch(node.value):
        return f"the number {text} has more than 64 bits"
    return f"{text!r} is not of the type that its tag {_short(node.tag)!r} says; remove the tag"


def _plain_value(node: ScalarNode, value: Any) -> tuple[Any, str]:
    """The value of a scalar without quotes, and what is misleading about it."""
    text = node.value
    if isinstance(value, bool) and text.lower() not in ("true", "false"):
        word = str(value).lower()
        return value, f"{text!r} is read as {word}; write {word}, or '{text}' in quotes if text is meant"
    if isinstance(value, str) and (match := _EXPONENT.fullmatch(text)):
        return float(text), f"{text!r} is read as text, not as a number; write {_exponent(match)}"
    if isinstance(value, int | float) and ":" in text:
        return value, f"{text!r} is read as {value}, in base 60; write '{text}' in quotes if text is meant"
    if match := _LEADING_ZERO.fullmatch(text):
        plain = match["sign"] + match["digits"]
        if isinstance(value, int):
            return value, f"{text!r} is read as octal, that is {value}; write {plain} or {value}"
        return int(plain[:_DIGITS]), f"{text!r} is read as text, not as a number; write {plain}"
    return value, ""


def _exponent(match: re.Match[str]) -> str:
    """A spelling that YAML 1.1 reads as a number: with a point, and a sign in the exponent."""
    fraction = match["fraction"] if match["fraction"] not in (None, ".") else ".0"
    power = match["power"] if match["power"][0] in "+-" else f"+{match['power']}"
    return f"{match['sign']}{match['digits'] or '0'}{fraction}e{power}"


def _short(tag: str) -> str:
    return tag.replace(_PREFIX, "!!")
