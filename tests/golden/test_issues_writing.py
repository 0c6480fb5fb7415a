"""A field of a known issue set in its file: the one line changes, and every other byte stays."""

from __future__ import annotations

import difflib
from pathlib import Path

import pytest

from harness.core import KnownFault, Verification
from harness.errors import UserError
from harness.golden import KnownIssues, load_known_issues, set_fault_field, set_place_field, write_verified
from harness.suites import load_levels

ROOT = Path(__file__).parents[2]
LEVELS = load_levels(ROOT / "suites" / "isa.yaml")
VERIFIED = Verification("2.15.0", 'a "toy" CPU: 1', "2026-11-27")
LINE = r'    verified: {torch: "2.15.0", cpu: "a \"toy\" CPU: 1", date: "2026-11-27"}'
TEXT = """\
# above
issues:
  narrow:  # a comment
    summary: relu returns a contiguous result for a narrow image.
    severity: layout
    oracle: strides
    link: >-
      no thread found

    reason: >-
      A toy that loses the format,
      verified: never, reason: none
    # between
    where:
      - cases: [relu]
        dtypes: [float32]
        reproducer: {sizes: {W: 1}}
      - reproducer: {sizes: {W: 2}}
        cases: [relu]
        dtypes: [float32]

  other:
    {summary: relu returns a contiguous result for a wide image., severity: layout, oracle: strides, link: none,
     reason: A toy that loses the format., where: [{cases: [relu], dtypes: [float32], reproducer: {sizes: {W: 1}}}]}
"""


def load_text(tmp_path: Path, text: str) -> tuple[Path, KnownIssues]:
    """A file of that text, and what is read of it."""
    path = tmp_path / "issues.yaml"
    path.write_bytes(text.encode())
    return path, load_known_issues([path], LEVELS)


def changed_lines(before: str, after: str) -> list[str]:
    """The lines that went, with a minus, and those that came, with a plus."""
    lines = difflib.ndiff(before.splitlines(keepends=True), after.splitlines(keepends=True))
    return [line for line in lines if line[0] in "+-"]


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_a_new_field_is_a_line_of_its_own(tmp_path: Path, ending: str) -> None:
    """It goes before the reason, with the ending of the lines around it, and is read back."""
    path, issues = load_text(tmp_path, TEXT.replace("\n", ending))
    before = path.read_bytes().decode()
    write_verified(path, issues.faults[:1], VERIFIED)
    assert changed_lines(before, path.read_bytes().decode()) == [f"+ {LINE}{ending}"]
    assert load_known_issues([path], LEVELS).faults[0].verified == VERIFIED


def test_a_field_that_is_there_is_replaced(tmp_path: Path) -> None:
    """A second update leaves one line, also where the first had several."""
    several = LINE.replace(", cpu", ",\n      cpu").replace("2.15.0", "2.14.0")
    path, issues = load_text(tmp_path, TEXT.replace("    # between", f"{several}\n    # between"))
    write_verified(path, issues.faults[:1], VERIFIED)
    assert path.read_text() == TEXT.replace("    # between", f"{LINE}\n    # between")


def test_releases_of_a_fault_and_of_a_place(tmp_path: Path) -> None:
    """`since` stands before the link, in a place before the reproducer, even where that is its first key."""
    path, issues = load_text(tmp_path, TEXT)
    (fault, _), (first, second, _) = issues.faults, issues.entries
    assert changed_lines(TEXT, set_fault_field(TEXT, fault, "since", '"2.9"')) == ['+     since: "2.9"\n']
    text = set_place_field(TEXT, second, "fixed", '"2.14"')
    assert sorted(changed_lines(TEXT, text), reverse=True) == [
        "-       - reproducer: {sizes: {W: 2}}\n",
        '+       - fixed: "2.14"\n',
        "+         reproducer: {sizes: {W: 2}}\n",
    ]
    text = set_place_field(text, first, "since", '"2.9"')
    _, edited = load_text(tmp_path, text)
    assert [place.torch for place in edited.entries] == [">=2.9", "<2.14", ""]
    assert path.exists()


def test_an_entry_in_braces_is_left_to_a_person(tmp_path: Path) -> None:
    """Where no line is the field's own nothing is written, and the message says what to write."""
    path, issues = load_text(tmp_path, TEXT)
    with pytest.raises(UserError, match=r"`verified: \{torch: .*` has no line of its own to go to; write it by hand"):
        write_verified(path, issues.faults, VERIFIED)
    assert path.read_text() == TEXT


@pytest.mark.parametrize("path", sorted((ROOT / "golden" / "issues").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_entry_of_the_project_can_be_verified(tmp_path: Path, path: Path) -> None:
    """One line comes or changes for each, and all else that is read of the file stays."""
    before = path.read_bytes().decode()
    copy, issues = load_text(tmp_path, before)
    write_verified(copy, issues.faults, VERIFIED)
    lines = changed_lines(before, copy.read_bytes().decode())
    assert [line for line in lines if line[0] == "+"] == [f"+ {LINE}\n"] * len(issues.faults)
    assert all(line.startswith("-     verified: {") for line in lines if line[0] == "-")
    edited = load_known_issues([copy], LEVELS).faults
    assert {fault.verified for fault in edited} == {VERIFIED}
    assert [*map(_written_facts, edited)] == [*map(_written_facts, issues.faults)]


def _written_facts(fault: KnownFault) -> list[object]:
    places = [(place.cases, place.cells, place.torch, place.when.text, place.reproducer) for place in fault.places]
    return [fault.id, fault.summary, fault.reason, fault.link, fault.since, fault.fixed, *places]
