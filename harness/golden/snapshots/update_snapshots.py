"""The snapshots of a case after an update: what was observed with one release, beside what others gave."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from harness.core import Case
from harness.golden.item_observation import ItemObservation
from harness.golden.release import split_ranges
from harness.golden.snapshots.snapshot import Snapshot, Snapshots


def update_snapshots(
    case: Case, file: Snapshots, observations: Mapping[str, ItemObservation], release: str
) -> tuple[Snapshot, ...]:
    """The snapshots after the update, in the order of the case's dtypes; `observations` are by dtype, of that release.

    An example of which releases give different results comes several times, each with the range of its releases. What
    the release does not give, because its cells do not agree in their bits there, is not said of it from now on.
    """
    others = [other for other in file.releases if other != release]
    snapshots = [snapshot for snapshot in file.cases.get(case.name, ()) if snapshot.example.dtype not in observations]
    for dtype, observation in observations.items():
        before = file.snapshots(case.name, dtype) if others else ()
        snapshots += _merge_snapshots(before, observation.snapshots, release, others)
    order = {dtype: place for place, dtype in enumerate(case.dtypes)}
    return tuple(sorted(snapshots, key=lambda snapshot: order.get(snapshot.example.dtype, len(order))))


def _merge_snapshots(
    before: Sequence[Snapshot], observed: Sequence[Snapshot], release: str, others: Sequence[str]
) -> Iterator[Snapshot]:
    """Those of one dtype. What no release gives any more is left out."""
    here = {snapshot.example.to_json(): snapshot for snapshot in observed}
    written: dict[str, list[Snapshot]] = {}
    for snapshot in before:
        written.setdefault(snapshot.example.to_json(), []).append(snapshot)
    for text in dict.fromkeys((*written, *here)):
        by_release = {
            other: next((entry for entry in written.get(text, ()) if entry.releases.covers(other)), None)
            for other in others
        }
        by_release[release] = here.get(text)
        results = {each: dict(entry.results) if entry else None for each, entry in by_release.items()}
        example = (written.get(text) or [here[text]])[0].example
        before_here = [entry.releases for entry in written.get(text, ())]
        ranges = split_ranges(
            results,
            is_open_below=not before_here or any(releases.is_open_below for releases in before_here),
            is_open_above=not before_here or any(releases.is_open_above for releases in before_here),
        )
        for releases, digests in ranges:
            if digests is not None:
                yield Snapshot(example, digests, releases=releases)
