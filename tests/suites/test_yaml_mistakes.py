"""Mistakes in the YAML itself, or in what YAML makes of a word; the exact text of each message."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

Wrong = Callable[..., list[str]]
Mistakes = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ["1:1: the file is empty; a suite was expected"]),
        ("# only a comment\n", ["1:1: the file is empty; a suite was expected"]),
        ("suite: a\x00", ["1:9: not text: character 0x00; is this a YAML file?"]),
        ("[1, 2]", ["1:1: expected a mapping with the keys suite, about, defaults, cases, got a list"]),
        ("a: &a [*a]", ["1:4: an alias contains itself; write the value out"]),
    ],
)
def test_a_file_that_cannot_be_read_says_why(mistakes: Mistakes, text: str, expected: list[str]) -> None:
    """A file that is empty, no text, no suite or endless is one message."""
    assert mistakes(text) == expected


@pytest.mark.parametrize(
    ("text", "place", "hint"),
    [
        ("suite: x\n\tcases: 3", "2:1", ""),
        ("a: [1", "2:1", ""),
        ('a: "x', "1:6", ""),
        ("a: b: c", "1:5", ""),
        ("a: *x", "1:4", ""),
        ("--- a\n--- b\n", "2:1", ""),
        ("a: [N, kernel[0]]\n", "1:14", "; an expression with [ ] needs quotes here"),
        ("a: {b: [c\n", "2:1", ""),
    ],
)
def test_what_is_not_yaml_is_placed(mistakes: Mistakes, text: str, place: str, hint: str) -> None:
    """The library's own words, whatever they are, stand between the place and what would help."""
    (message,) = mistakes(text)
    assert message.startswith(f"{place}: not YAML: ")
    assert message.endswith(hint)
    assert len(message) > len(f"{place}: not YAML: {hint}")


@pytest.mark.parametrize("loader", ["CSafeLoader", "SafeLoader"])
@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("[" * 2000 + "]" * 2000, "1:101"),
        ("[" * 2000, "1:101"),
        ("[" * 101 + "]" * 101, "1:101"),
        ("[\n" * 2000, "101:1"),
        ("{a: " * 2000, "1:401"),
        ("- " * 2000 + "x", "1:201"),
        ("".join(f"{' ' * depth}a:\n" for depth in range(2000)), "101:101"),
        ('b: "[["\na: [it\'s, \'[[\', "[\\"[", # é [[[[\n' + "[" * 2000, "3:99"),
        ("a: &a " + "[" * 60 + "]" * 60 + "\nb: " + "[" * 60 + "*a" + "]" * 60, "2:23"),
    ],
    ids=["closed", "open", "one too many", "lines", "mappings", "block lists", "block mappings", "quotes", "aliases"],
)
def test_what_is_nested_too_deeply_is_placed(
    mistakes: Mistakes, monkeypatch: pytest.MonkeyPatch, loader: str, text: str, place: str
) -> None:
    """The words and the place are the same whatever limit the library has, and whichever of its loaders reads."""
    if not hasattr(yaml, loader):
        pytest.skip("PyYAML was built without libyaml")
    monkeypatch.setattr("harness.suites.document._LOADER", getattr(yaml, loader))
    message = "nested too deeply to be read: more than 100 lists and mappings in one another"
    assert mistakes(text) == [f"{place}: {message}"]


def test_what_is_just_not_too_deep_is_read(mistakes: Mistakes) -> None:
    """A hundred lists in one another are looked at like any other value."""
    (message,) = mistakes("[" * 100 + "]" * 100)
    assert message.startswith("1:1: expected a mapping with the keys suite")


def test_an_earlier_mistake_is_reported_before_a_deep_place(mistakes: Mistakes) -> None:
    """What is deep behind the place where reading ends is not looked for."""
    (message,) = mistakes("a: b: c\n" + "[" * 2000)
    assert message.startswith("1:5: not YAML: ")


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("arguments: {a: 1e-5}", ["10:20: '1e-5' is read as text, not as a number; write 1.0e-5"]),
        (
            "arguments: {a: 1E5, b: -2.e3, c: .5e-3}",
            [
                "10:20: '1E5' is read as text, not as a number; write 1.0e+5",
                "10:28: '-2.e3' is read as text, not as a number; write -2.0e+3",
            ],
        ),
        (
            "arguments: {a: 010, b: 08, c: -012}",
            [
                "10:20: '010' is read as octal, that is 8; write 10 or 8",
                "10:28: '08' is read as text, not as a number; write 8",
                "10:35: '-012' is read as octal, that is -10; write -12 or -10",
            ],
        ),
        (
            "arguments: {a: yes, b: No, c: on, d: OFF}",
            [
                "10:20: 'yes' is read as true; write true, or 'yes' in quotes if text is meant",
                "10:28: 'No' is read as false; write false, or 'No' in quotes if text is meant",
                "10:35: 'on' is read as true; write true, or 'on' in quotes if text is meant",
                "10:42: 'OFF' is read as false; write false, or 'OFF' in quotes if text is meant",
            ],
        ),
        ("arguments: {a: 1:30}", ["10:20: '1:30' is read as 90, in base 60; write '1:30' in quotes if text is meant"]),
        (
            "arguments: {a: 2024-01-01}",
            ["10:20: '2024-01-01' is read as a date; write '2024-01-01' in quotes if text is meant"],
        ),
        ("inplace: no", ["10:14: 'no' is read as false; write false, or 'no' in quotes if text is meant"]),
        (
            "arguments: {mode: {text: off}}",
            ["10:30: 'off' is read as false; write false, or 'off' in quotes if text is meant"],
        ),
    ],
)
def test_a_word_that_yaml_reads_otherwise_is_named(wrong: Wrong, added: str, expected: list[str]) -> None:
    """Exponents without a point, octal, base 60, dates and words for true and false are met with what to write."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        ("numerics: exact", ["10:5: 'numerics' is given twice; the first is on line 9"]),
        (
            "arguments: {1: a, no: b, [c]: d, 1e5: e, 2024-01-01: f}",
            [
                "10:17: the key 1 is not read as text; write '1' in quotes",
                "10:23: the key no is not read as text; write 'no' in quotes",
                "10:30: a key is text, not a list or a mapping; put quotes around it",
                "10:38: the key 1e5 is not read as text; write '1e5' in quotes",
                "10:46: the key 2024-01-01 is not read as text; write '2024-01-01' in quotes",
            ],
        ),
        ("<<: {dtypes: [float32]}", ["10:5: merge keys (<<) are not read here; write the keys out"]),
    ],
)
def test_keys_are_text_and_given_once(wrong: Wrong, added: str, expected: list[str]) -> None:
    """A repeated key, one that is no text, and merge keys are refused."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "torch.thing",
            "!!python/object/apply:os.system x",
            ["4:11: the tag '!!python/object/apply:os.system' is not allowed here; remove it"],
        ),
        ("torch.thing", "!mine x", ["4:11: the tag '!mine' is not allowed here; remove it"]),
        ("[N, C]", "!!python/tuple [N, C]", ["7:22: the tag '!!python/tuple' is not allowed here; remove it"]),
        ("N: batch", "N: !!int abc", ["5:16: 'abc' is not of the type that its tag '!!int' says; remove the tag"]),
        (
            "sizes: {",
            "!!x sizes: {",
            [
                "5:5: the tag '!!x' is not allowed here; remove it",
                "7:23: 'N' is not a size of 'thing'",
                "7:26: 'C' is not a size of 'thing'",
                "8:22: 'C' is not a size of 'thing'",
            ],
        ),
    ],
)
def test_tags_are_not_allowed(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """A tag other than those of plain data is refused, and so is one that does not fit its value."""
    assert wrong(old, new) == expected
