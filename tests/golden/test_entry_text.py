"""A known issue written as text: what is read of it is the same, and an entry that is appended disturbs no other."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import KnownFault
from harness.golden import (
    UNWRITTEN,
    KnownIssues,
    append_entry,
    date_fault,
    edits_of_stale,
    entry_text,
    load_known_issues,
    phrase_levels,
    release_bounds,
    resolve_levels,
    write_release_edits,
)
from harness.suites import DeclarationError, load_levels
from tests.golden.test_issues_writing import TEXT, changed_lines, load_text

ROOT = Path(__file__).parents[2]
LEVELS = load_levels(ROOT / "suites" / "isa.yaml")
FILES = sorted((ROOT / "golden" / "issues").glob("*.yaml"))


def without_lines(fault: KnownFault) -> KnownFault:
    """The fault but for where it is written."""
    return replace(fault, line=0, places=tuple(replace(place, line=0) for place in fault.places))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_entry_is_read_back_as_it_was(tmp_path: Path, path: Path) -> None:
    """Patterns, levels, conditions, notes, releases, reproducers survive; few lines are over 120 columns."""
    faults = load_known_issues([path], LEVELS).faults
    copy = tmp_path / path.name
    copy.write_text("issues:\n" + "\n".join(entry_text(fault, path.stem, LEVELS) for fault in faults), "utf-8")
    assert [*map(without_lines, load_known_issues([copy], LEVELS).faults)] == [*map(without_lines, faults)]
    long = [line for line in copy.read_text("utf-8").splitlines() if len(line) > 120]
    assert [line for line in long if not line.startswith(("          sizes: ", "      - cases: "))] == []


def test_an_entry_is_appended(tmp_path: Path) -> None:
    """What was in the file stays, the id gets a number where it is taken, and the entry is read as the last."""
    path, issues = load_text(tmp_path, TEXT)
    names = [append_entry(path, issues.faults[0], issues, LEVELS) for _ in range(2)]
    assert names == ["narrow-2", "narrow-3"]
    assert path.read_text().startswith(TEXT)
    edited = load_known_issues([path], LEVELS).faults
    assert [fault.id for fault in edited] == ["narrow", "other", "narrow-2", "narrow-3"]
    assert edited[2].places[0].reproducer == issues.faults[0].places[0].reproducer


@pytest.mark.parametrize("before", [None, "# mine\nissues: {}\n", "issues:\n"])
def test_the_first_entry_of_a_file(tmp_path: Path, before: str | None) -> None:
    """A file without entries, and one that is not there, have one afterwards."""
    _, issues = load_text(tmp_path, TEXT)
    path = tmp_path / "golden" / "issues" / "mine.yaml"
    if before is not None:
        path.parent.mkdir(parents=True)
        path.write_text(before)
    append_entry(path, issues.faults[0], KnownIssues(()), LEVELS)
    assert [fault.id for fault in load_known_issues([path], LEVELS).faults] == ["narrow"]
    assert path.read_text().startswith((before or "issues:").partition(" {}")[0].rstrip())


def test_a_reason_that_is_not_written_is_refused(tmp_path: Path) -> None:
    """An entry as it is proposed cannot be read until a person has written its reason."""
    _, issues = load_text(tmp_path, TEXT)
    path = tmp_path / "new.yaml"
    append_entry(path, replace(issues.faults[0], reason=f"{UNWRITTEN}: it is wrong"), KnownIssues(()), LEVELS)
    with pytest.raises(DeclarationError, match="the reason is not written yet"):
        load_known_issues([path], LEVELS)


@pytest.mark.parametrize(
    ("failing", "ran", "text"),
    [
        ("sse41 avx2 avx512_core", "sse41 avx2 avx512_core", "all"),
        ("avx2 avx512_core", "sse41 avx2 avx512_core", ">= avx2"),
        ("sse41", "sse41 avx2 avx512_core", "< avx2"),
        ("avx2", "sse41 avx2 avx512_core avx512_core_bf16", ">= avx2, not >= avx512_core"),
        ("sse41 avx512_core", "sse41 avx2 avx512_core", ("sse41", "avx512_core")),
        ("avx512_core", "avx512_core", ">= avx512_core"),
        ("sve256", "default sve256", ">= sve256"),
        ("sse41 avx avx2 avx2_vnni", "sse41 avx avx2 avx2_vnni avx512_core", "< avx512_core"),
    ],
)
def test_levels_are_said_by_their_order(failing: str, ran: str, text: str | tuple[str, ...]) -> None:
    """The shortest comparison that is true of the levels that ran, with bounds among them; else a list."""
    phrase = phrase_levels(failing.split(), ran.split(), LEVELS)
    if "avx2_vnni" not in failing:
        assert phrase == text
    assert set(resolve_levels(phrase, LEVELS)) & set(ran.split()) == set(failing.split())


def test_releases_of_what_is_gone(tmp_path: Path) -> None:
    """On an older release than the verified one a fault is not there yet, on a newer one it is not there any more."""
    path, issues = load_text(
        tmp_path, TEXT.replace("    # between", '    verified: {torch: "2.15.0", cpu: a, date: "2026-11-27"}')
    )
    before = path.read_text()
    edits, open_questions = edits_of_stale(["narrow/1", "narrow/2", "other", "lost"], issues, "2.11.0+cpu")
    assert [(edit.name, edit.field, edit.release) for edit in edits] == [("narrow", "since", "2.15")]
    assert open_questions[0] == "gone: lost: there is no such entry here"
    assert open_questions[1].startswith("gone: other: it was never verified, from which nothing follows for 2.11: ")
    edits, _ = edits_of_stale(["narrow/1"], issues, "2.16.0")
    assert [(edit.name, edit.field, edit.release) for edit in edits] == [("narrow/1", "fixed", "2.16")]
    _, open_questions = edits_of_stale(["narrow/1"], issues, "2.15.1")
    assert open_questions[0].startswith("gone: narrow: it was last verified with 2.15.0, from which nothing follows")
    both = [*edits, *edits_of_stale(["narrow/2"], issues, "2.11.0")[0]]
    write_release_edits(issues, both)
    assert sorted(changed_lines(before, path.read_text())) == [
        '+         fixed: "2.16"\n',
        "+         reproducer: {sizes: {W: 2}}\n",
        '+       - since: "2.15"\n',
        "-       - reproducer: {sizes: {W: 2}}\n",
    ]
    edited = load_known_issues([path], LEVELS)
    assert [place.torch for place in edited.entries] == ["<2.16", ">=2.15", ""]


@pytest.mark.parametrize(
    ("torch", "bounds"),
    [
        ("2.11.0", ("", "2.13")),
        ("2.13.1", ("", "")),
        ("2.14.0", ("2.14", "2.15")),
        ("2.16.0.dev1", ("2.16", "")),
    ],
)
def test_releases_of_what_is_new(torch: str, bounds: tuple[str, str]) -> None:
    """Where golden/ is true of the release nothing follows; else the verified ones around it have no such fault."""
    assert release_bounds(torch, ["2.15", "2.13"]) == bounds
    assert release_bounds(torch, []) == ("", "")


def test_an_entry_of_an_older_release_is_appended(tmp_path: Path) -> None:
    """What is new in a release before the verified ones is written with the first release that has it no more."""
    path, issues = load_text(tmp_path, TEXT)
    append_entry(path, date_fault(issues.faults[0], "2.6.0+cu124", ["2.15"]), issues, LEVELS)
    fault = load_known_issues([path], LEVELS).faults[-1]
    assert (fault.since, fault.fixed) == ("", "2.15")
    assert [place.torch for place in fault.places] == ["<2.15", "<2.15"]
