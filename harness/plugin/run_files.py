"""The files of a run: the record, the journal that it is written into while it grows, and those of the run before."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from harness.core.text_file import is_there
from harness.errors import UserError
from harness.plugin.last_run import LastRun, read_last_run
from harness.plugin.run_plan import EndedItem, RunPlan, seconds_of, starved_items
from harness.reporting import (
    Journal,
    JournalEntry,
    JournalHead,
    JournalWriter,
    Record,
    Recorder,
    RecordHead,
    WrittenRecord,
    baseline_difference,
    difference_message,
    journal_path,
    previous_path,
    put_aside,
    put_back,
    read_journal,
    read_record,
    write_record,
)
from harness.settings import Settings


class RunFiles:
    """The record and the journal of one run, in the process that writes them.

    `earlier` is the journal of the run that this one resumes. Raises UserError for one that cannot be read.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        """Those of the run; a seed that nobody has named is that of the run that is resumed."""
        self.path = settings.record
        self.journal = journal_path(settings.record)
        self.earlier = read_journal(self.journal) if settings.resume and is_there(self.journal) else None
        if self.earlier and settings.seed_is_fresh:
            self.settings = replace(settings, seed=self.earlier.head.head.run.seed)
        self._writer: JournalWriter | None = None
        self._last_run: LastRun | None = None
        """What the record of the run before says, where the plan needs it; it is read once."""

    def _read_last_record(self) -> Record | None:
        """The record that the run before has left. That is not what it did of the run that is resumed."""
        path = last_record_path(self.path, is_resumed=self.earlier is not None)
        try:
            return read_record(path) if is_there(path) else None
        except UserError:
            return None

    def plan(self, date: str, *, is_shared: bool = False) -> RunPlan:
        """What all processes of the run have to know; made before `open`, which puts the last record aside.

        `is_shared`: several processes share the items, and take the longest first.
        """
        ended = self.earlier.entries if self.earlier else {}
        last = self._read_last_record() if self.settings.shard or self.settings.budget else None
        if last is not None:
            self._last_run = LastRun.of(last)
        elif is_shared:
            self._last_run = read_last_run(last_record_path(self.path, is_resumed=self.earlier is not None))
        before = self.earlier.record() if self.earlier else last
        return RunPlan(
            ended={name: EndedItem.of(entry) for name, entry in ended.items() if entry.record.complete},
            seconds=seconds_of(last) if self.settings.shard else {},
            starved=starved_items(before.items) if before and self.settings.budget else (),
            turn=zlib.crc32(f"{self.settings.seed}:{date[:10]}".encode()),
            lengths=self._last_run.seconds if self._last_run and is_shared else {},
        )

    def date_head(self, head: RecordHead) -> RecordHead:
        """The head with the date on which the run began that this one resumes."""
        return replace(head, date=self.earlier.head.head.date) if self.earlier else head

    def open(self, head: RecordHead, recorder: Recorder) -> None:
        """Begin the journal, or go on with it. What lies there of another run is put aside.

        Raises UserError where the journal is of another run, or another run writes it, and OSError.
        """
        if self.earlier:
            _check_same_run(self.earlier, JournalHead(head=head))
            self._writer = JournalWriter.resume(self.earlier)
            self.path.unlink(missing_ok=True)  # it has nothing that the journal has not
            for name, entry in self.earlier.entries.items():
                recorder.add(name, entry.record)
            return
        if is_there(self.journal):
            JournalWriter.check_unused(self.journal)
            put_aside(self.journal)
        put_aside(self.path)
        self._writer = JournalWriter.create(self.journal, JournalHead(head=head))

    def add(self, entry: JournalEntry) -> None:
        """Note an item that has ended."""
        if self._writer is not None:
            self._writer.add(entry)

    def close(self, recorder: Recorder) -> WrittenRecord | None:
        """Write the record, if there is anything to be in it; the journal goes where it is complete."""
        if self._writer is None:
            return None
        written = write_record(recorder.record(), self.path) if recorder.items else None
        if written is None and not recorder.expected:  # nothing was to be run, so the last record is still the last
            put_back(self.path)
        if (recorder.is_complete and written and not written.problem) or not recorder.items:
            self._writer.discard()
        else:
            self._writer.close()
        return written

    def last_run(self) -> LastRun:
        """What the run before says of time, where the plan has not read it of the record that was put aside."""
        if self._last_run is None:
            self._last_run = read_last_run(previous_path(self.path))
        return self._last_run

    @property
    def problem(self) -> str:
        """Why the journal lacks what has ended; empty where it lacks nothing."""
        return self._writer.problem if self._writer is not None else ""


def last_record_path(path: Path, *, is_resumed: bool = False) -> Path:
    """Where the record of the run before lies: in its place, or put aside by a run that was ended."""
    return previous_path(path) if is_resumed or not is_there(path) else path


def check_choice(ended: Iterable[str], chosen: frozenset[str]) -> None:
    """Raise UserError where the run that is resumed has done items that this one does not choose."""
    if others := sorted(set(ended) - chosen):
        raise UserError(
            f"--eq-resume: the run that was ended has done {len(others)} items that this one does not choose, such as "
            f"{others[0]}; choose them too, or leave --eq-resume out to begin anew"
        )


def _check_same_run(earlier: Journal, head: JournalHead) -> None:
    """Raise UserError where the journal is of a run with another build, other settings or other suites."""
    if words := baseline_difference(head.head.against, earlier.head.head.against):
        raise UserError(f"--eq-resume: {earlier.path} is of a run {words}; leave --eq-resume out to begin anew")
    if differences := head.differences(earlier.head):
        title = f"--eq-resume: {earlier.path} is of another run:"
        advice = "leave --eq-resume out to begin anew; the journal is kept beside then"
        raise UserError(difference_message(title, differences, advice))


def resumed_line(files: RunFiles) -> str:
    """What is resumed, for the header."""
    if not files.settings.resume:
        return ""
    if files.earlier is None:
        return f"resume: there is no {files.journal.name}: the run begins anew"
    done = sum(entry.record.complete for entry in files.earlier.entries.values())
    return f"resume: {done} items are done since {files.earlier.head.head.date}, and are not run again"


def incomplete_lines(recorder: Recorder, problem: str) -> list[str]:
    """What a run has not done, as lines to print; none where it is complete and its journal has all of it."""
    items = recorder.items
    starved = len(starved_items(items))
    lost = sum(bool(item.lost_levels) for item in items.values())
    counts = {
        "not begun within the time budget": starved,
        "cut short by it": sum(not (item.complete or item.lost_levels) for item in items.values()) - starved,
        "not run at all levels, because a host was lost": lost,
        "without a result": len((recorder.expected or frozenset()) - items.keys()),
    }
    what = ", ".join(f"{count} {words}" for words, count in counts.items() if count)
    chosen = len(recorder.expected or items)
    lines = [f"INCOMPLETE: of {chosen} items {what}; --eq-resume goes on with them"] if what else []
    return [*lines, *([f"ERROR: {problem}"] if problem else [])]
