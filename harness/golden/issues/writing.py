"""A field of a known issue set in the text of its file, in which every other line stays as it is."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Final

from harness.core import KnownFault, KnownIssue, Level, Verification
from harness.errors import UserError
from harness.golden.issues.entry_text import entry_text, verified_text
from harness.golden.issues.files import KnownIssues

_FAULT_ORDER: Final = ("since", "fixed", "link", "verified", "reason", "where")
"""The order in which fields of a fault stand: a new one goes before the first that is there of those behind it."""

_PLACE_ORDER: Final = ("since", "fixed", "reproducer")
"""The same of a place."""

_KEY: Final = re.compile(r" *(?:- +)?(?P<name>[\w.-]+):(?=\s)")
"""A line that begins with a key, in a list behind the dash of its entry."""

_COMMENT: Final = re.compile(r"\s*(#.*)?$")
"""A line that says nothing."""


def write_verified(path: Path, faults: Iterable[KnownFault], verified: Verification) -> None:
    """Write into the entries of these faults, which are of that file, where all their reproducers failed.

    The file must be as it was when they were read; every other byte of it stays. Raises UserError as `set_fault_field`.
    """
    text = path.read_bytes().decode("utf-8")
    for fault in sorted(faults, key=lambda fault: -fault.line):  # from below: the lines above stay where they are
        text = set_fault_field(text, fault, "verified", verified_text(verified))
    path.write_bytes(text.encode("utf-8"))


def set_fault_field(text: str, fault: KnownFault, field: str, value: str) -> str:
    """The text of the fault's file with this field of the fault as ``field: value``; `value` is YAML on one line.

    The text must be that from which the fault was read. Raises UserError where the entry is not written line by line.
    """
    lines = text.splitlines(keepends=True)
    return _set_field(lines, _block(lines, fault.line - 1)[1:], field, value, _FAULT_ORDER)


def set_place_field(text: str, place: KnownIssue, field: str, value: str) -> str:
    """As `set_fault_field`, of one of the places, which begin with a dash."""
    lines = text.splitlines(keepends=True)
    return _set_field(lines, _block(lines, place.line - 1), field, value, _PLACE_ORDER)


def _set_field(lines: Sequence[str], entry: range, field: str, value: str, order: Sequence[str]) -> str:
    """The lines with the field set in the entry of which these are the indices."""
    matches = {index: _KEY.match(lines[index]) for index in entry if not _COMMENT.match(lines[index])}
    first = next(iter(matches.values()), None)
    column = first.start("name") if first else 0  # of an entry in braces, whose first line begins with no key
    own = {match["name"]: index for index, match in matches.items() if match and match.start("name") == column}
    behind = [own[name] for name in order[order.index(field) :] if first and name in own]
    if not behind:
        raise UserError(f"`{field}: {value}` has no line of its own to go to; write it by hand")
    start, line = behind[0], lines[behind[0]]
    if field in own:
        after = lines[_block(lines, start, column).stop :]
    else:
        after = [" " * column + line[column:], *lines[start + 1 :]]
    ending = "\r\n" if line.endswith("\r\n") else "\n"
    return "".join([*lines[:start], f"{line[:column]}{field}: {value}{ending}", *after])


def _block(lines: Sequence[str], start: int, column: int | None = None) -> range:
    """The indices of a line and of those below that are indented further than a column: the line's own, if None."""
    column = _indentation(lines[start]) if column is None else column
    end = start + 1
    for index in range(start + 1, len(lines)):
        if lines[index].strip() and _indentation(lines[index]) <= column:
            break
        end = index + 1 if lines[index].strip() else end
    return range(start, end)


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip(" "))


def append_entry(path: Path, fault: KnownFault, known_issues: KnownIssues, levels: Sequence[Level]) -> str:
    """Write an entry behind the last of a file, which is made where there is none; the id that it got.

    An id that is taken gets a number. Raises UserError where the file ends with no entry.
    """
    text = path.read_bytes().decode("utf-8") if path.is_file() else "issues:\n"
    text = re.sub(r"^issues: *\{\} *$", "issues:", text, flags=re.MULTILINE)
    taken = {other.id for other in known_issues.faults} | set(re.findall(r"^  ([\w.-]+):", text, re.MULTILINE))
    numbered = (f"{fault.id}-{number}" for number in itertools.count(2))
    name = next(name for name in itertools.chain([fault.id], numbered) if name not in taken)
    separator = "" if text.rstrip().endswith("issues:") else "\n"
    path.parent.mkdir(parents=True, exist_ok=True)
    entry = entry_text(replace(fault, id=name), path.stem, levels)
    path.write_bytes(f"{text.rstrip()}\n{separator}{entry}".encode())
    return name
