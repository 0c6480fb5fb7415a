"""Wrong input: one message, exit code 4, no traceback, and no worker where none is needed to see it."""

from __future__ import annotations

import contextlib
import json
import re
import sys
from pathlib import Path

import pytest

from harness.cli import main
from tests.plugin.project import KERNELS, LEVEL, SUITE, Project, needs_workers

NOWHERE = "no/such/python"
"""As the interpreter under test: whoever starts a worker complains of it instead."""

SIZES = "sizes: {N: batch, C: channels, H: spatial, W: spatial}"

IN_THE_SUITE = {
    "unknown key": ("    numerics: exact\n", "    numerics: exact\n    colour: red\n", "unknown key 'colour'"),
    "misspelt key": ("    numerics: exact", "    numeric: exact", "did you mean 'numerics'?"),
    "wrong type": ("dtypes: [float32]", "dtypes: 32", "s.yaml:9:13: "),
    "1e-5 as text": ("numerics: exact", "arguments: {alpha: 1e-5}\n    numerics: exact", "1e-5"),
    "duplicate key": ("    numerics: exact\n", "    numerics: exact\n    numerics: exact\n", "is given twice"),
    "undrawn size": ("[N, C, H, W]", "[N, C, H, D]", "'D' is not"),
    "import": ("[N, C, H, W]", "[N, C, H, \"__import__('os')\"]", "is not arithmetic"),
    "unsatisfiable": ("    numerics: exact\n", '    numerics: exact\n    require: ["N < 0"]\n', "nothing satisfies"),
    "division by zero": (SIZES, f'{SIZES[:-1]}, z: [0], K: "0..N//z"}}', "divides by zero"),
    "empty range": (SIZES, f"{SIZES[:-1]}, K: 5..2}}", "5..2"),
    "negative size": ("[N, C, H, W]", '[N, C, H, "W - 1000"]', "a whole number, 0 or more"),
}


@pytest.mark.parametrize(("old", "new", "expected"), IN_THE_SUITE.values(), ids=IN_THE_SUITE)
def test_a_mistake_in_a_suite_is_reported_before_a_worker_starts(
    project: Project, old: str, new: str, expected: str
) -> None:
    """The message names the file and says what is wrong with it."""
    assert old in SUITE
    project.suite(SUITE.replace(old, new))
    message = project.pytest("--eq-python", NOWHERE).refusal()
    assert expected in message
    assert message.startswith("suites/x/s.yaml:")
    assert NOWHERE not in message


@pytest.mark.parametrize(
    ("content", "expected"),
    [(b"", "the file is empty"), (b"\x00\x01\xff\xfe", "not UTF-8"), (b"suite: [ : ]]", "not YAML")],
    ids=["empty", "binary", "no YAML"],
)
def test_a_file_that_is_no_suite(project: Project, content: bytes, expected: str) -> None:
    """What cannot be read at all is named with its place."""
    project.suite(content)
    message = project.pytest("--eq-python", NOWHERE).refusal()
    assert message.startswith("suites/x/s.yaml:1:")
    assert expected in message


def test_the_mistakes_of_all_files_come_together(project: Project) -> None:
    """One run reports the mistakes of every suite that it was asked for."""
    project.suite(b"")
    project.write("suites/y/t.yaml", SUITE.replace("call:", "cal:"))
    message = project.pytest("--eq-python", NOWHERE).refusal()
    assert "suites/x/s.yaml:1:1:" in message
    assert "suites/y/t.yaml:4:" in message


OPTIONS = {
    "profile": (["--eq-profile", "gat"], "--eq-profile: there is no profile 'gat'; did you mean 'gate'?"),
    "no number": (["--eq-examples", "many"], "--eq-examples: 'many' is not a whole number"),
    "small number": (["--eq-examples", "1"], "--eq-examples: 1 is less than 2"),
    "no time": (["--eq-budget", "0"], "--eq-budget: 0 is less than 1"),
    "no preload": (["--eq-preload", "nowhere.py"], "--eq-preload: there is no file nowhere.py"),
    "no levels": (["--eq-levels", ","], "--eq-levels: ',' names nothing; give names separated by commas"),
    "record": (["--eq-record", "suites"], "--eq-record: suites is a directory; give the name of a file"),
    "record on a device": (["--eq-record=/dev/full"], "it is no regular file; give the name of a file"),
    "endless name": (["--eq-record", "x" * 5000], "File name too long"),
    "endless preload": (["--eq-preload", "x" * 5000], "File name too long"),
    "record below a file": (["--eq-record", "suites/x/s.yaml/r"], "cannot be written: "),
}


@pytest.mark.parametrize(("arguments", "expected"), OPTIONS.values(), ids=OPTIONS)
def test_a_wrong_option(project: Project, arguments: list[str], expected: str) -> None:
    """The message names the option, the value, and what would be right."""
    assert expected in project.pytest("--eq-python", NOWHERE, *arguments).refusal()


def test_a_wrong_option_elsewhere(project: Project) -> None:
    """What comes from the environment or an ini file is named by where it comes from."""
    message = project.pytest(EQUIVALENCE_SEED="x").refusal()
    assert message == "EQUIVALENCE_SEED: 'x' is not a whole number"
    project.write("pytest.ini", "[pytest]\neq_in_process = perhaps\n")
    message = project.pytest().refusal()
    assert message == "eq_in_process in the ini file: 'perhaps' is neither true nor false"


@needs_workers
def test_a_level_that_does_not_exist(project: Project) -> None:
    """An ISA name is checked before a worker starts, with the nearest there is."""
    assert "there is no ISA level 'sse42'; did you mean sse41?" in project.pytest("--eq-levels", "sse42").refusal()


@needs_workers
def test_a_level_that_the_cpu_lacks(project: Project) -> None:
    """A level that is asked for by name and cannot run is refused, and never left out."""
    level = "about: none\n      onednn: null\n      aten: default\n      requires: [no_such_flag]"
    project.write("suites/isa.yaml", f"levels:\n  x86_64:\n    future:\n      {level}\n")
    message = project.pytest("--eq-levels", "future").refusal()
    assert "ISA level future cannot run here: needs no_such_flag" in message


@pytest.mark.parametrize("workers", [[], ["-n", "2"]], ids=["alone", "xdist"])
@pytest.mark.parametrize("mistake", ["suite", "option", "python"])
def test_a_mistake_is_the_same_under_xdist(project: Project, mistake: str, workers: list[str]) -> None:
    """The controller refuses before it starts a worker process of either kind."""
    expected = {"suite": "did you mean 'call'?", "option": "--eq-seed: -1 is less than 0", "python": NOWHERE}[mistake]
    if mistake == "suite":
        project.suite(SUITE.replace("call:", "cal:"))
    arguments = ["--eq-seed", "-1"] if mistake == "option" else ["--eq-python", NOWHERE]
    run = project.pytest(*arguments, *workers)
    assert expected in run.refusal()
    assert "gw0" not in run.output


FAKES = {
    "import fails": ("import os; os.abort()", "", "cannot run a worker: "),
    "no numpy": ("", None, "has no numpy; a worker needs torch and numpy"),
    "neither": (None, None, "has no torch and no numpy; a worker needs torch and numpy"),
}


@needs_workers
@pytest.mark.parametrize(("torch", "numpy", "expected"), FAKES.values(), ids=FAKES)
def test_an_interpreter_that_cannot_be_tested(
    project: Project, torch: str | None, numpy: str | None, expected: str
) -> None:
    """A build that does not even import is one message, and it names the interpreter."""
    for name, text in (("torch", torch), ("numpy", numpy)):
        if text is not None:
            project.write(f"site/{name}/__init__.py", text)
    python = _fake(project, f'PYTHONPATH="{project.root}/site" exec "$PYTHON" -S "$@"')
    message = project.pytest("--eq-python", str(python), PYTHON=sys.executable).refusal()
    assert expected in message
    assert str(python) in message


def test_something_that_is_no_interpreter(project: Project) -> None:
    """The message names a program that is not Python, with what it printed."""
    python = _fake(project, "echo hello")
    assert "is not a working Python interpreter: hello" in project.pytest("--eq-python", str(python)).refusal()


def _fake(project: Project, line: str) -> Path:
    path = project.write("fake-python", f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


@needs_workers
def test_what_only_a_worker_knows(project: Project) -> None:
    """All callables that do not exist and arguments that they lack are named at once, each at its line."""
    wrong = SUITE.replace("  relu:\n", "  other:\n").replace("functional.relu", "functional.relux")
    lacking = SUITE.partition("cases:\n")[2].replace("numerics:", "arguments: {inplac: true}\n    numerics:")
    project.suite(wrong + lacking)
    lines = project.briefly().refusal().splitlines()
    assert lines[0].startswith("suites/x/s.yaml:3:3: other: torch.nn.functional has no 'relux'; did you mean ")
    assert lines[1].startswith("suites/x/s.yaml:10:3: relu: torch.nn.functional.relu takes no argument 'inplac'; did ")
    assert len(lines) == 2


@needs_workers
def test_a_preload_file_that_raises(project: Project) -> None:
    """What a kernel library says when it cannot be loaded is the message."""
    path = project.write("kernels.py", KERNELS + "raise RuntimeError('no such kernel')\n")
    message = project.pytest("--eq-levels", LEVEL, "--eq-preload", "kernels.py").refusal()
    assert message == f"preload {path} raised RuntimeError: no such kernel"


ISSUE = """\
issues:
  one:
    summary: a relu that is wrong in a test
    severity: wrong-values
    oracle: values
    reason: written for a test of what is written wrong
    link: no thread found
    where:
      - cases: ["suites/x/s.yaml::relu"]
        dtypes: [float32]
        tensors: ["output[0]"]
        levels: [sse41]
        when: W > 1
        reproducer: {sizes: {N: 1, C: 1, H: 1, W: 2}}
"""

REPRODUCER = {
    "case": "suites/x/s.yaml::relu",
    "dtype": "float32",
    "sizes": {"N": 1, "C": 1, "H": 1, "W": 2},
    "layouts": {},
}

IN_ISSUES = {
    "no case": ("suites/x/s.yaml::relu", "suites/x/s.yaml::rely", "there is no case"),
    "no suite": ("suites/x/s.yaml::relu", "suites/z/s.yaml::relu", "there is no case"),
    "no match": ("suites/x/s.yaml::relu", "suites/x/s.yaml::gelu*", "there is no case 'suites/x/s.yaml::gelu*'"),
    "no level": ("levels: [sse41]", "levels: [sse42]", "there is no level 'sse42'; did you mean 'sse41'?"),
    "no order": ("levels: [sse41]", "levels: '>= sse42'", "there is no level 'sse42'; did you mean 'sse41'?"),
    "no comparison of levels": ("levels: [sse41]", "levels: 'up to avx2'", "'up to avx2' is none of: all, >= LEVEL"),
    "no level left": ("levels: [sse41]", "levels: '< sse41'", "no level is '< sse41'"),
    "no severity": ("severity: wrong-values", "severity: bad", "expected one of crash, memory, wrong-values"),
    "no reason": ("reason: written", "reason: REASON TO BE WRITTEN", "the reason is not written yet"),
    "no alias": ("when: W > 1", "when: V > 1\n        as: {V: U}", "relu has no 'U'"),
    "no dtype": ("dtypes: [float32]", "dtypes: [float32, float16]", "relu is not run in float16"),
    "no tensor": ('["output[0]"]', '["grad:inptu"]', "relu has no tensor 'inptu'; did you mean 'input'?"),
    "no size": ("when: W > 1", "when: V > 1", "relu has no 'V'"),
    "no condition": ("when: W > 1", "when: W >", "'W >' is not an expression"),
    "other reproducer": ("W: 2}", "W: 1}", "the condition 'W > 1' is not true of the reproducer"),
    "no reproducer": ("{sizes:", "{seed: -1, sizes:", "the reproducer does not parse: an example's 'seed'"),
    "short reproducer": ("H: 1, ", "", "the reproducer does not fit the case: it gives no value for the size 'H'"),
    "no release": ("    link:", '    since: "2.1 or so"\n    link:', "'2.1 or so' is not a release such as '2.15'"),
    "no comparison": ("when: W > 1", 'when: W > "a"', "is not true of the reproducer"),
    "foreign reproducer": ("{sizes:", "{dtype: float16, sizes:", "not of this entry's cases and dtypes"),
}


@pytest.mark.parametrize(("old", "new", "expected"), IN_ISSUES.values(), ids=IN_ISSUES)
def test_a_mistake_in_the_known_issues(
    project: Project, capsys: pytest.CaptureFixture[str], old: str, new: str, expected: str
) -> None:
    """An entry names what exists, and its reproducer is an example of its case under its condition."""
    assert old in ISSUE
    project.write("golden/issues.yaml", ISSUE.replace(old, new))
    with contextlib.chdir(project.root):
        code = main(["check", "suites/x/s.yaml", "--python", NOWHERE])
    message = capsys.readouterr().err
    assert code == 4
    assert message.startswith(f"ERROR: {project.root / 'golden/issues.yaml'}:")
    assert expected in message


def test_a_reproducer_that_is_too_large(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """It is refused before a worker starts, whoever wrote it."""
    project.write("golden/issues.yaml", ISSUE.replace("H: 1, ", "H: 500000000, "))
    with contextlib.chdir(project.root):
        code = main(["replay", json.dumps(REPRODUCER), "--python", NOWHERE])
    assert code == 4
    assert re.search(
        r"^ERROR: known issue one.* \(line \d+\): the reproducer does not fit the case: its tensors have 1,000,000,000",
        capsys.readouterr().err,
    )


def test_a_known_issue_of_a_case_that_does_not_exist_refuses_the_run(project: Project) -> None:
    """The plugin refuses the run with the message that the command line has."""
    project.write("golden/issues.yaml", ISSUE.replace("suites/x/s.yaml::relu", "s.yaml::r"))
    assert "there is no case 's.yaml::r'" in project.pytest("--eq-python", NOWHERE).refusal()
