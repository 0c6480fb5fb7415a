"""The interpreter in which scripts are run: what it survives, what is in its memory, and when it ends."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.reporting import FAULT_IS_HERE
from harness.script_runner import ScriptRunner
from harness.script_runs import FreshMemory

ROOT = Path(__file__).resolve().parents[1]
PYTHON = os.environ.get("EQUIVALENCE_PYTHON") or sys.executable
AS_IT_COMES = FreshMemory.AS_IT_COMES

FRESH_BYTES = "import torch; print(sorted(set(torch.empty(999, dtype=torch.uint8).tolist())))"
"""A script that says what is in memory which nobody wrote."""


@pytest.fixture(scope="module")
def runner() -> Iterator[ScriptRunner]:
    """One for all tests: no script can take it down."""
    with ScriptRunner(PYTHON) as runner:
        yield runner


@pytest.mark.parametrize(
    ("script", "code", "output"),
    [
        ("print('here')", 0, "here\n"),
        ("import sys; print('here', file=sys.stderr); sys.exit(True)", 1, "here\n"),
        ("import sys; print(repr(sys.stdin.read()))", 0, "''\n"),
        ("import os, sys; print(os.path.basename(sys.argv[0]), sys.argv[1:])", 0, "script.py ['--stock']\n"),
        ("1 / 0", 2, "ZeroDivisionError: division by zero\n"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV, ""),
        ("import os; os._exit(3)", 3, ""),
    ],
)
def test_how_a_script_ends(script: str, code: int, output: str, runner: ScriptRunner) -> None:
    """Its exit code or minus a signal, and all that it said; what the next one says is its own."""
    run = runner.run(script, AS_IT_COMES, arguments=["--stock"])
    assert run.code == code
    assert run.output.endswith(output)
    assert runner.run("print('next')", AS_IT_COMES).output == "next\n"


def test_a_script_that_never_ends_is_ended(runner: ScriptRunner) -> None:
    """So is what it has started, and it does not show its fault."""
    script = "import os, time; os.fork(); print(os.getpid(), flush=True); time.sleep(60)"
    run = runner.run(script, AS_IT_COMES, limit=3.0)
    assert (run.code, run.shows_fault) == (-signal.SIGKILL, False)
    pids = [int(pid) for pid in run.output.split()]
    assert len(pids) == 2
    wait_for(lambda: not any(map(is_alive, pids)))


def test_torch_is_imported_once(runner: ScriptRunner) -> None:
    """Each script is a child of the same process, which has none of its own threads and no harness."""
    parents = {runner.run("import os; print(os.getppid())", memory).output for memory in FreshMemory}
    assert len(parents) == 1
    script = "import sys, threading; print('torch' in sys.modules, 'harness' in sys.modules, threading.active_count())"
    assert runner.run(script, AS_IT_COMES).output == "True False 1\n"


def test_what_is_in_fresh_memory(runner: ScriptRunner) -> None:
    """Zeros or the complement of the byte that a script sets itself; and either way after it has started anew."""
    assert runner.run(FRESH_BYTES, FreshMemory.ZERO).output == "[0]\n"
    assert runner.run(FRESH_BYTES, FreshMemory.FILLED).output == "[90]\n"
    restart = "os.execv(sys.executable, [sys.executable, *sys.argv, 'again'])"
    restarting = f"import os, sys\nif 'again' not in sys.argv:\n    {restart}\n{FRESH_BYTES}"
    assert runner.run(restarting, FreshMemory.ZERO).output == "[0]\n"
    assert runner.run(restarting, FreshMemory.FILLED).output == "[90]\n"


def test_what_a_script_sets_stays_with_it(runner: ScriptRunner) -> None:
    """Neither variables nor settings of torch reach the next one."""
    change = "import os, torch; os.environ['MALLOC_PERTURB_'] = '7'; torch.set_num_threads(1); torch.randn(9, 9).exp()"
    look = "import os, torch; print(os.environ.get('MALLOC_PERTURB_'), torch.get_num_threads())"
    before = runner.run(look, AS_IT_COMES).output
    assert before.startswith("None ")
    assert runner.run(change, AS_IT_COMES).code == 0
    assert runner.run(look, AS_IT_COMES).output == before


def test_one_that_was_killed_is_started_again() -> None:
    """The script that took it down has not shown its fault."""
    with ScriptRunner(PYTHON) as runner:
        run = runner.run("import os, signal, time; os.kill(os.getppid(), signal.SIGKILL); time.sleep(9)", AS_IT_COMES)
        assert (run.code, run.shows_fault) == (-9, False)
        run = runner.run(f"print({FAULT_IS_HERE!r}); raise SystemExit(1)", AS_IT_COMES)
        assert run.shows_fault


def test_none_is_started_where_nothing_is_run() -> None:
    """A run without failures does not pay for it."""
    with ScriptRunner("/there/is/no/such/interpreter") as runner:
        assert not runner.is_running


def test_an_interpreter_without_torch_is_a_mistake(tmp_path: Path) -> None:
    """The message has its path and its last words."""
    python = tmp_path / "python"
    python.write_text("#!/bin/sh\necho ModuleNotFoundError: No module named torch >&2; exit 1\n", "utf-8")
    python.chmod(0o755)
    with ScriptRunner(str(python)) as runner, pytest.raises(UserError, match=f"{python}: ModuleNotFoundError"):
        runner.run("", AS_IT_COMES)


def test_nothing_outlives_the_run_that_started_it(tmp_path: Path) -> None:
    """Though it was killed in the middle of a script."""
    noted = tmp_path / "pids"
    script = f"import os, time; open({str(noted)!r}, 'w').write(f'{{os.getpid()}} {{os.getppid()}}\\n'); time.sleep(99)"
    text = (
        "from harness.script_runner import ScriptRunner\nfrom harness.script_runs import FreshMemory\n"
        f"ScriptRunner({PYTHON!r}).run({script!r}, FreshMemory.AS_IT_COMES)"
    )
    run = subprocess.Popen([sys.executable, "-c", text], cwd=ROOT)
    wait_for(lambda: noted.exists() and noted.read_text("ascii").endswith("\n"))
    run.kill()
    run.wait()
    pids = [int(pid) for pid in noted.read_text("ascii").split()]
    wait_for(lambda: not any(map(is_alive, pids)))


def wait_for(condition: Callable[[], bool], seconds: float = 120.0) -> None:
    """Return as soon as it is true. Raises AssertionError where it does not become so."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.05)


def is_alive(pid: int) -> bool:
    """Whether there is a process of that id that still runs: one that nobody has waited for does not."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text("ascii")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
