"""The journal of a run: what is in it after it was torn, whose it is, and what is refused."""

from __future__ import annotations

import dataclasses
import os
from pathlib import Path

import pytest

from harness.core import ItemStatus
from harness.errors import UserError
from harness.reporting import (
    ItemRecord,
    JournalEntry,
    JournalHead,
    JournalWriter,
    RecordHead,
    journal_path,
    read_journal,
    read_record,
    write_record,
)
from tests.reporting.records import BUILD, LEVELS, RUN, golden_item, model_item, node_id, operator_item, record

HEAD = RecordHead(BUILD, RUN, LEVELS, ["2.9"], "record.json", "2026-11-27T03:00:00+00:00", "host", {"suites": "ab"})
ITEMS: tuple[ItemRecord, ...] = (
    operator_item(status=ItemStatus.FAILED),
    model_item(notes=("Zürich \u2028 \x00 \U0001f600",)),
    golden_item(),
)


def entry(item: ItemRecord, reason: str = "") -> JournalEntry:
    """The line of an item."""
    properties = (("status", str(item.status)), ("examples", 3), ("worst_ratio", 0.5))
    return JournalEntry(item=node_id(item), outcome="passed", reason=reason, properties=properties, record=item)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """The journal of a run that was killed after three items."""
    path = journal_path(tmp_path / "record.json")
    writer = JournalWriter.create(path, JournalHead(head=HEAD))
    for item in ITEMS:
        writer.add(entry(item))
    writer.close()
    return path


def test_every_line_is_there_when_it_is_added(tmp_path: Path) -> None:
    """Whoever reads the journal of a run that goes on has all that has ended so far."""
    path = tmp_path / "journal"
    writer = JournalWriter.create(path, JournalHead(head=HEAD))
    for count, item in enumerate(ITEMS, 1):
        writer.add(entry(item, reason="it was\nso"))
        journal = read_journal(path)
        assert journal.head.head == HEAD
        assert len(journal.entries) == count
        assert journal.entries[node_id(item)] == entry(item, reason="it was\nso")
    writer.close()


def test_a_journal_is_a_record_that_is_not_complete(path: Path) -> None:
    """Where a run was killed, the name of its record leads to what it did."""
    killed = read_record(path.parent / "record.json")
    assert killed == read_record(path)
    assert not killed.complete
    assert killed.items == {node_id(item): item for item in sorted(ITEMS, key=node_id)}
    assert (killed.date, killed.machine, killed.inputs) == (HEAD.date, "host", {"suites": "ab"})


def test_a_record_comes_before_a_journal(path: Path) -> None:
    """Where there are both, the run ended orderly and has written what it did."""
    written = record(operator_item())
    write_record(written, path.parent / "record.json")
    assert read_record(path.parent / "record.json") == written


def test_a_last_line_may_be_torn_anywhere(path: Path) -> None:
    """At every byte the lines before it are kept, and the next run's lines follow on them."""
    whole = path.read_bytes()
    start = whole[:-1].rindex(b"\n") + 1
    for size in (*range(start, len(whole), 97), len(whole) - 1):
        path.write_bytes(whole[:size])
        journal = read_journal(path)
        assert list(journal.entries) == [node_id(item) for item in ITEMS[:-1]]
        writer = JournalWriter.resume(journal)
        writer.add(entry(ITEMS[-1]))
        writer.close()
        assert path.read_bytes() == whole


def test_a_last_line_without_its_bytes_is_torn(path: Path) -> None:
    """A disk that lost its power may leave zeros, with or without an end of the line."""
    whole = path.read_bytes()
    for tail in (b"\0" * 50, b"\0" * 50 + b"\n"):
        path.write_bytes(whole + tail)
        journal = read_journal(path)
        assert len(journal.entries) == len(ITEMS)
        JournalWriter.resume(journal).close()
        assert path.read_bytes() == whole


def test_the_last_line_of_an_item_counts(path: Path) -> None:
    """An item that was cut short and then run again is what it came to then."""
    writer = JournalWriter.resume(read_journal(path))
    later = operator_item(status=ItemStatus.PASSED)
    writer.add(entry(later))
    writer.close()
    journal = read_journal(path)
    assert len(journal.entries) == len(ITEMS)
    assert journal.entries[node_id(later)].record == later


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{}\n", "is no journal of a run: head: Field required"),
        ("", "is no journal of a run"),
        ("\0\n", "is no journal of a run"),
    ],
)
def test_what_is_no_journal_is_refused(tmp_path: Path, text: str, words: str) -> None:
    """The message has the file."""
    path = tmp_path / "journal"
    path.write_text(text)
    with pytest.raises(UserError, match=words) as refused:
        read_journal(path)
    assert str(path) in str(refused.value)


@pytest.mark.parametrize("wrong", ["{", "[]", '{"item": 1}', "[" * 2000, f"[{'1,' * 30000}1]"])
def test_a_wrong_line_before_the_last_is_refused(path: Path, wrong: str) -> None:
    """It was not torn by an end of the run; the message has its line."""
    head, first, *rest = path.read_text().splitlines()
    path.write_text("\n".join([head, first, wrong, *rest]) + "\n")
    with pytest.raises(UserError, match="^" + str(path) + ":3: no line of a journal: "):
        read_journal(path)


def test_two_runs_differ_in_what_they_depend_on() -> None:
    """Build, seed, levels and inputs tell two runs apart; date, machine and the record's own name do not."""
    same = dataclasses.replace(HEAD, date="later", machine="other", file="x.json")
    assert JournalHead(head=HEAD).differences(JournalHead(head=same)) == []
    other = dataclasses.replace(
        HEAD,
        build=BUILD.model_copy(update={"torch": "2.10"}),
        run=RUN.model_copy(update={"seed": 5}),
        levels={"sse41": LEVELS["sse41"]},
        inputs={"suites": "cd"},
    )
    lines = JournalHead(head=HEAD).differences(JournalHead(head=other))
    assert "  build -> torch: 2.10 there, 2.9 here" in lines
    assert "  run -> seed: 5 there, 0 here" in lines
    assert "  inputs -> suites: cd there, ab here" in lines
    assert "  levels -> avx2 -> state: nothing there, run here" in lines
    assert len(lines) == 7


def test_a_journal_belongs_to_one_run_at_a_time(path: Path) -> None:
    """A second run is refused before it changes a byte of it."""
    first = JournalWriter.resume(read_journal(path))
    before = path.read_bytes()
    for attempt in (
        lambda: JournalWriter.create(path, JournalHead(head=HEAD)),
        lambda: JournalWriter.resume(read_journal(path)),
        lambda: JournalWriter.check_unused(path),
    ):
        with pytest.raises(UserError, match=r"another run writes .*; give this one a record of its own"):
            attempt()
    assert path.read_bytes() == before
    first.close()
    JournalWriter.check_unused(path)


def test_a_journal_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    """The run goes on without it, and the first reason is kept."""
    path = tmp_path / "journal"
    writer = JournalWriter.create(path, JournalHead(head=HEAD))
    full = os.open("/dev/full", os.O_WRONLY)
    os.dup2(full, writer._descriptor)  # noqa: SLF001 - a disk that is full from here on
    os.close(full)
    writer.add(entry(ITEMS[0]))
    writer.add(entry(ITEMS[1]))
    writer.close()
    assert writer.problem.startswith(f"the journal {path} could not be written: No space left on device; it ends ")
    assert node_id(ITEMS[0]) in writer.problem


def test_a_journal_that_is_discarded_is_gone(path: Path) -> None:
    """What was in it is in the record."""
    JournalWriter.resume(read_journal(path)).discard()
    assert list(path.parent.iterdir()) == []
