"""The file of known issues: what is read, and what in it is checked against suites."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import Level
from harness.golden import load_known_issues
from harness.suites import DeclarationError
from tests.trial.toy import CASE

TEXT = f"""\
issues:
  wide:
    case: {CASE.id}
    dtypes: [float32]
    tensors: ["output[0]", "grad:*"]
    oracle: values
    cells: [low]
    when: W > 1 and layout_input == "channels_last"
    reason: a toy that is wrong for wide images
    link: no thread found
    torch: ">=2.1"
    reproducer: {{case: "{CASE.id}", dtype: float32, sizes: {{N: 1, C: 1, H: 1, W: 2}},
      layouts: {{input: channels_last}}}}
"""
LEVELS = [Level("low", "x86_64", None, "default")]


def write_file(tmp_path: Path, text: str) -> Path:
    """The file in a project."""
    path = tmp_path / "golden" / "issues.yaml"
    path.parent.mkdir(exist_ok=True)
    path.write_text(text)
    return path


def test_an_entry_is_read(tmp_path: Path) -> None:
    """Condition and reproducer are parsed, and the line is that of the entry's name."""
    known_issues = load_known_issues([write_file(tmp_path, TEXT)])
    (entry,) = known_issues.entries
    assert (entry.id, entry.line, entry.torch, entry.cells) == ("wide", 2, ">=2.1", ("low",))
    assert entry.when.names == {"W", "layout_input"}
    assert entry.reproducer.sizes["W"] == 2
    known_issues.check({CASE.id: CASE}, LEVELS, tmp_path)


def test_an_entry_may_be_of_several_cases(tmp_path: Path) -> None:
    """Cases that share a fault share an entry; each must exist, and the reproducer is of one of them."""
    several = TEXT.replace(f"case: {CASE.id}", f"case: [{CASE.id}, {CASE.id}s]")
    known_issues = load_known_issues([write_file(tmp_path, several)])
    assert known_issues.entries[0].cases == (CASE.id, CASE.id + "s")
    known_issues.check({CASE.id: CASE, CASE.id + "s": replace(CASE, id=CASE.id + "s")}, LEVELS, tmp_path)
    with pytest.raises(DeclarationError, match="there is no case"):
        known_issues.check({CASE.id: CASE}, LEVELS, tmp_path)


def test_an_id_is_given_once(tmp_path: Path) -> None:
    """Two files with an entry of the same id: the second says where the first is."""
    first = write_file(tmp_path, TEXT)
    second = tmp_path / "golden" / "more.yaml"
    second.write_text(TEXT)
    with pytest.raises(DeclarationError, match=r"issues\.yaml has a known issue 'wide' already") as error:
        load_known_issues([first, second]).check({CASE.id: CASE}, LEVELS, tmp_path)
    assert [(mistake.file, mistake.line) for mistake in error.value.mistakes] == [(second.as_posix(), 3)]


def test_an_empty_list_is_no_known_issue(tmp_path: Path) -> None:
    """A build without known faults has a file that says so."""
    assert load_known_issues([write_file(tmp_path, "issues: {}\n")]).entries == ()


def test_all_mistakes_come_at_once_each_at_its_place(tmp_path: Path) -> None:
    """Condition, version and reproducer of one entry are named together, by line and column."""
    wrong = TEXT.replace("when: W > 1", "when: W >").replace(">=2.1", "2.1+").replace("dtype: float32, ", "")
    with pytest.raises(DeclarationError) as error:
        load_known_issues([write_file(tmp_path, wrong)])
    places = [(mistake.line, mistake.column) for mistake in error.value.mistakes]
    assert places == [(8, 11), (11, 12), (12, 17)]


def test_what_an_entry_names_must_exist(tmp_path: Path) -> None:
    """Levels, and the case with its tensors and sizes, are looked up among what is loaded."""
    wrong = TEXT.replace("[low]", "[lo]").replace("W > 1", "V > 1").replace('"grad:*"', '"grad:x"')
    with pytest.raises(DeclarationError) as error:
        load_known_issues([write_file(tmp_path, wrong)]).check({CASE.id: CASE}, LEVELS, tmp_path)
    messages = [mistake.message for mistake in error.value.mistakes]
    assert messages[0] == "double has no tensor 'x'; known are input"
    assert messages[1] == "there is no level 'lo'; did you mean 'low'?"
    assert messages[2].startswith("double has no 'V'")
    assert messages[3].startswith("the condition ")


def test_a_tangent_may_be_named_where_the_case_is_run_in_forward_mode(tmp_path: Path) -> None:
    """Elsewhere there is none, and the entry is about nothing."""
    entries = load_known_issues([write_file(tmp_path, TEXT.replace('"grad:*"', '"jvp:output[0]"'))])
    entries.check({CASE.id: replace(CASE, paths=("jvp",))}, LEVELS, tmp_path)
    with pytest.raises(DeclarationError, match=r"double has no tensor 'jvp:output\[0\]'; known are input"):
        entries.check({CASE.id: CASE}, LEVELS, tmp_path)


def test_cases_of_other_suites_are_looked_up_on_disk(tmp_path: Path) -> None:
    """An entry of a suite that this run does not name is checked against that suite's file."""
    suite = tmp_path / CASE.id.partition("::")[0]
    suite.parent.mkdir(parents=True)
    suite.write_text(
        "suite: toy\ncases:\n  double:\n    call: toy.double\n    numerics: exact\n    dtypes: [float32]\n"
        "    sizes: {N: batch, C: channels, H: spatial, W: spatial}\n"
        "    tensors: {input: {shape: [N, C, H, W], layout: channels_last}}\n"
    )
    load_known_issues([write_file(tmp_path, TEXT)]).check({}, LEVELS, tmp_path)
    suite.unlink()
    with pytest.raises(DeclarationError, match="there is no case"):
        load_known_issues([write_file(tmp_path, TEXT)]).check({}, LEVELS, tmp_path)


def test_a_file_from_elsewhere_is_of_other_suites(tmp_path: Path) -> None:
    """What is shipped with the package names suites that a project need not have; a project's own file may not."""
    known_issues = load_known_issues([write_file(tmp_path, TEXT)])
    known_issues.check({}, [], tmp_path / "project")
    with pytest.raises(DeclarationError, match="there is no level 'low'"):
        known_issues.check({}, [], tmp_path)
