"""The layout contract: its language, what differs from it, and how few lines say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.golden import LEVELS, Contract, Facts, LayoutRule, load_contract
from harness.golden.contract.merge_lines import Axes, fewest_lines, merge_lines
from harness.suites import DeclarationError

SUITE = "suites/operators/toy.yaml"
SHAPES = ("ordinary", "C = 1", "empty", "kernel = (1,7)")
DTYPES = ("float32", "bfloat16")
TEXT = f"""\
suite: {SUITE}
torch: "2.15"
cases:
  double:
    output[0] but empty: like input
    output[0] of empty: contiguous
    grad:input in float32: channels_last if any of input, grad_output
    grad:input but kernel = (1,7) in bfloat16 at avx512_core: like input
    grad:input of kernel = (1,7) in bfloat16 at avx512_core: contiguous
    grad:input in bfloat16 at sse41, avx2: contiguous
"""


def read(tmp_path: Path, text: str = TEXT) -> Contract:
    """The file in a project."""
    path = tmp_path / "toy.yaml"
    path.write_text(text)
    return load_contract(path, SUITE, "golden/contract/toy.yaml")


def facts(dtype: str, **changes: str) -> dict[tuple[str, str, str], LayoutRule]:
    """What agrees with the file, in every element; `changes` by tensor are for empty tensors."""
    rules = {}
    for shape in SHAPES:
        for level in LEVELS:
            rules["output[0]", shape, level] = LayoutRule.parse("contiguous" if shape == "empty" else "like input")
            gradient = "channels_last if any of input, grad_output"
            if dtype == "bfloat16":
                wide = level == "avx512_core" and shape != SHAPES[3]
                gradient = "like input" if wide else "contiguous"
            rules["grad:input", shape, level] = LayoutRule.parse(gradient)
    return rules | {("output[0]", "empty", level): LayoutRule.parse(rule) for level, rule in changes.items()}


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_agrees_is_silent(tmp_path: Path, dtype: str) -> None:
    """Shapes, dtypes and levels of a line are those it names, and all where it names none."""
    assert read(tmp_path).compare("double", dtype, facts(dtype)) == []


def test_levels_that_this_machine_lacks_are_not_judged(tmp_path: Path) -> None:
    """A line of a level that did not run is neither changed nor unknown."""
    here = {element: rule for element, rule in facts("bfloat16").items() if element[2] == "sse41"}
    assert read(tmp_path).compare("double", "bfloat16", here) == []


def test_a_changed_line_shows_old_and_new(tmp_path: Path) -> None:
    """One sentence for all levels that differ alike, with the line."""
    observed = facts("float32", avx2="like input", avx512_core="like input")
    (message,) = read(tmp_path).compare("double", "float32", observed)
    about = "double: output[0] of empty at avx2, avx512_core in float32"
    changed = "was: contiguous (line 6: output[0] of empty); observed: like input"
    assert message == f"golden/contract/toy.yaml: changed: {about}: {changed}"


@pytest.mark.parametrize("number", range(4, 10))
def test_any_line_that_is_deleted_is_missed(tmp_path: Path, number: int) -> None:
    """No line stands in for another: what nothing is written of is said to have no line."""
    lines = TEXT.splitlines(keepends=True)
    contract = read(tmp_path, "".join(lines[:number] + lines[number + 1 :]))
    (message,) = [text for dtype in DTYPES for text in contract.compare("double", dtype, facts(dtype))][:1]
    assert message.startswith("golden/contract/toy.yaml: no line: double: ")
    assert message.endswith(f"observed: {lines[number].partition(': ')[2].strip()}")


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("output[1]: like input", "unknown line: output[1]: double has no 'output[1]'; did you mean 'output[0]'?"),
        (
            "grad:weight: like weight",
            "unknown line: grad:weight: double has no 'grad:weight'; did you mean 'grad:input'?",
        ),
        ("output[0] of C = 2: like input", "unknown line: output[0] of C = 2: double is not probed with 'C = 2'"),
    ],
)
def test_an_unknown_line_is_named(tmp_path: Path, line: str, message: str) -> None:
    """What the case does not return, or is not probed with, is named with its line."""
    (sentence,) = read(tmp_path, f"{TEXT}    {line}\n").compare("double", "float32", facts("float32"))
    assert sentence.startswith(f"golden/contract/toy.yaml:11: {message}")


def test_an_unknown_exception_is_compared_with_every_shape(tmp_path: Path) -> None:
    """An exception may be a shape of which this tensor has no fact: it may be meant as any that is probed."""
    without = {element: rule for element, rule in facts("float32").items() if element[:2] != ("output[0]", "empty")}
    text = TEXT.replace("output[0] but empty:", "output[0] but emty:").replace(
        "    output[0] of empty: contiguous\n", ""
    )
    (message,) = read(tmp_path, text).compare("double", "float32", without)
    assert message.endswith("unknown line: output[0] but emty: double is not probed with 'emty'; did you mean 'empty'?")


def test_lines_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    """Two lines about the same are a mistake, whatever was observed."""
    (message,) = read(tmp_path, f"{TEXT}    output[0]: contiguous\n").compare("double", "float32", facts("float32"))[:1]
    assert message.startswith("golden/contract/toy.yaml: several lines: double: output[0] of ordinary, C = 1")


def test_a_case_of_which_nothing_is_written_is_not_compared(tmp_path: Path) -> None:
    """That it is missing is said of the suite, once."""
    assert read(tmp_path).compare("triple", "float32", facts("float32")) == []
    assert load_contract(tmp_path / "none.yaml", SUITE, "none").lines("double") == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sse41, avx2:", "sse41, avx3:", "10:5: 'avx3' is not a level of the contract; did you mean 'avx2'?"),
        ("output[0] of empty:", "output[0] of:", "6:5: 'output[0] of' is not '<tensor> [of or but <shapes>]"),
        (SUITE, "suites/models/toy.yaml", "1:8: this is golden data of suites/models/toy.yaml, and suites/operators"),
        ("suite: ", "suit: ", "unknown key 'suit'"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A file that a person has edited wrongly is refused with line and column."""
    assert old in TEXT
    with pytest.raises(DeclarationError) as error:
        read(tmp_path, TEXT.replace(old, new, 1))
    assert message in str(error.value)
    assert str(error.value).startswith("golden/contract/toy.yaml:")


AXES = Axes(SHAPES, DTYPES)


def observe() -> dict[str, Facts]:
    """Both dtypes as the file has them."""
    return {dtype: facts(dtype) for dtype in DTYPES}


def test_facts_collapse_into_the_file_that_they_agree_with(tmp_path: Path) -> None:
    """What is observed is written in as few lines as a person would take, and reads back to the same lines."""
    lines = merge_lines((), observe(), AXES)
    assert {(line.key, line.rule.text) for line in lines} == {
        (line.key, line.rule.text) for line in read(tmp_path).lines("double")
    }


def test_what_was_not_run_is_kept(tmp_path: Path) -> None:
    """An update of one dtype at one level leaves what is written of others; then the whole is as if run at once."""
    before = read(tmp_path).lines("double")
    part = {
        "float32": {element: LayoutRule.parse("channels_last") for element in facts("float32") if element[2] == "avx2"}
    }
    after = merge_lines(before, part, AXES)
    rules = {line.rule.text for line in after if line.covers(("output[0]", "empty", "avx2"), "float32")}
    kept = {line.rule.text for line in after if line.covers(("output[0]", "empty", "avx2"), "bfloat16")}
    assert (rules, kept) == ({"channels_last"}, {"contiguous"})
    again = merge_lines(after, observe(), AXES)
    assert again == merge_lines((), observe(), AXES)


def test_every_element_is_covered_once() -> None:
    """Lines are boxes that do not meet, whatever is known."""
    table = {
        ("output[0]", shape, dtype, level): LayoutRule.parse(str((place + len(dtype) * index) % 3))
        for place, shape in enumerate(SHAPES)
        for dtype in DTYPES
        for index, level in enumerate(LEVELS)
    }
    lines = list(fewest_lines(table, AXES))
    for (tensor, shape, dtype, level), rule in table.items():
        (line,) = [line for line in lines if line.covers((tensor, shape, level), dtype)]
        assert line.rule == rule
