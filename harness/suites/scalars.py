"""What YAML 1.1 makes of unquoted words that a person meant otherwise."""

from __future__ import annotations

import re
from typing import Any, Final

from yaml.constructor import SafeConstructor
from yaml.nodes import ScalarNode

_PREFIX: Final = "tag:yaml.org,2002:"
_EXPONENT: Final = re.compile(r"(?P<sign>[-+]?)(?=\.?\d)(?P<digits>\d*)(?P<fraction>\.\d*)?[eE](?P<power>[-+]?\d+)")
_LEADING_ZERO: Final = re.compile(r"(?P<sign>[-+]?)0+(?P<digits>\d+)")
_KINDS: Final = {f"{_PREFIX}{kind}" for kind in ("null", "bool", "int", "float", "str")}

_CONSTRUCTOR: Final = SafeConstructor()


def read_scalar(node: ScalarNode) -> tuple[Any, str]:
    """The value of a scalar, and what is misleading about the way it is written ("" when nothing is)."""
    if node.tag == f"{_PREFIX}timestamp":
        return node.value, f"{node.value!r} is read as a date; write '{node.value}' in quotes if text is meant"
    if node.tag not in _KINDS:
        return node.value, f"the tag {_short(node.tag)!r} is not allowed here; remove it"
    try:
        value = _CONSTRUCTOR.construct_object(node, deep=True)
    except (ValueError, KeyError):
        return node.value, f"{node.value!r} is not of the type that its tag {_short(node.tag)!r} says; remove the tag"
    return (value, "") if node.style else _plain_value(node, value)


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
        return int(plain), f"{text!r} is read as text, not as a number; write {plain}"
    return value, ""


def _exponent(match: re.Match[str]) -> str:
    """A spelling that YAML 1.1 reads as a number: with a point, and a sign in the exponent."""
    fraction = match["fraction"] if match["fraction"] not in (None, ".") else ".0"
    power = match["power"] if match["power"][0] in "+-" else f"+{match['power']}"
    return f"{match['sign']}{match['digits'] or '0'}{fraction}e{power}"


def _short(tag: str) -> str:
    return tag.replace(_PREFIX, "!!")
