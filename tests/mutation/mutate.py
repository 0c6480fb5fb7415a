"""What may become of a file: changes of its text, as accidents make them, and of its data, as people do."""

from __future__ import annotations

import copy
import json
import math
from collections.abc import Callable
from random import Random
from typing import Any, Final

import yaml

Path = tuple[Any, ...]
"""Keys and indices from the root of the data down."""

TOKENS: Final = (
    "", " ", "\n", "\t", "    ", "- ", ": ", ", ", "? ", "[", "]", "{", "}", "[[", "{a: ", "'", '"', "#", "&a ", "*a",
    "!!int ", "!!str ", "!!binary ", "!!python/name:os.system ", "!x ", "<<: ", "<<: *a", "'<<': 1", "<x>: 1",
    "<mapping>", "~", "null", "no", "0x" + "f" * 4300, "9" * 4301, "-9223372036854775809", "1e999", ".inf", ".nan",
    "1:30", "010", "2024-01-01", "\0", "\x1b", "\ufeff", "\u2028", "é", "\ud7ff", "\U0001f600", "--- ", "...",
    "%YAML 9.9", "|\n", ">-\n", "\\", '"\\0"', '"\\uD800"', "\r", "\x85", "{name}", "../../x", "::", "..", "1..",
    "-1..5", "5..1", "0..1000000000000", "'a'*1000000000", "'%z' % 1", "max(())", "1//0", "-" * 500 + "1",
    "(" * 150 + ")" * 150, "N.real", "f'{N}'", "\\u0041",
)  # fmt: skip
"""What is put into a text."""

VALUES: Final = (
    None, True, False, 0, 1, -1, 2**31, 2**63 - 1, 2**63, -(2**63) - 1, 10**30, 0.5, -0.0, 1e308, math.inf, -math.inf,
    math.nan, "", " ", "<<", "<x>", "<mapping>", "x" * 200, "é", "\u2028", "no", "1e5", "N", "C", "float32",
    "contiguous", "channels_last", "{name}", "a.b", "..", "N..N", "0..1000000000000", "-9..-1", "1//0", "1//0..3",
    "max(())", "'a'*1000000000", "'%1000000000d' % 1", "-" * 500 + "1", "1e999", "N and 'a'", "(N, C)", "None", "'a'",
    "N[0]", "-N", "9223372036854775807*2", "1 if N < 2 else 'a'", "*", "[", "grad:*", "output[0]", "output[-1]",
    "output[99999999999999999999]", ">=2", ">=x", "==1.*.*", "../../x.yaml::y", "suites/" + "x" * 5000 + ".yaml::y",
    "/dev/zero", "\0", [], {}, [[]], {"": None}, {"<<": 1}, {"text": "a", "torch": "b"}, {"pair": "1..5"}, [1] * 40,
    ["N"] * 12, [None, "a", 1.5, True], {"N": {"batch": 10**12}}, list(range(300)),
)  # fmt: skip
"""What is put in the place of a value."""


def mutate(text: str, random: Random) -> bytes:
    """The text with one to four changes. JSON and YAML are both changed as data at times."""
    for _ in range(random.choice((1, 1, 1, 2, 4))):
        change = random.choice((*_CHANGES_OF_TEXT, *[_change_data] * len(_CHANGES_OF_TEXT)))
        text = change(text, random)[:400_000]
    raw = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.03 and raw:
        place = random.randrange(len(raw))
        raw = raw[:place] + bytes([random.randrange(256)]) + raw[place + 1 :]
    return raw


def _change_data(text: str, random: Random) -> str:
    """One value, key or branch of the data is another; a text that holds none, or too odd ones, gets a token."""
    is_json = text.lstrip().startswith(("{", "["))
    try:
        data = json.loads(text) if is_json else yaml.load(text, yaml.CSafeLoader)
        changed = _changed_data(data, random)
        return json.dumps(changed) if is_json else str(yaml.dump(changed, Dumper=yaml.CSafeDumper, sort_keys=False))
    except (ValueError, TypeError, LookupError, RecursionError, yaml.YAMLError):
        return _insert_token(text, random)


def _changed_data(data: Any, random: Random) -> Any:
    data = copy.deepcopy(data)
    places = _places(data)
    path = random.choice(places)
    if not path:
        return random.choice(VALUES)
    parent = _at(data, path[:-1])
    change = random.randrange(6)
    if change == 0:
        del parent[path[-1]]
    elif change == 1 and isinstance(parent, dict):
        value = parent.pop(path[-1])
        parent[random.choice([*(key for key in VALUES if isinstance(key, str)), *_keys(data)])] = value
    elif change == 2:
        parent[path[-1]] = copy.deepcopy(_at(data, random.choice(places)))
    elif change == 3:
        parent[path[-1]] = random.choice(([parent[path[-1]]], {"a": parent[path[-1]]}, str(parent[path[-1]])[:2000]))
    else:
        parent[path[-1]] = copy.deepcopy(random.choice(VALUES))
    return data


def _places(data: Any, path: Path = ()) -> list[Path]:
    entries = data.items() if isinstance(data, dict) else enumerate(data) if isinstance(data, list) else ()
    return [path, *(place for key, value in entries for place in _places(value, (*path, key)))]


def _at(data: Any, path: Path) -> Any:
    for step in path:
        data = data[step]
    return data


def _keys(data: Any) -> list[Any]:
    return [path[-1] for path in _places(data) if path and isinstance(path[-1], str)]


def _insert_token(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] + random.choice(TOKENS) + text[place:]


def _replace_word(text: str, random: Random) -> str:
    words = text.split(" ")
    words[random.randrange(len(words))] = random.choice(TOKENS)
    return " ".join(words)


def _delete_span(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    return text[:place] + text[place + random.choice((1, 2, 10, 100)) :]


def _repeat_span(text: str, random: Random) -> str:
    place = random.randint(0, len(text))
    span = text[place : place + random.choice((1, 5, 50, 500))]
    return text[:place] + span * random.choice((2, 3, 200, 3000)) + text[place:]


def _move_span(text: str, random: Random) -> str:
    place, other = random.randint(0, len(text)), random.randint(0, len(text))
    span = text[place : place + random.choice((5, 50, 500))]
    rest = text[:place] + text[place + len(span) :]
    return rest[:other] + span + rest[other:]


def _cut_off(text: str, random: Random) -> str:
    return text[: random.randint(0, len(text))]


def _indent_line(text: str, random: Random) -> str:
    lines = text.split("\n")
    index = random.randrange(len(lines))
    lines[index] = random.choice((" ", "    ", "\t")) + lines[index] if random.random() < 0.5 else lines[index].lstrip()
    return "\n".join(lines)


_CHANGES_OF_TEXT: Final[tuple[Callable[[str, Random], str], ...]] = (
    _insert_token,
    _replace_word,
    _delete_span,
    _repeat_span,
    _move_span,
    _cut_off,
    _indent_line,
)
