"""Saved failures: kept by item, forgotten when they pass, and never in the way."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from harness.core import Example
from harness.failure_database import FailureDatabase
from tests.trial.toy import CASE

EXAMPLE = Example(CASE.id, "float32", {"N": 1, "C": 2, "H": 3, "W": 4}, {"input": "channels_last"})


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    """The examples come back in their order; saving none forgets the file."""
    memory = FailureDatabase(tmp_path, CASE, "float32")
    assert memory.load() == []
    memory.save([EXAMPLE, EXAMPLE.but(seed=3)])
    assert memory.load() == [EXAMPLE, EXAMPLE.but(seed=3)]
    memory.save([])
    memory.save([])
    assert memory.load() == []
    assert not memory.path.exists()


def test_an_example_that_is_too_large_is_left_out(tmp_path: Path) -> None:
    """A file that somebody else has written fills no memory, and an example without shapes is none."""
    memory = FailureDatabase(tmp_path, CASE, "float32")
    sizes = EXAMPLE.sizes
    memory.save([EXAMPLE.but(sizes={**sizes, "H": 10**9}), EXAMPLE.but(sizes={**sizes, "H": -1}), EXAMPLE])
    assert memory.load() == [EXAMPLE]


def test_what_cannot_be_saved_is_said(tmp_path: Path) -> None:
    """A place that takes no file costs the memory of the failure, and not the run."""
    memory = FailureDatabase(tmp_path, CASE, "float32")
    (tmp_path / ".equivalence").touch()
    assert memory.save([EXAMPLE]) == (
        f"what failed could not be saved for the next run in {memory.path}: {os.strerror(errno.ENOTDIR)}"
    )
    assert memory.load() == []


def test_each_item_has_its_file(tmp_path: Path) -> None:
    """The file is named by case and dtype, below the project."""
    path = FailureDatabase(tmp_path, CASE, "float16").path
    assert path == tmp_path / ".equivalence/failures/suites-operators-toy/double[float16].json"


@pytest.mark.parametrize("text", ["", "{", "5", "{}", "[1]", '[{"case": "x"}]', "\udcff"])
def test_a_damaged_file_is_no_failure(tmp_path: Path, text: str) -> None:
    """A file that cannot be read counts as if nothing had been saved."""
    memory = FailureDatabase(tmp_path, CASE, "float32")
    memory.path.parent.mkdir(parents=True)
    memory.path.write_bytes(text.encode("utf-8", "surrogateescape"))
    assert memory.load() == []


def test_an_example_of_an_earlier_form_of_the_case_is_left_out(tmp_path: Path) -> None:
    """A size that the case no longer has makes it another case's example."""
    memory = FailureDatabase(tmp_path, CASE, "float32")
    memory.save([EXAMPLE.but(sizes={"N": 1}), EXAMPLE])
    assert memory.load() == [EXAMPLE]
