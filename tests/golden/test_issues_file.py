"""The file of known issues: what is read, and what in it is checked against suites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import KnownIssue, Level, Severity, Verification
from harness.golden import KnownIssues, load_known_issues
from harness.suites import DeclarationError
from tests.trial.toy import CASE

TEXT = f"""\
issues:
  wide:
    summary: double is wrong for wide images
    severity: wrong-values
    oracle: values
    reason: a toy that is wrong for wide images
    link: no thread found
    since: "2.1"
    verified: {{torch: 2.15.0, cpu: a toy, date: "2026-01-31"}}
    where:
      - cases: ["{CASE.id}"]
        dtypes: [float32]
        levels: [low]
        tensors: ["output[0]", "grad:*"]
        when: W > 1 and layout_input == "channels_last"
        reproducer: {{sizes: {{N: 1, C: 1, H: 1, W: 2}}, layouts: {{input: channels_last}}}}
"""
LEVELS = [Level("low", "x86_64", None, "default"), Level("high", "x86_64", None, "default", above=("low",))]


def write_file(tmp_path: Path, text: str, name: str = "issues.yaml") -> Path:
    """The file in a project."""
    path = tmp_path / "golden" / name
    path.parent.mkdir(exist_ok=True, parents=True)
    path.write_text(text)
    return path


def load_text(tmp_path: Path, text: str) -> KnownIssues:
    """The known issues of one file with that text."""
    return load_known_issues([write_file(tmp_path, text)], LEVELS)


def only_place(tmp_path: Path, text: str) -> KnownIssue:
    """The one place of the one fault in that text."""
    (place,) = load_text(tmp_path, text).entries
    return place


def test_an_entry_is_read(tmp_path: Path) -> None:
    """What is said of the fault is true of its place: oracle, reason, releases; condition and reproducer are parsed."""
    known_issues = load_text(tmp_path, TEXT)
    (fault,) = known_issues.faults
    (place,) = fault.places
    assert (fault.id, fault.line, fault.severity, fault.since) == ("wide", 2, Severity.WRONG_VALUES, "2.1")
    assert fault.verified == Verification("2.15.0", "a toy", "2026-01-31")
    assert (place.name, place.line, place.torch, place.cells) == ("wide", 11, ">=2.1", ("low",))
    assert place.when.names == {"W", "layout_input"}
    assert (place.reproducer.case, place.reproducer.dtype, place.reproducer.sizes["W"]) == (CASE.id, "float32", 2)
    known_issues.check({CASE.id: CASE}, tmp_path)


def test_a_fault_has_many_places(tmp_path: Path) -> None:
    """Each place has a name of its own, and may have another oracle, accumulator and first release than the fault."""
    start = TEXT.index("      - cases")
    second = TEXT[start:].replace("levels: [low]", 'oracle: strides\n        since: "2.7"\n        levels: all')
    known_issues = load_text(tmp_path, TEXT + second)
    first, other = known_issues.entries
    assert (first.id, first.name, other.id, other.name) == ("wide", "wide/1", "wide", "wide/2")
    assert (first.oracle, other.oracle, first.torch, other.torch) == ("values", "strides", ">=2.1", ">=2.7")
    assert other.cells == ("low", "high")
    assert known_issues.fault("wide") == known_issues.faults[0]
    assert known_issues.fault("narrow") is None


def test_a_pattern_names_a_family_of_cases(tmp_path: Path) -> None:
    """A case that is added to the family is covered the day it is added; a pattern that matches nothing is refused."""
    family = TEXT.replace(f'cases: ["{CASE.id}"]', f'cases: ["{CASE.id}*"]').replace(
        "{sizes:", f'{{case: "{CASE.id}", sizes:'
    )
    place = only_place(tmp_path, family)
    assert place.is_of(CASE.id, "float32")
    assert place.is_of(CASE.id + "_of_tomorrow", "float32")
    assert not place.is_of(CASE.id, "float64")
    assert not place.is_of("suites/other.yaml::double", "float32")
    load_text(tmp_path, family).check({CASE.id: CASE}, tmp_path)
    with pytest.raises(DeclarationError, match="there is no case"):
        load_text(tmp_path, family.replace("double*", "triple*")).check({CASE.id: CASE}, tmp_path)


def test_a_case_without_its_suite_is_of_the_suite_of_the_files_name(tmp_path: Path) -> None:
    """``conv2d*`` in convolution.yaml is of suites/operators/convolution.yaml; another suite is named by its stem."""
    text = TEXT.replace(f'["{CASE.id}"]', '[conv2d*, "modules::Conv2d"]')
    path = write_file(tmp_path, text, "convolution.yaml")
    (place,) = load_known_issues([path], LEVELS).entries
    assert place.cases == ("suites/operators/convolution.yaml::conv2d*", "suites/operators/modules.yaml::Conv2d")


def test_an_alias_is_used_where_a_case_has_no_size_of_that_name(tmp_path: Path) -> None:
    """A condition that speaks of Cg is true of a case that calls it C; a size of the case's own comes first."""
    text = TEXT.replace("when: W > 1", "when: Cg == 1 and W > 1").replace("tensors:", "as: {Cg: C}\n        tensors:")
    known_issues = load_text(tmp_path, text)
    known_issues.check({CASE.id: CASE}, tmp_path)
    (place,) = known_issues.entries
    example = place.reproducer
    assert place.holds(example)
    assert not place.holds(example.but(sizes={**example.sizes, "C": 2}))
    assert not place.holds(example.but(sizes={**example.sizes, "Cg": 2}))
    assert not place.holds(example.but(sizes={"W": 2}))


def test_an_entry_may_be_of_several_cases(tmp_path: Path) -> None:
    """Cases that share a fault share an entry; each must exist, and the reproducer is of one of them."""
    several = TEXT.replace(f'["{CASE.id}"]', f'["{CASE.id}", "{CASE.id}s"]')
    known_issues = load_text(tmp_path, several)
    assert known_issues.entries[0].cases == (CASE.id, CASE.id + "s")
    known_issues.check({CASE.id: CASE, CASE.id + "s": replace(CASE, id=CASE.id + "s")}, tmp_path)
    with pytest.raises(DeclarationError, match="there is no case"):
        known_issues.check({CASE.id: CASE}, tmp_path)


def test_every_case_of_a_pattern_has_the_names_of_the_condition(tmp_path: Path) -> None:
    """Or the entry would not cover it, and nobody would notice."""
    narrow = replace(CASE, id=CASE.id + "_row", name="double_row", sizes=CASE.sizes[:-1])
    text = TEXT.replace(f'["{CASE.id}"]', f'["{CASE.id}*"]').replace("{sizes:", f'{{case: "{CASE.id}", sizes:')
    with pytest.raises(DeclarationError, match="double_row has no 'W'"):
        load_text(tmp_path, text).check({CASE.id: CASE, narrow.id: narrow}, tmp_path)


def test_an_id_is_given_once(tmp_path: Path) -> None:
    """Two files with an entry of the same id: the second says where the first is."""
    first = write_file(tmp_path, TEXT)
    second = write_file(tmp_path, TEXT, "more.yaml")
    with pytest.raises(DeclarationError, match=r"issues\.yaml has a known issue 'wide' already") as error:
        load_known_issues([first, second], LEVELS).check({CASE.id: CASE}, tmp_path)
    assert [(mistake.file, mistake.line) for mistake in error.value.mistakes] == [(second.as_posix(), 3)]


def test_an_empty_list_is_no_known_issue(tmp_path: Path) -> None:
    """A build without known faults has a file that says so."""
    assert load_text(tmp_path, "issues: {}\n").entries == ()


def test_all_mistakes_come_at_once_each_at_its_place(tmp_path: Path) -> None:
    """Condition, release, levels and reproducer of one entry are named together, by line and column."""
    wrong = TEXT.replace("when: W > 1", "when: W >").replace('"2.1"', "2.1+").replace("{sizes:", "{seed: -1, sizes:")
    with pytest.raises(DeclarationError) as error:
        load_text(tmp_path, wrong.replace("[low]", "[lo]"))
    places = [(mistake.line, mistake.column) for mistake in error.value.mistakes]
    assert places == [(8, 12), (13, 17), (15, 15), (16, 21)]


def test_a_reason_that_nobody_wrote_refuses_the_file(tmp_path: Path) -> None:
    """A proposed entry says what was seen; why it is so is for a person to say before it counts."""
    with pytest.raises(DeclarationError, match="the reason is not written yet"):
        load_text(tmp_path, TEXT.replace("reason: a toy", "reason: REASON TO BE WRITTEN; a toy"))


def test_what_an_entry_names_must_exist(tmp_path: Path) -> None:
    """Tensors and sizes are looked up in the case, and the condition must be true of the reproducer."""
    wrong = TEXT.replace("W > 1", "V > 1").replace('"grad:*"', '"grad:x"')
    with pytest.raises(DeclarationError) as error:
        load_text(tmp_path, wrong).check({CASE.id: CASE}, tmp_path)
    messages = [mistake.message for mistake in error.value.mistakes]
    assert messages[0] == "double has no tensor 'x'; known are input"
    assert messages[1].startswith("double has no 'V'")
    assert messages[2].startswith("the condition ")


def test_a_tangent_may_be_named_where_the_case_is_run_in_forward_mode(tmp_path: Path) -> None:
    """Elsewhere there is none, and the entry is about nothing."""
    entries = load_text(tmp_path, TEXT.replace('"grad:*"', '"jvp:output[0]"'))
    entries.check({CASE.id: replace(CASE, paths=("jvp",))}, tmp_path)
    with pytest.raises(DeclarationError, match=r"double has no tensor 'jvp:output\[0\]'; known are input"):
        entries.check({CASE.id: CASE}, tmp_path)


def test_a_fake_may_be_named_where_the_case_is_run_under_fake_tensor_mode(tmp_path: Path) -> None:
    """Elsewhere there is none."""
    entries = load_text(tmp_path, TEXT.replace('"grad:*"', '"meta:output[0]"'))
    entries.check({CASE.id: replace(CASE, paths=("meta",))}, tmp_path)
    with pytest.raises(DeclarationError, match=r"double has no tensor 'meta:output\[0\]'; known are input"):
        entries.check({CASE.id: CASE}, tmp_path)


def test_cases_of_other_suites_are_looked_up_on_disk(tmp_path: Path) -> None:
    """An entry of a suite that this run does not name is checked against that suite's file."""
    suite = tmp_path / CASE.id.partition("::")[0]
    suite.parent.mkdir(parents=True)
    suite.write_text(
        "suite: toy\ncases:\n  double:\n    call: toy.double\n    numerics: exact\n    dtypes: [float32]\n"
        "    sizes: {N: batch, C: channels, H: spatial, W: spatial}\n"
        "    tensors: {input: {shape: [N, C, H, W], layout: channels_last}}\n"
    )
    load_text(tmp_path, TEXT).check({}, tmp_path)
    suite.unlink()
    with pytest.raises(DeclarationError, match="there is no case"):
        load_text(tmp_path, TEXT).check({}, tmp_path)


def test_a_file_from_elsewhere_is_of_other_suites(tmp_path: Path) -> None:
    """What is shipped with the package names suites that a project need not have; a project's own file may not."""
    known_issues = load_text(tmp_path, TEXT)
    known_issues.check({}, tmp_path / "project")
    with pytest.raises(DeclarationError, match="there is no case"):
        known_issues.check({}, tmp_path)
