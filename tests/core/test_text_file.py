"""The door through which files come in: what is read, and what is refused without being waited for."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.core.text_file import LARGEST_FILE, UnreadableFileError, is_there, read_text_file


def refusal(path: Path) -> UnreadableFileError:
    """The error for a file that is not read."""
    with pytest.raises(UnreadableFileError) as error:
        read_text_file(path)
    assert error.value.path == path
    assert str(error.value) == f"{path}:{error.value.line}:{error.value.column}: {error.value.problem}"
    return error.value


def test_text_is_read(tmp_path: Path) -> None:
    """A byte order mark is no part of the text, and every line ends alike."""
    path = tmp_path / "text"
    path.write_bytes(b"\xef\xbb\xbfone\r\ntwo\rthr\xc3\xa9e\n")
    assert read_text_file(path) == "one\ntwo\nthrée\n"


def test_a_link_to_a_file_is_that_file(tmp_path: Path) -> None:
    """What a link leads to is read."""
    (tmp_path / "text").write_text("words")
    (tmp_path / "link").symlink_to("text")
    assert read_text_file(tmp_path / "link") == "words"


def test_a_missing_file_is_told_from_one_that_cannot_be_read(tmp_path: Path) -> None:
    """Whoever can do without a file asks whether it is missing."""
    missing, folder = refusal(tmp_path / "nothing"), refusal(tmp_path)
    assert (missing.problem, missing.is_missing) == ("cannot be read: there is no such file", True)
    assert folder.problem == "cannot be read: it is a directory, and not a regular file"
    assert not folder.is_missing


def test_a_fifo_is_not_waited_for(tmp_path: Path) -> None:
    """Nobody writes to it, and the answer comes all the same."""
    os.mkfifo(tmp_path / "fifo")
    assert refusal(tmp_path / "fifo").problem == "cannot be read: it is a FIFO, and not a regular file"


def test_an_endless_device_is_not_read(tmp_path: Path) -> None:
    """A link to /dev/zero is seen to be a device before anything is read of it."""
    (tmp_path / "zeros").symlink_to("/dev/zero")
    assert refusal(tmp_path / "zeros").problem == "cannot be read: it is a device, and not a regular file"


def test_a_circle_of_links_is_there_and_cannot_be_read(tmp_path: Path) -> None:
    """The system's own words say that there are too many links."""
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert is_there(tmp_path / "a")
    problem = refusal(tmp_path / "a").problem
    assert problem.startswith("cannot be read: ")
    assert "symbolic links" in problem


def test_a_link_to_nothing_is_there(tmp_path: Path) -> None:
    """Whoever can do without the file learns that the link is broken."""
    (tmp_path / "link").symlink_to("nothing")
    assert is_there(tmp_path / "link")
    assert not is_there(tmp_path / "nothing")
    assert refusal(tmp_path / "link").is_missing


def test_a_file_that_may_not_be_read_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The words are the system's; the superuser, whom no mode keeps from reading, meets them here too."""

    def refuse(path: Path, flags: int) -> int:
        """What the system answers to anybody else."""
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path, flags)

    monkeypatch.setattr(os, "open", refuse)
    assert refusal(tmp_path / "secret").problem == "cannot be read: Permission denied"


def test_a_path_that_no_file_can_have_is_no_file() -> None:
    """A null byte in a path is a mistake like any other."""
    assert refusal(Path("a\0b")).problem.startswith("cannot be read: ")
    assert not is_there(Path("a\0b"))
    assert "too long" in refusal(Path("x" * 5000)).problem


def test_a_file_that_is_too_large_is_not_read(tmp_path: Path) -> None:
    """A sparse file of a terabyte costs no more than the largest that is read."""
    with (tmp_path / "large").open("wb") as file:
        file.truncate(2**40)
    assert refusal(tmp_path / "large").problem == "cannot be read: it is larger than 32 MiB"
    os.truncate(tmp_path / "large", LARGEST_FILE)
    assert len(read_text_file(tmp_path / "large")) == LARGEST_FILE


def test_what_is_not_utf_8_has_a_place(tmp_path: Path) -> None:
    """The place is that of the first byte that is no text."""
    (tmp_path / "text").write_bytes("é\nwört: ".encode() + b"\xe9")
    error = refusal(tmp_path / "text")
    assert (error.line, error.column) == (2, 7)
    assert error.problem == "not UTF-8 text: byte 0xe9; save the file as UTF-8"
