"""What a well-written suite file becomes."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.core import Expression, Numerics, Size
from harness.portable.dtypes import FLOATING
from harness.suites import DeclarationError, Suite, load_suite

Load = Callable[[str], Suite]


def test_an_output_may_be_channels_last_whatever_comes_in(plain: str, load: Load) -> None:
    """An output that is always channels-last is no promise to preserve a format."""
    assert load(f"{plain}    output: channels_last\n").cases[0].channels_last
    assert not load(f"{plain}    output: preserves\n").cases[0].channels_last


@pytest.mark.parametrize(
    ("written", "rules"),
    [
        ("{output: unspecified}", ("unspecified", "unspecified", False)),
        ("{output: exact, constant: true}", ("exact", "selection", True)),
    ],
)
def test_values_may_be_free_or_constant(plain: str, load: Load, written: str, rules: tuple[str, str, bool]) -> None:
    """Outputs may have no rule for their values, or be one number throughout."""
    numerics = load(plain.replace("numerics: exact", f"numerics: {written}")).cases[0].numerics
    assert (numerics.output, numerics.gradient, numerics.constant) == rules


def test_a_case_is_identified_by_its_file_below_the_root_and_its_name(plain: str, load: Load) -> None:
    """The id is the posix path relative to the root, two colons and the name."""
    suite = load(plain)
    assert (suite.name, suite.about) == ("things", "")
    assert [(case.id, case.line, case.suite) for case in suite.cases] == [("suites/s.yaml::thing", 3, "things")]


def test_a_file_outside_the_root_keeps_the_path_it_was_given(plain: str, tmp_path: Path) -> None:
    """The ids of a file elsewhere begin with its path as it was given."""
    path = tmp_path / "s.yaml"
    path.write_text(plain)
    assert load_suite(path, tmp_path / "elsewhere").cases[0].id == f"{path.as_posix()}::thing"


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("batch", Size("x", "batch")),
        ("{channels: 4}", Size("x", "channels", low=Expression.parse(4))),
        ('{spatial: "a + 1"}', Size("x", "spatial", low=Expression.parse("a + 1"))),
        ("{batch: empty}", Size("x", "batch", empty=True)),
        ("[1, null, reflect, [2, 3]]", Size("x", "choice", (1, None, "reflect", (2, 3)))),
        ("0..a", Size("x", "range", low=Expression.parse("0"), high=Expression.parse("a"))),
        ("{pair: 1..5}", Size("x", "range", low=Expression.parse("1"), high=Expression.parse("5"), length=2)),
        ("{triple: {spatial: empty}}", Size("x", "spatial", length=3, empty=True)),
        ("{pair: [1, 2]}", Size("x", "choice", (1, 2), length=2)),
    ],
)
def test_a_size_is_drawn_as_it_is_written(plain: str, load: Load, written: str, size: Size) -> None:
    """Each way of writing a size gives its kind, its bounds and its length."""
    case = load(plain.replace("{N: batch,", f"{{a: batch, x: {written}, N: batch,")).cases[0]
    assert case.sizes[1] == size


@pytest.mark.parametrize(
    ("written", "numerics"),
    [
        ("exact", Numerics("exact", "selection")),
        ("multilinear", Numerics("multilinear", "multilinear")),
        ("elementwise", Numerics("elementwise", "elementwise")),
        ("{output: exact}", Numerics("exact", "selection")),
        (
            "{output: elementwise, gradient: multilinear, ulps: 2, magnitude: one, terms: N*3}",
            Numerics("elementwise", "multilinear", Expression.parse("N*3"), 2, "one"),
        ),
        ("normwise", Numerics("normwise", "normwise")),
        (
            '{output: normwise, each: {"grad:bias": {rule: multilinear, terms: N}, "output[1]": exact}}',
            Numerics(
                "normwise",
                "normwise",
                each={
                    "grad:bias": Numerics("multilinear", "multilinear", Expression.parse("N")),
                    "output[1]": Numerics("exact", "exact"),
                },
            ),
        ),
    ],
)
def test_numerics_have_a_shorthand(plain: str, load: Load, written: str, numerics: Numerics) -> None:
    """One word stands for the rule of the outputs and of the gradients."""
    assert load(plain.replace("exact", written)).cases[0].numerics == numerics


@pytest.mark.parametrize(
    ("written", "preserves"),
    [
        ("preserves", ("input",)),
        ("{preserves: [input, bias]}", ("input", "bias")),
        ("contiguous", None),
        ("unspecified", ()),
        ("channels_last", ()),
    ],
)
def test_output_says_whose_format_is_handed_on(
    plain: str, load: Load, written: str, preserves: tuple[str, ...] | None
) -> None:
    """`preserves` alone means the first tensor."""
    case = load(f"{plain}    output: {{shared: [input, bias]}}\n").cases[0]
    assert (case.preserves, case.shared) == (("input", "bias"), True)
    assert load(f"{plain}    output: {written}\n").cases[0].preserves == preserves


def test_arguments_are_expressions_literals_and_tuples(plain: str, load: Load) -> None:
    """Text is an expression unless it is marked as text; lists become tuples."""
    written = '{a: N, b: 2, c: null, d: true, e: 1.0e-5, f: ["C//2", [3]], g: {text: reflect}}'
    assert load(f"{plain}    arguments: {written}\n").cases[0].arguments == {
        "a": Expression.parse("N"),
        "b": 2,
        "c": None,
        "d": True,
        "e": 1e-5,
        "f": (Expression.parse("C//2"), (3,)),
        "g": "reflect",
    }


def test_tensors_keep_their_order_and_their_marks(plain: str, load: Load) -> None:
    """Shape, format, optional, gradient and dtype come from the file."""
    text = plain.replace("optional: true", "optional: true, grad: false, dtype: int64")
    first, second = load(text).cases[0].tensors
    assert (first.name, first.channels_last, first.optional, first.grad, first.dtype) == (
        "input",
        True,
        False,
        True,
        None,
    )
    assert (second.name, second.channels_last, second.optional, second.grad, second.dtype) == (
        "bias",
        False,
        True,
        False,
        "int64",
    )
    assert load(text).cases[0].tensor("input").shape == (Expression.parse("N"), Expression.parse("C"))


def test_what_is_left_out_has_defaults(plain: str, load: Load) -> None:
    """A case that says nothing of them has the usual dtypes, integers and reals, free strides and no in-place form."""
    case = load(plain).cases[0]
    assert (case.dtypes, case.fills, case.preserves, case.inplace, case.reference, case.require) == (
        tuple(FLOATING),
        ("integers", "reals"),
        (),
        None,
        None,
        (),
    )
    assert case.examples == ()


def test_a_suite_s_defaults_hold_where_a_case_is_silent(plain: str, load: Load) -> None:
    """A case overrides the defaults key by key."""
    text = plain.replace("cases:", "defaults: {output: preserves, numerics: multilinear, dtypes: [float32]}\ncases:")
    case = load(f"{text}    dtypes: [float64]\n").cases[0]
    assert (case.preserves, case.numerics.output, case.dtypes) == (("input",), "exact", ("float64",))


def test_a_family_gives_one_case_for_each_name(plain: str, load: Load) -> None:
    """The name replaces its placeholder in what is called, and what for reference; its line is that of the name."""
    text = plain.replace("torch.thing", "mine.{name}") + "    inplace: mine.{name}_\n    reference: torch.{name}\n"
    cases = load(text + "    names:\n      - relu\n      - relu6\n").cases
    assert [(case.id, case.call, case.inplace, case.reference, case.line) for case in cases] == [
        ("suites/s.yaml::relu", "mine.relu", "mine.relu_", "torch.relu", 13),
        ("suites/s.yaml::relu6", "mine.relu6", "mine.relu6_", "torch.relu6", 14),
    ]


def test_a_declared_example_is_taken_over(plain: str, load: Load) -> None:
    """What an example fixes comes as it is written, with lists as tuples."""
    example = (
        "{why: it broke, sizes: {C: 1, groups: 2, kernel: [1, 5], p: 0}, absent: [bias], fill: ones, threads: 1, "
        'inplace: true, layouts: {input: "channels_last:slice_c", grad_output: contiguous}}'
    )
    [declared] = load(f"{plain}    inplace: inplace\n    examples: [{example}]\n").cases[0].examples
    assert declared.sizes == {"C": 1, "groups": 2, "kernel": (1, 5), "p": 0}
    assert declared.layouts == {"input": "channels_last:slice_c", "grad_output": "contiguous"}
    assert (declared.why, declared.absent, declared.fill, declared.threads, declared.inplace) == (
        "it broke",
        ("bias",),
        "ones",
        1,
        True,
    )


def test_an_example_s_size_may_depend_on_sizes_beside_it(plain: str, load: Load) -> None:
    """A bound is checked where the example gives all that it uses, and left to generation where it does not."""
    text = plain.replace("p: 0..2", "p: -1..C//groups, q: {spatial: 4//p}")
    examples = (
        "[{why: within, sizes: {C: 4, groups: 1, p: 4}}, {why: open, sizes: {p: 9}}, {why: nothing to "
        "divide by, sizes: {p: 0, q: 1}}]"
    )
    assert len(load(f"{text}    examples: {examples}\n").cases[0].examples) == 3


def test_a_requirement_may_exclude_the_simplest_sizes(plain: str, load: Load) -> None:
    """A division that only the excluded values would make fail is no mistake."""
    text = plain.replace("[N, C]", '[N, "C//p"]')
    assert load(f'{text}    require: ["p > 0"]\n').cases[0].require == (Expression.parse("p > 0"),)


def test_plain_aliases_are_read(plain: str, load: Load) -> None:
    """An anchor stands for its value wherever its alias is."""
    text = plain.replace("[N, C]", "&shape [N, C]").replace("[C]", "*shape")
    assert load(text).cases[0].tensors[1].shape == load(text).cases[0].tensors[0].shape


def test_a_byte_order_mark_is_no_content(plain: str, tmp_path: Path) -> None:
    """A file that begins with a byte order mark is read like any other."""
    path = tmp_path / "s.yaml"
    path.write_text(plain, encoding="utf-8-sig")
    assert load_suite(path, tmp_path).name == "things"


def test_a_declaration_error_survives_a_process_boundary(load: Load) -> None:
    """The error is pickled with its mistakes, as xdist's workers need."""
    with pytest.raises(DeclarationError) as caught:
        load("suite: x")
    again = pickle.loads(pickle.dumps(caught.value))  # noqa: S301 - our own bytes
    assert (again.mistakes, str(again)) == (caught.value.mistakes, str(caught.value))


def test_unsupported_dtypes_are_tried_and_not_run(plain: str, load: Load) -> None:
    """They are taken from the dtypes of the defaults, or from the usual four, and follow them."""
    case = load(f"{plain}    unsupported: [float16, int8]\n").cases[0]
    assert (case.dtypes, case.unsupported) == (("float32", "float64", "bfloat16"), ("float16", "int8"))
    assert case.every_dtype == ("float32", "float64", "bfloat16", "float16", "int8")
    text = plain.replace("cases:", "defaults: {dtypes: [float32, int8]}\ncases:")
    assert load(f"{text}    unsupported: [int8]\n").cases[0].every_dtype == ("float32", "int8")


def test_paths_depend_on_the_dtype(plain: str, load: Load) -> None:
    """Autocast starts from float32 and bfloat16; what has no derivative has no tangent."""
    text = f"{plain}    paths: [no_grad, autocast, jvp]\n    dtypes: [float32, float16, bfloat16, int8]\n"
    case = load(text).cases[0]
    assert case.paths == ("no_grad", "autocast", "jvp")
    assert case.paths_in("float32") == ("plain", "no_grad", "autocast", "jvp")
    assert case.paths_in("bfloat16") == ("plain", "no_grad", "autocast", "jvp")
    assert case.paths_in("float16") == ("plain", "no_grad", "jvp")
    assert case.paths_in("int8") == ("plain", "no_grad")
    assert load(plain).cases[0].paths_in("float32") == ("plain",)
