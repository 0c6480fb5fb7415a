"""A known issue as it is written in its file: the form that all entries there have."""

from __future__ import annotations

import json
import textwrap
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, fields
from pathlib import PurePosixPath
from typing import Any, Final

from harness.core import Example, KnownFault, KnownIssue, Level, Verification
from harness.golden.issues.levels import ALL, phrase_levels
from harness.portable.settings import USUAL
from harness.suites import inline_yaml

_WIDTH: Final = 120
_DEFAULTS: Final = {
    "absent": (),
    "fill": "integers",
    "seed": 0,
    "threads": 1,
    "inplace": False,
    "path": "plain",
    "setting": USUAL,
}
"""What a reproducer does not say."""


def entry_text(fault: KnownFault, stem: str, levels: Sequence[Level]) -> str:
    """The lines of the entry, as a file named ``<stem>.yaml`` has it, from which the same fault is read.

    `levels` are all that are declared: those of a place are said by their order.
    """
    return "\n".join([f"  {fault.id}:", *_fault_lines(fault), *_place_lines(fault, stem, levels), ""])


def verified_text(verified: Verification) -> str:
    """The value of the field `verified`, on one line."""
    return f"{{{', '.join(f'{name}: {quote_text(value)}' for name, value in asdict(verified).items())}}}"


def quote_text(text: str) -> str:
    """The text in double quotes: a release or a date would be a number or a date without them."""
    return json.dumps(text, ensure_ascii=False)


def _fault_lines(fault: KnownFault) -> Iterator[str]:
    oracle, accumulator = _common(fault)
    yield from _field("summary", fault.summary, 4)
    yield f"    severity: {fault.severity}"
    yield f"    oracle: {oracle}"
    if accumulator:
        yield f"    accumulates_in: {accumulator}"
    yield from (f"    {name}: {quote_text(text)}" for name, text in _releases(fault))
    yield from _field("link", fault.link, 4)
    if fault.related:
        yield "    related:"
        yield from (f"      - {thread}" for thread in fault.related)
    if fault.verified:
        yield f"    verified: {verified_text(fault.verified)}"
    yield from _field("reason", fault.reason, 4)
    yield "    where:"


def _releases(fault: KnownFault) -> list[tuple[str, str]]:
    return [(name, text) for name, text in (("since", fault.since), ("fixed", fault.fixed)) if text]


def _common(fault: KnownFault) -> tuple[str, str | None]:
    """The oracle of most of the places; the accumulator of all of them, if it is the same."""
    accumulators = {place.accumulates_in for place in fault.places}
    oracle = Counter(place.oracle for place in fault.places).most_common(1)[0][0]
    return oracle, accumulators.pop() if len(accumulators) == 1 else None


def _place_lines(fault: KnownFault, stem: str, levels: Sequence[Level]) -> Iterator[str]:
    for place in fault.places:
        lines = [*_one_place(place, fault, stem, levels)]
        yield lines[0].replace("        ", "      - ", 1)
        yield from lines[1:]


def _one_place(place: KnownIssue, fault: KnownFault, stem: str, levels: Sequence[Level]) -> Iterator[str]:
    oracle, accumulator = _common(fault)
    yield from _field("cases", [_short_case(case, stem) for case in place.cases], 8)
    yield from _field("dtypes", [*place.dtypes], 8)
    phrase = phrase_levels(place.cells, {level.name for level in levels}, levels)
    if phrase != ALL:
        yield f"        levels: {quote_text(phrase) if isinstance(phrase, str) else inline_yaml([*phrase])}"
    if place.tensors != ("*",):
        yield from _field("tensors", [*place.tensors], 8)
    if place.oracle != oracle:
        yield f"        oracle: {place.oracle}"
    if place.accumulates_in != accumulator and place.accumulates_in:
        yield f"        accumulates_in: {place.accumulates_in}"
    yield from (f"        {name}: {quote_text(text)}" for name, text in _own_releases(place, fault))
    if place.when.text != "True":
        yield from _field("when", place.when.text, 8)
    if place.aliases:
        yield from _field("as", {name: meaning.text for name, meaning in place.aliases.items()}, 8)
    if place.note:
        yield from _field("note", place.note, 8)
    yield from _reproducer_lines(_reproducer(place, stem))


def _own_releases(place: KnownIssue, fault: KnownFault) -> Iterator[tuple[str, str]]:
    """What the place says of its releases that the fault does not."""
    bounds = {part.rstrip("0123456789.abrc"): part.lstrip(">=<") for part in place.torch.split(",") if part}
    for name, sign, text in (("since", ">=", fault.since), ("fixed", "<", fault.fixed)):
        if bounds.get(sign, "") != text:
            yield name, bounds[sign]


def _short_case(case: str, stem: str) -> str:
    """A case of the suite of the file's name by its name, one of another suite of operators by that and its name."""
    suite, _, name = case.partition("::")
    path = PurePosixPath(suite)
    if path.parent.as_posix() != "suites/operators":
        return case
    return name if path.stem == stem else f"{path.stem}::{name}"


def _reproducer(place: KnownIssue, stem: str) -> dict[str, Any]:
    """What of the example differs from the place's first case and dtype, and from contiguous integers."""
    example = place.reproducer
    short: dict[str, Any] = {}
    if example.case != place.cases[0]:
        short["case"] = _short_case(example.case, stem)
    if example.dtype != place.dtypes[0]:
        short["dtype"] = example.dtype
    short["sizes"] = _plain(example.sizes)
    if layouts := {name: layout for name, layout in example.layouts.items() if layout != "contiguous"}:
        short["layouts"] = layouts
    names = [field.name for field in fields(Example) if field.name in _DEFAULTS]
    return short | {name: _plain(value) for name in names if (value := getattr(example, name)) != _DEFAULTS[name]}


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    return [_plain(each) for each in value] if isinstance(value, tuple) else value


def _reproducer_lines(reproducer: Mapping[str, Any]) -> Iterator[str]:
    """On one line, or a line for each of its fields; of these a long one stays long."""
    line = f"        reproducer: {inline_yaml(reproducer)}"
    if len(line) <= _WIDTH:
        yield line
        return
    yield "        reproducer:"
    yield from (f"          {name}: {inline_yaml(value)}" for name, value in reproducer.items())


def _field(name: str, value: Any, indentation: int) -> Iterator[str]:
    """A field on one line; a text that is too long for it is folded."""
    margin = " " * indentation
    line = f"{margin}{name}: {inline_yaml(value)}"
    if len(line) <= _WIDTH or not isinstance(value, str):
        yield line
        return
    yield f"{margin}{name}: >-"
    inner = f"{margin}  "
    wrapped = textwrap.wrap(
        value,
        _WIDTH,
        initial_indent=inner,
        subsequent_indent=inner,
        break_long_words=False,
        break_on_hyphens=False,
    )
    yield from wrapped
