"""Mistakes in cases, families and declared examples; the exact text of each message."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Wrong = Callable[..., list[str]]
Mistakes = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("torch.thing", "thing", ["4:11: 'thing' is not a dotted name, such as torch.nn.functional.conv2d"]),
        (
            "torch.thing",
            "torch.th ing",
            ["4:11: 'torch.th ing' is not a dotted name, such as torch.nn.functional.conv2d"],
        ),
        (
            "torch.thing",
            "torch.{name}",
            ["4:11: '{name}' stands for the names of a family; add names: [...], or write the name"],
        ),
        ("thing:", "bad name:", ["3:3: 'bad name' is not a name for a case; use letters, digits, _, . and -"]),
        (
            "    numerics: exact\n",
            "",
            [
                (
                    "3:3: 'thing' has no numerics; write exact, multilinear, elementwise, normwise or resampling, "
                    "here or in defaults"
                )
            ],
        ),
        (
            (
                "    tensors:\n      input: {shape: [N, C], layout: channels_last}\n      bias: {shape: "
                "[C], optional: true}\n"
            ),
            "    tensors: {}\n",
            ["3:3: 'thing' has no tensors; it needs at least one"],
        ),
    ],
)
def test_a_call_is_a_dotted_name(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """A call that is no dotted name, and a case without what it needs, are reported without a worker."""
    assert wrong(old, new) == expected


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "names: [a, b]",
            [("4:11: a family with names: needs '{name}' in its call, such as torch.nn.functional.{name}")],
        ),
        ("names: []", ["10:12: must not be empty; expected a list of text"]),
    ],
)
def test_a_family_needs_its_placeholder(wrong: Wrong, added: str, expected: list[str]) -> None:
    """`names` without it would test one callable twice."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "examples: [{why: it broke, sizes: {Z: 1}}]",
            ["10:40: 'Z' is not a size of 'thing'; its sizes are N, C, groups, p, kernel"],
        ),
        ("examples: [{why: it broke, sizes: {groups: 3}}]", ["10:48: 'groups' is never 3; its choices are 1, 2"]),
        ("examples: [{why: it broke, sizes: {groups: 1.0}}]", ["10:48: 'groups' is never 1.0; its choices are 1, 2"]),
        ("examples: [{why: it broke, sizes: {groups: true}}]", ["10:48: 'groups' is never true; its choices are 1, 2"]),
        ("examples: [{why: it broke, sizes: {groups: null}}]", ["10:48: 'groups' is never null; its choices are 1, 2"]),
        ("examples: [{why: it broke, sizes: {kernel: 1}}]", ["10:48: 'kernel' is a pair such as [1, 1], not 1"]),
        ("examples: [{why: it broke, sizes: {kernel: [1]}}]", ["10:48: 'kernel' is a pair such as [1, 1], not [1]"]),
        ("examples: [{why: it broke, sizes: {kernel: [1, 9]}}]", ["10:48: 'kernel' is never 9; it is at most 5"]),
        ("examples: [{why: it broke, sizes: {N: 0}}]", ["10:43: 'N' is never 0; it is at least 1"]),
        ("examples: [{why: it broke, sizes: {N: [1]}}]", ["10:43: 'N' is a whole number, not [1]"]),
        ("examples: [{why: it broke, sizes: {N: a}}]", ["10:43: 'N' is a whole number, not 'a'"]),
        ("examples: [{why: it broke, sizes: {p: -1}}]", ["10:43: 'p' is never -1; it is at least 0"]),
        ("examples: [{why: it broke, sizes: {p: 3}}]", ["10:43: 'p' is never 3; it is at most 2"]),
        (
            "examples: [{why: it broke, sizes: {p: {}}}]",
            [("10:43: expected a number, a text, true, false, null, or a list of these, got an empty mapping")],
        ),
    ],
)
def test_an_example_s_sizes_must_be_drawable(wrong: Wrong, added: str, expected: list[str]) -> None:
    """A value that the case can never draw for a size is a mistake of the example."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "examples: [{why: it broke, layouts: {inptu: contiguous}}]",
            ["10:42: 'inptu' is not a tensor of 'thing'; did you mean 'input'?"],
        ),
        (
            "examples: [{why: it broke, layouts: {input: channel_last}}]",
            ["10:49: there is no layout 'channel_last'; did you mean 'channels_last'?"],
        ),
        (
            'examples: [{why: it broke, layouts: {input: "channels_last:slice"}}]',
            ["10:49: there is no layout 'channels_last:slice'; did you mean 'channels_last:slice_w'?"],
        ),
        (
            "examples: [{why: it broke, layouts: {input: foo}}]",
            [("10:49: there is no layout 'foo'; a layout is contiguous or channels_last, or channels_last:slice_c")],
        ),
        (
            'examples: [{why: it broke, layouts: {input: "contiguous:as_contiguous"}}]',
            ["10:49: there is no layout 'contiguous:as_contiguous'; did you mean 'contiguous:step_c'?"],
        ),
        (
            "examples: [{why: it broke, layouts: {bias: channels_last}}]",
            ["10:48: 'bias' is never channels_last here; declare it with layout: channels_last"],
        ),
        (
            "examples: [{why: it broke, layouts: {bias: contiguous}, absent: [bias]}]",
            ["10:42: 'bias' is absent in this example; remove its layout"],
        ),
    ],
)
def test_an_example_s_layouts_must_exist(wrong: Wrong, added: str, expected: list[str]) -> None:
    """The layout of an example is a format, or a view of it, of a tensor that is there."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("added", "expected"),
    [
        (
            "examples: [{why: it broke, absent: [input]}]",
            ["10:41: 'input' cannot be absent; declare it with optional: true, or remove it here"],
        ),
        (
            "examples: [{why: it broke, absent: [bais]}]",
            ["10:41: 'bais' is not a tensor of 'thing'; did you mean 'bias'?"],
        ),
        ("examples: [{why: it broke, absent: bias}]", ["10:40: expected a list of text, got the text 'bias'"]),
        (
            "examples: [{why: it broke, fill: integer}]",
            [
                (
                    "10:38: expected one of integers, reals, offset, wide, ones, special, ends, got the text "
                    "'integer'; did you mean 'integers'?"
                )
            ],
        ),
        ("examples: [{why: it broke, threads: 0}]", ["10:41: must be at least 1, got the number 0"]),
        ("examples: [{why: it broke, threads: 1.5}]", ["10:41: expected a whole number, got the number 1.5"]),
        (
            "examples: [{why: it broke, inplace: true}]",
            ["10:41: 'thing' declares no in-place form; add inplace: to the case, or remove this"],
        ),
        ("examples: [{sizes: {N: 1}}]", ["10:16: 'why' is missing; expected text"]),
        ('examples: [{why: "x"}]', ["10:22: must have at least 3 characters, got the text 'x'"]),
    ],
)
def test_an_example_s_other_choices_must_be_possible(wrong: Wrong, added: str, expected: list[str]) -> None:
    """Absence, fill, threads and the in-place form must be possible, and a reason must be there."""
    assert wrong(add=added) == expected


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (
            "cases:",
            "defaults: {numerics: exct, outpt: 1}\ncases:",
            [
                (
                    "2:22: expected one of exact, multilinear, elementwise, normwise, resampling, got the text "
                    "'exct'; did you mean 'exact'?"
                ),
                "2:28: unknown key 'outpt'; did you mean 'output'?",
            ],
        ),
        (
            "cases:",
            "defaults: 3\ncases:",
            [
                (
                    "2:11: expected a mapping with the keys sizes, depth, unbatched, empty, result, "
                    "require, tensors, positional, arguments, numerics, "
                    "output, inplace, paths, settings, dtypes, unsupported, fills, examples, requires, got the number 3"
                )
            ],
        ),
        (
            "cases:",
            "defaults: {arguments: {a: Q}}\ncases:",
            [
                (
                    "2:27: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel; for the "
                    "text itself write {text: Q}"
                )
            ],
        ),
    ],
)
def test_a_mistake_in_the_defaults_is_placed_there(wrong: Wrong, old: str, new: str, expected: list[str]) -> None:
    """The place and the words of the message are those of the defaults, not of the case."""
    assert wrong(old, new) == expected


def test_a_mistake_in_the_defaults_is_named_once(mistakes: Mistakes, plain: str) -> None:
    """A mistake in the defaults is one message even where every case has it."""
    text = plain.replace("cases:", "defaults: {dtypes: [float32, float32]}\ncases:")
    second = plain.split("\n", 2)[2].replace("thing:", "thing2:")
    assert mistakes(text + second) == ["2:30: 'float32' is given twice; remove one"]


def test_two_cases_of_one_name_are_refused(mistakes: Mistakes, plain: str) -> None:
    """A family's names count like any others; each repetition is placed."""
    family = (
        "  relus:\n    call: torch.{name}\n    names: [thing, b, b]\n    sizes: {N: batch}\n    "
        "tensors: {x: {shape: [N]}}\n    numerics: exact\n"
    )
    assert mistakes(plain + family) == [
        "12:13: a case is already called 'thing', on line 3",
        "12:23: a case is already called 'b', on line 12",
    ]
    earlier = plain.replace("cases:\n", "cases:\n" + family.replace("b, b", "b"))
    assert mistakes(earlier) == ["9:3: a case is already called 'thing', on line 5"]


def test_all_mistakes_of_a_file_come_at_once(mistakes: Mistakes, plain: str) -> None:
    """Mistakes of YAML, of form and of meaning come together, in the order of the file."""
    broken = plain.replace("things", "no").replace("[C]", "[Q]").replace("batch", "bach") + "    zzz: 1\n"
    other = plain.split("\n", 2)[2].replace("thing:", "other:").replace("exact", "exat")
    assert mistakes(broken + other) == [
        "1:8: 'no' is read as false; write false, or 'no' in quotes if text is meant",
        "5:16: 'N' cannot be drawn from 'bach'; did you mean 'batch'?",
        "8:22: 'Q' is not a size of 'thing'; its sizes are N, C, groups, p, kernel",
        (
            "10:5: unknown key 'zzz'; known keys are sizes, depth, unbatched, empty, result, "
            "require, tensors, positional, arguments, "
            "numerics, output, inplace, paths, settings, dtypes, unsupported, fills, examples, requires, call, "
            "module, reference, init, train, state, names"
        ),
        (
            "17:15: expected one of exact, multilinear, elementwise, normwise, resampling, got the text "
            "'exat'; did you mean 'exact'?"
        ),
    ]


@pytest.mark.parametrize(
    ("change", "path", "expected"),
    [
        (("exact", "normwise"), "jvp", "jvp needs outputs that are exact or multilinear, not normwise"),
        (("exact", "normwise"), "double_backward", "a double backward needs multilinear gradients, not normwise"),
        (("optional: true", "buffer: true"), "vmap", "under vmap two copies would write one buffer; remove one"),
        (("optional: true", "buffer: true"), "per_sample", "under vmap two copies would write one buffer; remove one"),
        (("call: torch.thing", "module: torch.Thing"), "out", "a module takes no out=; remove one"),
    ],
)
def test_a_path_that_a_case_cannot_go_is_refused(
    mistakes: Mistakes, plain: str, change: tuple[str, str], path: str, expected: str
) -> None:
    """A path is refused because of how the case is judged, what it writes, or what it is."""
    text = plain.replace(*change)
    assert mistakes(f"{text}    paths: [no_grad, {path}]\n") == [f"10:22: {expected}"]
