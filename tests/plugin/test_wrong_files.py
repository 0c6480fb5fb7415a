"""Files that are none, or hold what nobody could run: one message with a place, exit code 4, and no traceback."""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.cli import main
from tests.plugin.project import SUITE, Project
from tests.plugin.test_mistakes import NOWHERE, SIZES

ROOT = Path(__file__).resolve().parents[2]
NO_REGULAR_FILE = "and not a regular file"


def make_sparse(path: Path) -> None:
    """A file of a terabyte, of which nothing is on the disk."""
    path.touch()
    os.truncate(path, 2**40)


def make_circle(path: Path) -> None:
    """A link that leads to itself by way of another."""
    path.symlink_to("other.yaml")
    path.with_name("other.yaml").symlink_to(path.name)


NO_FILES: dict[str, tuple[Callable[[Path], object], str]] = {
    "endless device": (lambda path: path.symlink_to("/dev/zero"), f"it is a device, {NO_REGULAR_FILE}"),
    "FIFO": (os.mkfifo, f"it is a FIFO, {NO_REGULAR_FILE}"),
    "directory": (Path.mkdir, f"it is a directory, {NO_REGULAR_FILE}"),
    "circle of links": (make_circle, "symbolic links"),
    "link to nothing": (lambda path: path.symlink_to("nothing"), "there is no such file"),
    "a terabyte": (make_sparse, "it is larger than 32 MiB"),
    "a long list": (lambda path: path.write_text("suite: [" + "1," * 2_500_000 + "1]"), "at most 1000 entries"),
}


@pytest.mark.parametrize(("make", "expected"), NO_FILES.values(), ids=NO_FILES)
def test_what_is_no_file_of_text_is_refused_by_check(
    project: Project, capsys: pytest.CaptureFixture[str], make: Callable[[Path], object], expected: str
) -> None:
    """The command line looks at a suite without waiting for it, and without reading what has no end."""
    make(project.root / "suites" / "x" / "wrong.yaml")
    message = refusal(project, capsys, "check", "suites/x/wrong.yaml")
    assert message.startswith("suites/x/wrong.yaml:1:")
    assert expected in message


@pytest.mark.parametrize(
    "name",
    [
        "suites/isa.yaml", "golden/issues.yaml", "golden/models.yaml", "golden/double_backward.yaml",
        "golden/contract/s.yaml", "golden/snapshots/s.yaml",
    ],
)  # fmt: skip
def test_no_file_of_the_project_is_waited_for(project: Project, capsys: pytest.CaptureFixture[str], name: str) -> None:
    """A FIFO in the place of any file that a run reads is named, and not taken for a file that is not there."""
    (project.root / name).parent.mkdir(parents=True, exist_ok=True)
    os.mkfifo(project.root / name)
    message = refusal(project, capsys, "check", "suites/x/s.yaml")
    assert f"{name}:1:1: cannot be read: it is a FIFO, {NO_REGULAR_FILE}" in message


@pytest.mark.parametrize("name", ["coverage", "accuracy"])
def test_no_record_is_waited_for(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """A FIFO that is given as a record is named."""
    monkeypatch.delenv("CI", raising=False)  # under it, accuracy refuses to write before it reads
    os.mkfifo(project.root / "record")
    message = refusal(project, capsys, name, "--record", "record")
    assert f"cannot be read: it is a FIFO, {NO_REGULAR_FILE}" in message


def test_no_example_is_waited_for(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """A FIFO that is given as a file of examples is named."""
    os.mkfifo(project.root / "examples")
    assert NO_REGULAR_FILE in refusal(project, capsys, "replay", "examples")


def refusal(project: Project, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one message of a command that was refused with exit code 4."""
    with contextlib.chdir(project.root):
        code = main([*arguments, *(["--python", NOWHERE] if arguments[0] in ("check", "replay") else [])])
    message = capsys.readouterr().err
    assert code == 4
    assert message.count("ERROR: ") == 1
    assert "Traceback" not in message
    return message.removeprefix("ERROR: ")


IN_THE_SUITE = {
    "text times a number": (SIZES, f"{SIZES[:-1]}, k: \"0..'a'*1000000000\"}}", "text has no arithmetic"),
    "a wide format": (SIZES, f"{SIZES[:-1]}, k: \"0..'%1000000000d' % 1\"}}", "text has no arithmetic"),
    "an unknown format": (SIZES, f"{SIZES[:-1]}, k: \"0..'%z' % 1\"}}", "text has no arithmetic"),
    "the largest of nothing": (SIZES, f'{SIZES[:-1]}, k: "0..max(())"}}', "cannot be computed"),
    "500 minus signs": (SIZES, f"{SIZES[:-1]}, k: '0..{'-' * 500}1'}}", "nested too deeply to be read"),
    "infinitely many terms": ("exact", '{output: multilinear, terms: "1e999"}', "larger than every float64"),
    "a merge key as text": ("    numerics", "    examples: [{why: a key, '<<': 1}]\n    numerics", "no key begins"),
    "a tag as a key": ("    numerics", "    <x>: 1\n    numerics", "no key begins with <; '<x>' means nothing here"),
    "an empty number": ("[float32]", "[!!int '']", "'' is not of the type that its tag '!!int' says"),
    "4,300 digits": (SIZES, f"{SIZES[:-1]}, k: [0x{'f' * 4300}]}}", "has more than 64 bits"),
    "a bomb of aliases": ("suite: x", "suite: x\nabout: &a [1, 1, 1, 1, 1, 1, 1, 1, 1]\n" + "".join(
        f"b{number}: &b{number} [{', '.join([f'*{before}'] * 9)}]\n"
        for number, before in enumerate(["a", "b0", "b1", "b2", "b3", "b4", "b5"])
    ), "aliases make more than 50000 values of this"),
    "a deep list": ("suite: x", f"suite: {'[' * 5000}", "nested too deeply to be read"),
    "a huge tensor": ("[N, C, H, W]", "[N, C, H, 200000000]", "no more than 134,217,728 can be run"),
}  # fmt: skip


@pytest.mark.parametrize(("old", "new", "expected"), IN_THE_SUITE.values(), ids=IN_THE_SUITE)
def test_what_no_suite_may_say_is_refused_by_check(
    project: Project, capsys: pytest.CaptureFixture[str], old: str, new: str, expected: str
) -> None:
    """It takes neither time nor memory to see it, and its place is in the message."""
    assert old in SUITE
    project.suite(SUITE.replace(old, new, 1))
    message = refusal(project, capsys, "check", "suites/x/s.yaml")
    assert message.startswith("suites/x/s.yaml:")
    assert expected in message


GOLDEN = {
    "snapshot": ("golden/snapshots/s.yaml", "  relu:\n  - output[0]: float32 [1,,2] sha256 0123456789abcdef\n"),
    "rule": ("golden/contract/s.yaml", "  relu:\n    output[0]: 3\n"),
    "key": ("golden/contract/s.yaml", "  relu:\n    '': contiguous\n"),
}


@pytest.mark.parametrize(("name", "text"), GOLDEN.values(), ids=GOLDEN)
def test_what_no_golden_file_may_say_is_refused_by_check(
    project: Project, capsys: pytest.CaptureFixture[str], name: str, text: str
) -> None:
    """Golden data that nobody wrote so is a mistake in its line."""
    project.write(name, f'suite: suites/x/s.yaml\nverified: ["2.15"]\ncases:\n{text}')
    assert refusal(project, capsys, "check", "suites/x/s.yaml").startswith(f"{name}:")


@pytest.fixture
def strange_files(project: Project) -> Iterator[Project]:
    """A project with three suites that are no files."""
    folder = project.root / "suites" / "x"
    (folder / "s.yaml").unlink()
    (folder / "zero.yaml").symlink_to("/dev/zero")
    os.mkfifo(folder / "fifo.yaml")
    make_circle(folder / "circle.yaml")
    yield project
    shutil.rmtree(folder)


def test_pytest_refuses_what_is_no_file(strange_files: Project) -> None:
    """One run names all of them and ends with exit code 4."""
    message = strange_files.pytest("--eq-python", NOWHERE).refusal()
    for name in ("zero", "fifo", "circle", "other"):
        assert f"suites/x/{name}.yaml:1:1: cannot be read: " in message


def test_pytest_refuses_a_named_fifo(project: Project) -> None:
    """A file that is named on the command line is looked at like one that lies below a folder."""
    os.mkfifo(project.root / "fifo.yaml")
    run = project.run("pytest", "fifo.yaml", "-p", "no:cacheprovider", "--eq-python", NOWHERE)
    assert NO_REGULAR_FILE in run.refusal()
