"""Writing a record: to its file, or to one that the message names."""

from __future__ import annotations

import errno
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.reporting import (
    WrittenRecord,
    prepare_record,
    previous_path,
    put_aside,
    put_back,
    read_record,
    write_record,
)
from tests.reporting.records import operator_item, record

RECORD = record(operator_item())
FILE_EXISTS = os.strerror(errno.EEXIST)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A directory on a file system of its own that takes few bytes."""
    directory = tmp_path / "disk"
    directory.mkdir()
    mount, umount = (shutil.which(name) or name for name in ("mount", "umount"))
    line = [mount, "-t", "tmpfs", "-o", "size=128k", "tmpfs", str(directory)]
    if os.geteuid() != 0 or subprocess.run(line, capture_output=True, check=False).returncode != 0:
        pytest.skip("needs a user who can mount a small file system")
    yield directory
    subprocess.run([umount, str(directory)], check=True)


def others_in(directory: Path) -> list[str]:
    """The files of a directory that are no record."""
    return [path.name for path in directory.iterdir() if path.name != "record.json"]


def test_directories_are_made_before_the_run(tmp_path: Path) -> None:
    """Nothing else is: a file that can be written is none that was."""
    prepare_record(tmp_path / "deep" / "record.json")
    assert list((tmp_path / "deep").iterdir()) == []


def test_a_record_of_an_earlier_run_is_not_changed_by_a_look(tmp_path: Path) -> None:
    """Finding out that it can be written changes nothing in it."""
    path = tmp_path / "record.json"
    path.write_text("earlier")
    prepare_record(path)
    assert path.read_text() == "earlier"


def test_a_record_of_an_earlier_run_is_put_aside_and_back(tmp_path: Path) -> None:
    """It has another name until it is put back, through a link too, and never the place of another file."""
    path, link = tmp_path / "record.json", tmp_path / "link.json"
    link.symlink_to(path)
    path.write_text("earlier")
    put_aside(link)
    assert not path.exists()
    assert previous_path(link).read_text() == previous_path(path).read_text() == "earlier"
    put_back(link)
    assert path.read_text() == "earlier"
    put_aside(path)
    put_aside(path)
    assert previous_path(path).read_text() == "earlier"
    path.write_text("later")
    put_back(path)
    assert path.read_text() == "later"


def test_a_record_has_the_permissions_of_the_one_put_aside(tmp_path: Path) -> None:
    """Who could read the last record can read the next one."""
    path = tmp_path / "record.json"
    path.write_text("earlier")
    path.chmod(0o640)
    put_aside(path)
    write_record(RECORD, path)
    assert path.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("file/record.json", "cannot be written: "),
        ("directory", "it is no regular file; give the name of a file"),
        ("fifo", "it is no regular file; give the name of a file"),
        ("loop", os.strerror(errno.ELOOP)),
        ("x" * 300, os.strerror(errno.ENAMETOOLONG)),
        ("/dev/full", "it is no regular file; give the name of a file"),
        ("/proc/version", "cannot be written: "),
    ],
)
def test_a_file_that_cannot_be_written_is_known_before_the_run(tmp_path: Path, name: str, words: str) -> None:
    """What is no file, leads nowhere or lies where nothing can be made is refused, with the system's reason."""
    (tmp_path / "file").touch()
    (tmp_path / "directory").mkdir()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(UserError, match=r"^the record .* cannot be written: ") as refused:
        prepare_record(tmp_path / name)
    assert words in str(refused.value)


def test_a_full_disk_is_known_before_the_run(small_disk: Path) -> None:
    """A disk that takes not even a few bytes is no place for a record."""
    (small_disk / "rest").write_bytes(bytes(100 * 1024))
    with pytest.raises(UserError, match=os.strerror(errno.ENOSPC)):
        prepare_record(small_disk / "record.json")


def test_a_record_takes_the_place_of_the_last(tmp_path: Path) -> None:
    """Through a link too, with the permissions that the file had, and with no file left beside it."""
    path, link = tmp_path / "record.json", tmp_path / "deep" / "record.json"
    path.write_text("earlier")
    path.chmod(0o640)
    link.parent.mkdir()
    link.symlink_to(path)
    assert str(write_record(RECORD, link)) == f"record: {link}"
    assert link.is_symlink()
    assert read_record(path) == RECORD
    assert path.stat().st_mode & 0o777 == 0o640
    assert others_in(link.parent) == []


def test_what_a_disk_does_not_take_is_written_elsewhere(
    small_disk: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The message says why and where; the last record stays whole."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    path = small_disk / "record.json"
    write_record(RECORD, path)
    large = record(*(operator_item(f"suites/x/s.yaml::case{number}") for number in range(2000)))
    written = write_record(large, path)
    assert written.path is not None
    assert read_record(written.path) == large
    reason = f"ERROR: the record {path} could not be written: {os.strerror(errno.ENOSPC)}"
    assert str(written) == f"{reason}; it is in {written.path}"
    assert read_record(path) == RECORD
    assert others_in(small_disk) == []


def test_what_cannot_be_written_in_its_place_is_written_elsewhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A directory that has gone since the run began loses no record."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "file").touch()
    written = write_record(RECORD, tmp_path / "file" / "record.json")
    assert written.path is not None
    assert read_record(written.path) == RECORD
    assert written.problem == f"the record {tmp_path}/file/record.json could not be written: {FILE_EXISTS}"


def test_what_no_place_takes_is_lost_in_one_message(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It says so, and raises nothing."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "gone"))
    (tmp_path / "file").touch()
    written = write_record(RECORD, tmp_path / "file" / "record.json")
    assert written.path is None
    assert str(written).startswith(f"ERROR: the record {tmp_path}/file/record.json could not be written: ")
    assert str(written).endswith("; it is lost")


def test_a_place_is_said_in_a_line(tmp_path: Path) -> None:
    """Where all went well it is the file alone."""
    assert str(WrittenRecord(tmp_path)) == f"record: {tmp_path}"
