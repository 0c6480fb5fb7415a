"""Mistakes in the form of a suite: keys and types; the exact text of each message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Wrong = Callable[..., list[str]]
Mistakes = Callable[[str], list[str]]
DTYPES = "float32, float64, bfloat16, float16, complex64, complex128, int64, int32, int16, int8, uint8, bool"


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "zzz: 1",
            [
                (
                    "10:5: unknown key 'zzz'; known keys are sizes, depth, unbatched, empty, result, "
                    "require, tensors, positional, arguments, "
                    "numerics, output, inplace, paths, settings, dtypes, unsupported, fills, examples, requires, call, "
                    "module, reference, init, train, state, names"
                )
            ],
        ),
        ("numeric: exact", ["10:5: unknown key 'numeric'; did you mean 'numerics'?"]),
        ("output: {preserve: [input]}", ["10:14: unknown key 'preserve'; did you mean 'preserves'?"]),
        ("arguments: {a: {txt: x}}", ["10:21: unknown key 'txt'; did you mean 'text'?"]),
        (
            "bogus: 1\narguments: {a: Q}",
            [
                (
                    "10:5: unknown key 'bogus'; known keys are sizes, depth, unbatched, empty, result, "
                    "require, tensors, positional, arguments, "
                    "numerics, output, inplace, paths, settings, dtypes, unsupported, fills, examples, requires, call, "
                    "module, reference, init, train, state, names"
                ),
                (
                    "11:20: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel; for the "
                    "text itself write {text: Q}"
                ),
            ],
        ),
    ],
)
def test_an_unknown_key_is_named_with_its_neighbours(wrong: Wrong, added: str, expected: list[str]) -> None:
    """A near miss is suggested; else the known keys are listed."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("call: torch.thing", "cal: torch.thing", ["4:5: unknown key 'cal'; did you mean 'call'?"]),
        ("N: batch", "N: {chanels: 4}", ["5:17: unknown key 'chanels'; did you mean 'channels'?"]),
        ("exact", "{outptu: exact}", ["9:16: unknown key 'outptu'; did you mean 'output'?"]),
    ],
)
def test_a_misspelt_key_is_one_mistake(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """The key that is missing for it is not named as well."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("torch.thing", "[a]", ["4:11: expected text, got a list"]),
        ("torch.thing", "3", ["4:11: expected text, got the number 3"]),
        (
            "torch.thing",
            "",
            ["3:3: 'thing' has no call; write one: call: torch.nn.functional.relu, or module: torch.nn.ReLU"],
        ),
        (
            "N: batch",
            "N: 3",
            [
                (
                    "5:16: expected batch, channels, spatial, a range such as 1..5, a list of choices, or "
                    "a mapping such as {channels: 4} or {pair: 1..5}, got the number 3"
                )
            ],
        ),
        ("[N, C]", "[N, true]", ["7:26: expected a whole number or an expression over the sizes, got true"]),
        (
            "[N, C]",
            "N",
            [("7:22: expected a list of a whole number or an expression over the sizes, got the text 'N'")],
        ),
        ("[N, C]", "[N, 1.5]", ["7:26: expected a whole number or an expression over the sizes, got the number 1.5"]),
        ("[N, C]", "[N, {}]", ["7:26: expected a whole number or an expression over the sizes, got an empty mapping"]),
        ("optional: true", "optional: 1", ["8:36: expected true or false, got the number 1"]),
        (
            "[1, 2]",
            "[]",
            [
                (
                    "5:44: must not be empty; expected batch, channels, spatial, a range such as 1..5, a "
                    "list of choices, or a mapping such as {channels: 4} or {pair: 1..5}"
                )
            ],
        ),
        (
            "[1, 2]",
            "[1, {a: 1}]",
            ["5:48: expected a number, a text, true, false, null, or a list of these, got a mapping"],
        ),
        (
            "exact",
            "5",
            [
                (
                    "9:15: expected exact, multilinear, elementwise, normwise, resampling, or a mapping such as "
                    "{output: exact, terms: 9}, got the number 5"
                )
            ],
        ),
        ("exact", "{output: exact, ulps: 0}", ["9:37: must be more than 0.0, got the number 0"]),
        (
            "{shape: [C], ",
            "{",
            [("8:7: 'shape' is missing; expected a list of a whole number or an expression over the sizes")],
        ),
    ],
)
def test_a_wrong_type_says_what_was_expected(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """The message has, in plain words, what was expected and what was there."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "dtypes: [float31]",
            [(f"10:14: expected one of {DTYPES}, got the text 'float31'; did you mean 'float32'?")],
        ),
        ("dtypes: []", [f"10:13: must not be empty; expected a list of one of {DTYPES}"]),
        (
            "dtypes: float32",
            [f"10:13: expected a list of one of {DTYPES}, got the text 'float32'"],
        ),
        ("dtypes: [float32, float32]", ["10:23: 'float32' is given twice; remove one"]),
        ("unsupported: [int8, int8]", ["10:25: 'int8' is given twice; remove one"]),
        (
            "dtypes: [float32, int8]\nunsupported: [int8]",
            ["11:19: 'int8' is among the dtypes that are run; remove one"],
        ),
        (
            "unsupported: [float32, float64, bfloat16, float16]",
            ["10:18: no dtype is left to run; at least one must be supported"],
        ),
        (
            "fills: [integer]",
            [
                (
                    "10:13: expected one of integers, reals, offset, wide, ones, special, ends, got the text "
                    "'integer'; did you mean 'integers'?"
                )
            ],
        ),
        ("paths: [vmap, vmap]", ["10:19: 'vmap' is given twice; remove one"]),
        (
            "paths: [vmpa]",
            [
                (
                    "10:13: expected one of no_grad, inference_mode, autocast, out, vmap, vmap_last, vmap_one, "
                    "per_sample, double_backward, jvp, meta, compile, cached, got the text 'vmpa'; did you mean 'vmap'?"
                )
            ],
        ),
        ("fills: [reals, reals]", ["10:20: 'reals' is given twice; remove one"]),
        (
            "output: preserve",
            [
                (
                    "10:13: expected one of preserves, contiguous, channels_last, unspecified, got the text "
                    "'preserve'; did you mean 'preserves'?"
                )
            ],
        ),
        ("output: {shared: [inptu]}", ["10:23: 'inptu' is not a tensor of 'thing'; did you mean 'input'?"]),
        ("output: {}", ["10:13: give one of {preserves: [...]} and {shared: [...]}"]),
        (
            "output: {shared: [input], preserves: [bias]}",
            ["10:13: give one of {preserves: [...]} and {shared: [...]}"],
        ),
        ("output: {preserves: []}", ["10:25: must not be empty; expected a list of text"]),
        ("output: {preserves: [inptu]}", ["10:26: 'inptu' is not a tensor of 'thing'; did you mean 'input'?"]),
        (
            "output: [input]",
            [
                (
                    "10:13: expected preserves, contiguous, channels_last, unspecified, {preserves: [input]}, or "
                    "{shared: [first, second]}, got a list"
                )
            ],
        ),
        ("require: N > 1", ["10:14: expected a list of text, got the text 'N > 1'"]),
        ("inplace: 3", ["10:14: expected text, got the number 3"]),
        (
            'inplace: "a b"',
            [("10:14: 'a b' is neither a keyword, such as inplace, nor a dotted name, such as torch.relu_")],
        ),
        ("reference: thing", ["10:16: 'thing' is not a dotted name, such as torch.nn.functional.conv2d"]),
        (
            "reference: torch.thing",
            [
                (
                    "10:16: 'torch.thing' is what is called; name a function of PyTorch's own operators that gives the "
                    "same"
                )
            ],
        ),
    ],
)
def test_a_word_that_is_not_offered_is_met_with_those_that_are(wrong: Wrong, added: str, expected: list[str]) -> None:
    """A dtype, fill, path or output that does not exist is met with the list, and an empty list is refused."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "layout: channels_last",
            "layout: channel_last",
            [
                (
                    "7:38: expected one of contiguous, channels_last, got the text 'channel_last'; did you "
                    "mean 'channels_last'?"
                )
            ],
        ),
        (
            "optional: true",
            "dtype: float8",
            [
                f"8:33: expected one of {DTYPES}, got the text 'float8'; did you mean 'float64'?",
            ],
        ),
        (
            "exact",
            "exactt",
            [
                (
                    "9:15: expected one of exact, multilinear, elementwise, normwise, resampling, got the text "
                    "'exactt'; did you mean 'exact'?"
                )
            ],
        ),
        (
            "exact",
            "{output: exakt}",
            [
                (
                    "9:24: expected one of exact, multilinear, selection, elementwise, normwise, resampling, "
                    "unspecified, got the text 'exakt'; did you mean 'exact'?"
                )
            ],
        ),
        (
            "exact",
            '{output: exact, each: {"grad:bais": {rule: selection}}}',
            [("9:38: 'grad:bais' is not an output, a gradient or a buffer of 'thing'; did you mean 'grad:bias'?")],
        ),
        (
            "exact",
            "{output: exact, magnitude: onne}",
            ["9:42: expected one of none, input, one, both, channels, got the text 'onne'; did you mean 'one'?"],
        ),
        (
            "exact",
            "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
            [
                (
                    "9:15: expected one of exact, multilinear, elementwise, normwise, resampling, got the text "
                    "'xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...'"
                )
            ],
        ),
    ],
)
def test_a_wrong_word_in_a_case_is_met_with_the_right_ones(
    wrong: Wrong, old: str, new: str, expected: list[str]
) -> None:
    """A wrong format, dtype or rule is met with the words that may stand there."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{}", ["1:1: 'cases' is missing; expected a mapping", "1:1: 'suite' is missing; expected text"]),
        ("suite: x", ["1:1: 'cases' is missing; expected a mapping"]),
        ("suite: x\ncases: {}", ["2:8: must not be empty; expected a mapping"]),
        ("suite: x\ncases: 3", ["2:8: expected a mapping, got the number 3"]),
        (
            "suite: x\ncases: {a: 3}",
            [
                (
                    "2:12: expected a mapping with the keys sizes, depth, unbatched, empty, result, "
                    "require, tensors, positional, arguments, "
                    "numerics, output, inplace, paths, settings, dtypes, unsupported, fills, examples, requires, call, "
                    "module, reference, init, train, state, names, got the number 3"
                )
            ],
        ),
        (
            'suite: ""\ncases: {}',
            ["1:8: must have at least 1 characters, got the text ''", "2:8: must not be empty; expected a mapping"],
        ),
        (
            "suite: no\nabout: 3\ncases: {a: {call: 3}}",
            [
                "1:8: 'no' is read as false; write false, or 'no' in quotes if text is meant",
                "2:8: expected text, got the number 3",
                (
                    "3:9: 'a' has no numerics; write exact, multilinear, elementwise, normwise or resampling, here or "
                    "in defaults"
                ),
                "3:9: 'a' has no tensors; it needs at least one",
                "3:19: expected text, got the number 3",
            ],
        ),
    ],
)
def test_a_suite_needs_a_name_and_cases(mistakes: Mistakes, text: str, expected: list[str]) -> None:
    """A suite without a name and without cases is two mistakes, reported at once."""
    assert mistakes(text) == expected
