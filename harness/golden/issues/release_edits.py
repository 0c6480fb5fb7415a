"""What a run on another release says of known issues: since when a fault is there, and from when on it is not."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from typing import Literal

from packaging.version import Version

from harness.core import KnownFault, KnownIssue
from harness.golden.issues.entry_text import quote_text
from harness.golden.issues.files import KnownIssues
from harness.golden.issues.notes import specifier
from harness.golden.issues.writing import set_fault_field, set_place_field
from harness.golden.release import release_of


@dataclass(frozen=True)
class ReleaseEdit:
    """A release to be written as `since` or `fixed` of a fault, or of the one place of it that is gone."""

    fault: KnownFault
    place: KnownIssue | None
    field: Literal["since", "fixed"]
    release: str

    @property
    def name(self) -> str:
        """The id of the fault, or the name of the place."""
        return self.place.name if self.place else self.fault.id


def edits_of_stale(
    stale: Collection[str], known_issues: KnownIssues, torch: str
) -> tuple[list[ReleaseEdit], list[str]]:
    """What follows from places that are stale with a version of PyTorch, and a sentence for each of which nothing does.

    A fault that was verified with a later release began with that at the latest; one that was verified with an earlier
    release is repaired. Where every place is stale it is said of the fault.
    """
    names = {place.name for place in known_issues.entries}
    open_questions = [f"gone: {name}: there is no such entry here" for name in stale if name not in names]
    edits: list[ReleaseEdit] = []
    for fault in known_issues.faults:
        gone = [place for place in fault.places if place.name in stale]
        if not gone:
            continue
        step = _next_step(fault, torch)
        if step is None:
            verified = f"last verified with {fault.verified.torch}" if fault.verified else "never verified"
            open_questions.append(
                f"gone: {fault.id}: it was {verified}, from which nothing follows for {release_of(torch)}: "
                "correct it or take it out by hand"
            )
        elif len(gone) == len(fault.places):
            edits.append(ReleaseEdit(fault, None, *step))
        else:
            edits += [ReleaseEdit(fault, place, *step) for place in gone]
    return edits, open_questions


def _next_step(fault: KnownFault, torch: str) -> tuple[Literal["since", "fixed"], str] | None:
    """Which field gets which release; None where the fault was verified with the same release or never."""
    if fault.verified is None:
        return None
    here, verified = release_of(torch), release_of(fault.verified.torch)
    if Version(here) == Version(verified):
        return None
    return ("since", verified) if Version(here) < Version(verified) else ("fixed", here)


def verified_releases(known_issues: KnownIssues) -> set[str]:
    """The releases with which an entry was verified."""
    return {release_of(fault.verified.torch) for fault in known_issues.faults if fault.verified}


def release_bounds(torch: str, verified: Iterable[str]) -> tuple[str, str]:
    """`since` and `fixed` of a fault that is new in a run with a version of PyTorch; empty where nothing follows.

    `verified` are the releases that golden/ is true of. Where this is none of them, those before it had no such fault,
    and the next one behind it has none.
    """
    here, releases = release_of(torch), [*map(Version, verified)]
    if Version(here) in releases:
        return "", ""
    newer = [release for release in releases if release > Version(here)]
    has_older = len(newer) < len(releases)
    return (here if has_older else ""), (str(min(newer)) if newer else "")


def date_fault(fault: KnownFault, torch: str, verified: Iterable[str]) -> KnownFault:
    """The same fault, and each of its places, as one that is new in a run with that version of PyTorch."""
    since, fixed = release_bounds(torch, verified)
    places = tuple(replace(place, torch=specifier(since, fixed)) for place in fault.places)
    return replace(fault, since=since, fixed=fixed, places=places)


def write_release_edits(known_issues: KnownIssues, edits: Iterable[ReleaseEdit]) -> None:
    """Write them into the files of the faults, whose other lines stay as they are.

    The files must be as they were when they were read. Raises UserError where a field has no line to go to.
    """
    by_line = sorted(edits, key=lambda edit: -(edit.place or edit.fault).line)  # the lines above stay where they are
    for file in known_issues.files:
        text = file.path.read_bytes().decode("utf-8")
        for edit in by_line:
            value = quote_text(edit.release)
            if edit.fault in file.faults and edit.place is None:
                text = set_fault_field(text, edit.fault, edit.field, value)
            elif edit.fault in file.faults and edit.place is not None:
                text = set_place_field(text, edit.place, edit.field, value)
        file.path.write_bytes(text.encode("utf-8"))
