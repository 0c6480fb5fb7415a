"""The layout contract: its language, what differs from it, and how few lines say the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core import FactChange, FactKind
from harness.golden import LEVELS, Contract, ContractLine, Facts, LayoutRule, load_contract
from harness.golden.contract.merge_lines import Axes, fewest_lines, merge_lines
from harness.suites import DeclarationError

SUITE = "suites/operators/toy.yaml"
SHAPES = ("ordinary", "C = 1", "empty", "kernel = (1,7)")
DTYPES = ("float32", "bfloat16")
HERE, OLD, GAP = "2.15", "2.11", "2.13"
TEXT = f"""\
suite: {SUITE}
verified: ["2.15"]
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


def messages(contract: Contract, dtype: str, observed: Facts, release: str = HERE) -> list[str]:
    """What is said of one case in one dtype."""
    return [difference.message for difference in contract.compare("double", dtype, observed, release)]


@pytest.mark.parametrize("dtype", DTYPES)
def test_what_agrees_is_silent(tmp_path: Path, dtype: str) -> None:
    """Shapes, dtypes and levels of a line are those it names, and all where it names none."""
    assert messages(read(tmp_path), dtype, facts(dtype)) == []


def test_levels_that_this_machine_lacks_are_not_judged(tmp_path: Path) -> None:
    """A line of a level that did not run is neither changed nor unknown."""
    here = {element: rule for element, rule in facts("bfloat16").items() if element[2] == "sse41"}
    assert messages(read(tmp_path), "bfloat16", here) == []


def test_a_changed_line_shows_old_and_new(tmp_path: Path) -> None:
    """One sentence for all levels that differ alike, with the line."""
    observed = facts("float32", avx2="like input", avx512_core="like input")
    (message,) = messages(read(tmp_path), "float32", observed)
    about = "double: output[0] of empty at avx2, avx512_core in float32"
    changed = "was: contiguous (line 6: output[0] of empty); observed: like input"
    assert message == f"golden/contract/toy.yaml: changed: {about}: {changed}"


@pytest.mark.parametrize("number", range(4, 10))
def test_any_line_that_is_deleted_is_missed(tmp_path: Path, number: int) -> None:
    """No line stands in for another: what nothing is written of is said to have no line."""
    lines = TEXT.splitlines(keepends=True)
    contract = read(tmp_path, "".join(lines[:number] + lines[number + 1 :]))
    (message,) = [text for dtype in DTYPES for text in messages(contract, dtype, facts(dtype))][:1]
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
    (sentence,) = messages(read(tmp_path, f"{TEXT}    {line}\n"), "float32", facts("float32"))
    assert sentence.startswith(f"golden/contract/toy.yaml:11: {message}")


def test_an_unknown_exception_is_compared_with_every_shape(tmp_path: Path) -> None:
    """An exception may be a shape of which this tensor has no fact: it may be meant as any that is probed."""
    without = {element: rule for element, rule in facts("float32").items() if element[:2] != ("output[0]", "empty")}
    text = TEXT.replace("output[0] but empty:", "output[0] but emty:").replace(
        "    output[0] of empty: contiguous\n", ""
    )
    (message,) = messages(read(tmp_path, text), "float32", without)
    assert message.endswith("unknown line: output[0] but emty: double is not probed with 'emty'; did you mean 'empty'?")


def test_lines_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    """Two lines about the same are a mistake, whatever was observed."""
    (message,) = messages(read(tmp_path, f"{TEXT}    output[0]: contiguous\n"), "float32", facts("float32"))[:1]
    assert message.startswith("golden/contract/toy.yaml: several lines: double: output[0] of ordinary, C = 1")


def test_a_case_of_which_nothing_is_written_is_not_compared(tmp_path: Path) -> None:
    """That it is missing is said of the suite, once."""
    assert read(tmp_path).compare("triple", "float32", facts("float32"), HERE) == []
    assert load_contract(tmp_path / "none.yaml", SUITE, "none").lines("double") == ()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("sse41, avx2:", "sse41, avx3:", "10:5: 'avx3' is not a level of the contract; did you mean 'avx2'?"),
        ("output[0] of empty:", "output[0] of:", "6:5: 'output[0] of' is not '<tensor> [of or but <shapes>]"),
        (SUITE, "suites/models/toy.yaml", "1:8: this is golden data of suites/models/toy.yaml, and suites/operators"),
        ("suite: ", "suit: ", "unknown key 'suit'"),
        ('"2.15"', '"2.15", "2.15.1"', "2:20: '2.15.1' is not a release of PyTorch such as '2.15'"),
        ("in float32:", "in float32 with torch ~=2.1:", "7:5: 'grad:input in float32 with torch ~=2.1' is not"),
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
    lines = merge_lines((), observe(), AXES, HERE)
    assert {(line.key, line.rule.text) for line in lines} == {
        (line.key, line.rule.text) for line in read(tmp_path).lines("double")
    }


def test_what_was_not_run_is_kept(tmp_path: Path) -> None:
    """An update of one dtype at one level leaves what is written of others; then the whole is as if run at once."""
    before = read(tmp_path).lines("double")
    part = {
        "float32": {element: LayoutRule.parse("channels_last") for element in facts("float32") if element[2] == "avx2"}
    }
    after = merge_lines(before, part, AXES, HERE)
    rules = {line.rule.text for line in after if line.covers(("output[0]", "empty", "avx2"), "float32")}
    kept = {line.rule.text for line in after if line.covers(("output[0]", "empty", "avx2"), "bfloat16")}
    assert (rules, kept) == ({"channels_last"}, {"contiguous"})
    again = merge_lines(after, observe(), AXES, HERE)
    assert again == merge_lines((), observe(), AXES, HERE)


def old_release(**changes: str) -> tuple[ContractLine, ...]:
    """The lines of two releases: the older one, where empty tensors come back otherwise, was observed later."""
    before = merge_lines((), observe(), AXES, HERE)
    return merge_lines(before, {"float32": facts("float32", **changes)}, AXES, OLD, [HERE])


def test_what_is_the_same_in_two_releases_is_written_once() -> None:
    """A release that gives nothing else leaves the lines as they are, and says nothing of a dtype that it lacks."""
    assert old_release() == merge_lines((), observe(), AXES, HERE)


def test_what_a_release_gives_otherwise_has_a_line_with_its_range() -> None:
    """Each of the two is true up to, or from, the release that showed it, and of each release there is one line."""
    lines = old_release(avx2="like input")
    keys = {line.key: line.rule.text for line in lines if line.releases.specifier}
    assert keys == {
        "output[0] of empty in float32 at avx2 with torch <=2.11": "like input",
        "output[0] of empty in float32 at avx2 with torch >=2.15": "contiguous",
    }
    contract = Contract("file", (OLD, HERE), {"double": lines})
    assert contract.releases == [OLD, HERE]
    for release, observed in ((OLD, facts("float32", avx2="like input")), (HERE, facts("float32"))):
        assert messages(contract, "float32", observed, release) == []
        assert messages(contract, "bfloat16", facts("bfloat16"), release) == []


def test_an_update_of_one_release_leaves_the_other() -> None:
    """The newer one, observed again, is as it was; where the two agree again there is one line again."""
    before = old_release(avx2="like input")
    assert merge_lines(before, observe(), AXES, HERE, [OLD]) == before
    again = merge_lines(before, {"float32": facts("float32")}, AXES, OLD, [HERE])
    assert again == merge_lines((), observe(), AXES, HERE)


def test_a_release_that_nobody_observed_is_not_judged(tmp_path: Path) -> None:
    """What differs there is listed, as new where the ranges leave a gap, and is no failure."""
    contract = Contract("file", (OLD, HERE), {"double": old_release(avx2="like input")})
    (gap,) = contract.compare("double", "float32", facts("float32"), GAP)
    assert (gap.fact, gap.change, gap.judged) == (FactKind.LAYOUT, FactChange.NEW, False)
    assert gap.message == "file: no line: double: output[0] of empty at avx2 in float32: observed: contiguous"
    (moved,) = contract.compare("double", "float32", facts("float32"), "2.6")
    assert (moved.change, moved.judged) == (FactChange.MOVED, False)
    unknown = read(tmp_path, f"{TEXT}    output[1]: like input\n")
    (gone,) = unknown.compare("double", "float32", facts("float32"), GAP)
    assert (gone.change, gone.judged) == (FactChange.GONE, False)
    (judged,) = unknown.compare("double", "float32", facts("float32"), HERE)
    assert judged.judged


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
