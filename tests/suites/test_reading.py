"""Reading any YAML file by any schema: what other rooms build on."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import Field, field_validator
from yaml.nodes import Node

from harness.suites import (
    DeclarationError,
    Items,
    Mistake,
    StrictSchema,
    read_document,
    read_validated,
    suggestion,
    validate,
)

Words = Annotated[str, Field(json_schema_extra={"x-expected": "words of wisdom"})]


class Inner(StrictSchema):
    """A part of the schema below."""

    text: Words
    even: int | None = None

    @field_validator("even")
    @classmethod
    def _must_be_even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("must be even")
        return value


class Outer(StrictSchema):
    """A schema with a union that pydantic tries branch by branch."""

    entries: Items[Inner]
    either: int | str = 0
    special: Inner | None = Field(None, json_schema_extra={"x-expected": "something special"})
    plain: Inner = Field(Inner(text=""), json_schema_extra={"x-expected": "something plain"})


def write_file(tmp_path: Path, content: str | bytes) -> Path:
    """A YAML file with that content."""
    path = tmp_path / "d.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def mistakes_in(path: Path) -> list[str]:
    """The mistakes of a file read by the schema above, one line each, without the file's name."""
    with pytest.raises(DeclarationError) as caught:
        read_validated(path, Outer, "thing")
    return [line.removeprefix(f"{path.as_posix()}:") for line in str(caught.value).splitlines()]


def test_a_schema_comes_with_the_positions_of_its_values(tmp_path: Path) -> None:
    """Values, keys and characters have positions, and what is not in the file has that of its parent."""
    path = write_file(tmp_path, "entries:\n  - {text: one}\n  - text: 'two'\n    even: 2\n")
    values, positions = read_validated(path, Outer, "thing")
    assert [entry.text for entry in values.entries] == ["one", "two"]
    assert positions.at(("entries", 1, "text")) == (3, 11)
    assert positions.at(("entries", 1, "text"), 1) == (3, 13)
    assert positions.at(("entries", 0, "text"), 1) == (2, 13)
    assert positions.key(("entries", 1, "even")) == (4, 5)
    assert positions.at(("entries", 0, "even")) == positions.at(("entries", 0)) == (2, 5)
    assert positions.keys(("entries", 1)) == [(3, 5), (4, 5)]
    assert positions.keys(("entries",)) == []


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("", ["1:1: the file is empty; a thing was expected"]),
        (b"entries: []\neither: a\xff", ["2:10: not UTF-8 text: byte 0xff; save the file as UTF-8"]),
        (b"\x00\x01\x02", ["1:1: not text: character 0x00; is this a YAML file?"]),
        (
            "entries: [{txt: a}, {even: 2}, 3]",
            [
                "1:12: unknown key 'txt'; did you mean 'text'?",
                "1:21: 'text' is missing; expected words of wisdom",
                "1:32: expected a mapping with the keys text, even, got the number 3",
            ],
        ),
        (
            "entries: [{text: 1, even: 3}]",
            [
                "1:18: expected words of wisdom, got the number 1",
                "1:27: must be even",
            ],
        ),
        ("entries: []\neither: [1]", ["2:9: expected a whole number or text, got a list"]),
        ("entries: []\nspecial: 3", ["2:10: expected something special, got the number 3"]),
        ("entries: []\nplain: 3", ["2:8: expected something plain, got the number 3"]),
        (
            "entries: []\nentries: []\nelse: 1",
            [
                "2:1: 'entries' is given twice; the first is on line 1",
                "3:1: unknown key 'else'; known keys are entries, either, special, plain",
            ],
        ),
    ],
)
def test_mistakes_are_placed_in_any_file(tmp_path: Path, content: str | bytes, expected: list[str]) -> None:
    """The words of a message come from the schema, whatever it is of."""
    assert mistakes_in(write_file(tmp_path, content)) == expected


def test_a_missing_file_is_a_mistake(tmp_path: Path) -> None:
    """A missing file is reported at its first line."""
    assert mistakes_in(tmp_path / "none.yaml") == ["1:1: cannot be read: there is no such file"]


def test_a_folder_is_no_file(tmp_path: Path) -> None:
    """What is no regular file is not opened, and named for what it is."""
    assert mistakes_in(tmp_path) == ["1:1: cannot be read: it is a directory, and not a regular file"]


def test_aliases_that_multiply_are_refused(tmp_path: Path) -> None:
    """A few lines of aliases that ask for more values than memory holds are refused."""
    lines = ["a: &a [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"{new}: &{new} [{', '.join([f'*{old}'] * 10)}]" for old, new in zip("abcdefgh", "bcdefghi", strict=True)]
    assert mistakes_in(write_file(tmp_path, "\n".join(lines))) == [
        "5:4: aliases make more than 50000 values of this; write it without aliases"
    ]


def test_a_document_keeps_its_mistakes_until_it_is_validated(tmp_path: Path) -> None:
    """A document with mistakes can be looked at, and raises them when it is validated."""
    path = write_file(tmp_path, "entries: []\neither: 1e5\n")
    document = read_document(path, "thing", name="shown.yaml")
    assert document.data == {"entries": [], "either": 100000.0}
    mistake = Mistake("shown.yaml", 2, 9, "'1e5' is read as text, not as a number; write 1.0e+5")
    assert document.mistakes == (mistake,)
    with pytest.raises(DeclarationError) as caught:
        validate(document, Outer)
    assert caught.value.mistakes == (mistake,)


def test_text_on_several_lines_is_placed_at_its_start(tmp_path: Path) -> None:
    """A place within text of several lines is that of its start."""
    path = write_file(tmp_path, "entries: []\neither: |\n  a\n  b\n")
    _, positions = read_validated(path, Outer, "thing")
    assert positions.at(("either",), 2) == (2, 9)


@pytest.mark.parametrize(
    ("names", "expected"),
    [(["input"], "; did you mean 'input'?"), (["a", "b"], "; known are a, b"), ([], "")],
)
def test_a_suggestion_ends_a_message(names: list[Any], expected: str) -> None:
    """A suggestion is the nearest name, else all of them, else nothing."""
    assert suggestion("inptu", names) == expected


def test_a_file_that_was_read_leaves_nothing_behind(tmp_path: Path) -> None:
    """PyYAML's constructor keeps what it constructs for the whole document; the nodes of a file are let go."""
    path = write_file(tmp_path, "entries: []\neither: 3\n")
    read_validated(path, Outer, "thing")
    before = node_count()
    read_validated(path, Outer, "thing")
    assert node_count() == before


def node_count() -> int:
    """How many nodes of YAML this process holds."""
    gc.collect()
    return sum(issubclass(type(each), Node) for each in gc.get_objects())  # isinstance would ask the object itself
