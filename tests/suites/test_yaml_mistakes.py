"""Mistakes in the YAML itself, or in what YAML makes of a word; the exact text of each message."""

from __future__ import annotations

import pickle
from collections.abc import Callable

import pytest
import yaml

from harness.suites import DeclarationError

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
        ("<x>: 1", ["10:5: no key begins with <; '<x>' means nothing here"]),
        ("'<mapping>': {a: 1}", ["10:5: no key begins with <; '<mapping>' means nothing here"]),
        (
            "examples: [{why: a key, '<<': 1}, {why: another, sizes: {'<<': 1}}]",
            [
                "10:29: no key begins with <; '<<' means nothing here",
                "10:62: no key begins with <; '<<' means nothing here",
            ],
        ),
        ("x" * 1001 + ": 1", ["10:5: a key has at most 1000 characters, and this has 1001"]),
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
        ("[1, 2]", "[1, !!int '']", ["5:48: '' is not of the type that its tag '!!int' says; remove the tag"]),
        ("[1, 2]", "[1, !!int '+']", ["5:48: '+' is not of the type that its tag '!!int' says; remove the tag"]),
        ("[1, 2]", "[1, !!float '']", ["5:48: '' is not of the type that its tag '!!float' says; remove the tag"]),
        ("[1, 2]", "[1, !!bool x]", ["5:48: 'x' is not of the type that its tag '!!bool' says; remove the tag"]),
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


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("9223372036854775808", "9223372036854775808"),
        ("-9223372036854775809", "-9223372036854775809"),
        ("0x8000000000000000", "0x8000000000000000"),
        ("0x" + "f" * 4300, "0x" + "f" * 35 + "..."),
        ("9" * 4301, "9" * 37 + "..."),
        ("7" * 9999, "7" * 37 + "..."),
        ("0" + "7" * 4301, "0" + "7" * 36 + "..."),
        ("1" + ":59" * 3000, "1" + ":59" * 12 + "..."),
    ],
    ids=["64 bits", "negative", "hexadecimal", "long hexadecimal", "long", "longer", "octal", "base 60"],
)
@pytest.mark.parametrize("before", ["arguments: {a: ", "examples: [{why: a number, threads: "])
def test_whole_numbers_have_64_bits(wrong: Wrong, before: str, number: str, shown: str) -> None:
    """A number that PyTorch could not take is refused where it stands, however many digits it has."""
    (message,) = wrong(add=f"{before}{number}{'}]' if '[' in before else '}'}")
    assert message == f"10:{len(before) + 5}: the number {shown} has more than 64 bits"


@pytest.mark.parametrize(
    ("new", "expected"),
    [
        ("numerics: {output: exact, ulps: .inf}", "9:37: expected a number, got the number inf"),
        ("numerics: {output: exact, ulps: .nan}", "9:37: expected a number, got the number nan"),
        (
            "numerics: exact\n    examples: [{why: many, threads: 1025}]",
            "10:37: must be at most 1024, got the number 1025",
        ),
        ("numerics: exact\n    examples: [{why: a part, sizes: {p: .nan}}]", "10:41: 'p' is a whole number, not nan"),
    ],
)
def test_numbers_are_finite_where_they_are_counted_with(wrong: Wrong, new: str, expected: str) -> None:
    """A bound of infinitely many ulps would accept anything."""
    assert wrong("numerics: exact", new) == [expected]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("suite: [" + "1, " * 1000 + "1]", "1:3009: a list or mapping has at most 1000 entries"),
        ("suite: [" + "1," * 2_500_000 + "1]", "1:2009: a list or mapping has at most 1000 entries"),
        ("\n".join(f"k{number}: 1" for number in range(1001)), "1001:1: a list or mapping has at most 1000 entries"),
        (("- " + "[" + "1," * 999 + "1]\n") * 50, "50:1902: a file has at most 50000 values; write several files"),
        ("suite: " + "x" * 10_001, "1:8: a text has at most 10000 characters, and this has 10001"),
        ("suite: '" + "x" * 5_000_000 + "'", "1:8: a text has at most 10000 characters, and this has 5000000"),
        ('suite: "a\\0b"', "1:8: no text has the character 0x00; remove it"),
        ('suite: "a\\eb"', "1:8: no text has the character 0x1b; remove it"),
    ],
    ids=["list", "5 MB of a list", "mapping", "values", "text", "5 MB of a text", "null byte", "escape"],
)
def test_a_file_has_limits(mistakes: Mistakes, text: str, expected: str) -> None:
    """What no person writes is refused at the first place that is too much, before it costs time or memory."""
    *others, last = mistakes(text)
    assert last == expected
    assert others in ([], ["1:1: 'cases' is missing; expected a mapping"])


def test_a_file_with_mistakes_everywhere_shows_the_first_hundred(load: Callable[[str], object]) -> None:
    """Whoever has a thousand mistakes has made one of them a thousand times."""
    keys = "".join(f"    unknown{number}: 1\n" for number in range(900))
    with pytest.raises(DeclarationError) as caught:
        load(f"suite: a\ncases:\n  thing:\n{keys}")
    lines = str(caught.value).splitlines()
    assert lines[-1] == "with so many mistakes the rest of the file was not looked at"
    assert lines[98].startswith("suites/s.yaml:102:5: unknown key 'unknown98'; known keys are ")
    assert (len(lines), len(caught.value.mistakes)) == (101, 100)
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - made here
    assert (str(again), again.is_complete) == (str(caught.value), False)


def test_mistakes_of_the_yaml_alone_are_cut_as_well(load: Callable[[str], object]) -> None:
    """All are kept with the error, and the first hundred are printed."""
    with pytest.raises(DeclarationError) as caught:
        load("suite: a\ncases: {" + ", ".join(f"{number}: 1" for number in range(300)) + "}")
    assert str(caught.value).splitlines()[100] == "and 201 more"
    assert len(caught.value.mistakes) == 301
