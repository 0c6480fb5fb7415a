"""What differs in a release of PyTorch that golden/ was not verified with: new here, gone here, moved.

Each with the command that accepts it.
"""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from pydantic import Field

from harness.core import FactChange, FactDifference, FactKind, ReproducerState
from harness.golden import DOUBLE_BACKWARD_FILE, release_of, update_command
from harness.reporting.operator_item import OperatorItemRecord
from harness.suites import StrictSchema

ORDER: Final = (FactChange.NEW, FactChange.GONE, FactChange.MOVED)


class ReleaseChangeRecord(StrictSchema):
    """One thing that is otherwise in this release."""

    change: FactChange
    fact: FactKind
    about: str = Field(description="The item, <case>[<dtype>], or the known issue")
    count: int = Field(description="How many facts of that sort differ so there")
    message: str = Field(description="The first of them, in a sentence")
    accept: str = Field(description="The command, or the edit, that accepts it")


class ReleaseRecord(StrictSchema):
    """The release of PyTorch under test, and those that golden/ was verified with."""

    tested: str
    verified: tuple[str, ...] | None = Field(
        description="Those that every suite of the run was verified with; null: the project keeps nothing"
    )
    changes: tuple[ReleaseChangeRecord, ...] = Field(
        description="What differs from golden/; of a release that is verified nothing is listed"
    )


def release_record(
    torch: str, verified: Sequence[str] | None, items: Iterable[OperatorItemRecord], record: str
) -> ReleaseRecord:
    """What the operators of a run show of a release; `torch` is its version, `record` the file the run is kept in."""
    tested = release_of(torch)
    if verified is None or tested in verified:
        return ReleaseRecord(tested=tested, verified=None if verified is None else tuple(verified), changes=())
    changes = [change for item in items for change in _item_changes(item, tested, record)]
    ordered = sorted(_merge(changes), key=lambda each: (ORDER.index(each.change), each.fact, each.about))
    return ReleaseRecord(tested=tested, verified=tuple(verified), changes=tuple(ordered))


def _merge(changes: Iterable[ReleaseChangeRecord]) -> Iterable[ReleaseChangeRecord]:
    """The changes with those of the same sort and name as one: of several items, or of one known issue in several."""
    merged: dict[tuple[FactChange, FactKind, str], ReleaseChangeRecord] = {}
    for change in changes:
        key = (change.change, change.fact, change.about)
        before = merged.get(key)
        count = change.count if change.fact is FactKind.KNOWN_ISSUE or before is None else before.count + change.count
        merged[key] = (before or change).model_copy(update={"count": count})
    return merged.values()


def _item_changes(item: OperatorItemRecord, release: str, record: str) -> Iterator[ReleaseChangeRecord]:
    """What is otherwise of one item, one line for each sort of change."""
    about = f"{item.name}[{item.dtype}]"
    propose = f"equivalence issues propose {shlex.quote(record)}"
    if item.failures:
        message = item.failures[0].finding.message
        yield _change(FactChange.NEW, FactKind.KNOWN_ISSUE, about, len(item.failures), message, propose)
    for name, check in item.reproducers.items():
        if check.state is ReproducerState.STALE:
            yield _change(FactChange.GONE, FactKind.KNOWN_ISSUE, name, 1, str(check), propose)
    update = update_command(item.suite)
    if item.lack:
        yield _change(FactChange.GONE, FactKind.LAYOUT, item.name, 1, f"not available: {item.lack}", update)
    accepts = {
        FactKind.LAYOUT: update,
        FactKind.SNAPSHOT: f"{update} -k {item.name}",
        FactKind.DOUBLE_BACKWARD: f'an entry in {DOUBLE_BACKWARD_FILE} with torch: "=={release}"',
    }
    for (change, fact), differences in _by_sort([*item.golden.differences, *item.double_differences]).items():
        yield _change(change, fact, about, len(differences), differences[0].message, accepts[fact])


def _by_sort(differences: Iterable[FactDifference]) -> Mapping[tuple[FactChange, FactKind], list[FactDifference]]:
    by_sort: dict[tuple[FactChange, FactKind], list[FactDifference]] = {}
    for difference in differences:
        by_sort.setdefault((difference.change, difference.fact), []).append(difference)
    return by_sort


def _change(  # noqa: PLR0913, PLR0917 - the fields of the record in their order
    change: FactChange, fact: FactKind, about: str, count: int, message: str, accept: str
) -> ReleaseChangeRecord:
    return ReleaseChangeRecord(change=change, fact=fact, about=about, count=count, message=message, accept=accept)
