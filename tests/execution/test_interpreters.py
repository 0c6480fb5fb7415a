"""Interpreters and preload files that do not work: one sentence each."""

from __future__ import annotations

import errno
import os
import stat
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.execution import Executor
from harness.execution.host import probe_host
from harness.execution.workers import environment, process
from tests.execution import stand


def script(path: Path, text: str) -> str:
    """An executable shell script."""
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def probe_answer(version: str = "3, 11, 0", missing: str = "") -> str:
    """A script that answers the probe itself and hands anything else to this interpreter, without its packages."""
    answer = (
        f'{{"version": [{version}], "machine": "{stand.MACHINE}", "cpu": "a CPU", "flags": ["sse4_1"], '
        f'"missing": [{missing}]}}'
    )
    other = f'PYTHONPATH=$BROKEN exec {sys.executable} "$@"'
    return f"case \"$1\" in -c) echo 'equivalence-probe:{answer}';; *) {other};; esac"


def test_an_interpreter_that_is_not_there() -> None:
    """The message names the path, and what to pass instead."""
    with pytest.raises(UserError, match="there is no interpreter /no/such/python; give the path"):
        probe_host("/no/such/python")


def test_a_program_that_is_no_python(tmp_path: Path) -> None:
    """Its last line is quoted."""
    python = script(tmp_path / "python", "echo 'cannot open shared object' >&2; exit 3")
    with pytest.raises(UserError, match="is not a working Python interpreter: cannot open shared object"):
        probe_host(python)
    silent = script(tmp_path / "silent", "exit 3")
    with pytest.raises(UserError, match="exit status 3 and no output"):
        probe_host(silent)


def test_a_file_that_cannot_be_executed(tmp_path: Path) -> None:
    """The system's own reason is passed on."""
    python = tmp_path / "python"
    python.write_bytes(b"\x7fELF nothing")
    python.chmod(0o755)
    with pytest.raises(UserError, match=f"does not run: .*{os.strerror(errno.ENOEXEC)}"):
        probe_host(str(python))


def test_an_interpreter_that_is_too_old(tmp_path: Path) -> None:
    """The version it has and the version it needs."""
    with pytest.raises(UserError, match=r"is Python 3\.6\.1; a worker needs 3\.8 or newer"):
        probe_host(script(tmp_path / "python", probe_answer("3, 6, 1")))


def test_an_interpreter_without_torch_or_numpy(tmp_path: Path) -> None:
    """What is missing is named."""
    with pytest.raises(UserError, match="has no torch and no numpy; a worker needs"):
        probe_host(script(tmp_path / "python", probe_answer(missing='"torch", "numpy"')))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise ImportError('libtorch.so is lost')", "ImportError: libtorch.so is lost"),
        ("import os; os.write(2, b'illegal hardware\\n'); os.abort()", "illegal hardware"),
    ],
)
def test_a_torch_that_does_not_import(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    """The worker's last words are quoted, whether it raised or died."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "torch.py").write_text(text)
    monkeypatch.setitem(os.environ, "BROKEN", str(broken))
    python = script(tmp_path / "python", probe_answer())
    with pytest.raises(UserError, match="cannot run a worker: ") as caught, Executor([stand.SSE41], python=python):
        pass
    assert str(caught.value).endswith(message)


NOTED = "import os, time; open(os.environ['STARTED'], 'a').write(str(os.getpid()) + '\\n'); "


@pytest.fixture
def noted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], tuple[Executor, Path]]:
    """An executor whose torch does this, and the file in which who imports it leaves its process id."""

    def make(torch: str) -> tuple[Executor, Path]:
        broken = tmp_path / "broken"
        broken.mkdir()
        (broken / "torch.py").write_text(NOTED + torch)
        (tmp_path / "started").touch()
        monkeypatch.setitem(os.environ, "BROKEN", str(broken))
        monkeypatch.setitem(os.environ, "STARTED", str(tmp_path / "started"))
        return Executor([stand.SSE41], python=script(tmp_path / "python", probe_answer())), tmp_path / "started"

    return make


def importing(started: Path) -> list[str]:
    """The process ids in that file, once there is one."""
    while not (pids := started.read_text().split()):
        time.sleep(0.05)
    return pids


@pytest.mark.parametrize("levels_are_known", [True, False])
def test_workers_can_start_ahead_of_entry(
    noted: Callable[[str], tuple[Executor, Path]], levels_are_known: bool
) -> None:
    """`start` returns while torch is imported, once for all, and `close` ends that where entry never comes."""
    executor, started = noted("time.sleep(600)")
    executor.start(levels_are_known=levels_are_known)
    (pid,) = importing(started)
    executor.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(pid), 0)


def test_entry_waits_for_the_workers_that_were_started(noted: Callable[[str], tuple[Executor, Path]]) -> None:
    """It starts no others, and says what is wrong with them."""
    executor, started = noted("time.sleep(1); raise ImportError('libtorch.so is lost')")
    executor.start()
    pids = importing(started)
    with pytest.raises(UserError, match=r"libtorch\.so is lost"), executor:
        pass
    assert importing(started) == pids


def test_a_worker_that_does_not_answer_in_time(
    noted: Callable[[str], tuple[Executor, Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """That is the reason, and not the warning that it has printed before, nor its last word, which is quoted."""
    warning = "'x.py:3: UserWarning: a driver is old\\n  warn()\\n'"
    executor, _started = noted(f"import sys; print('waiting', {warning}, file=sys.stderr, sep='\\n'); time.sleep(600)")
    monkeypatch.setattr(process, "START_LIMIT", 1.0)
    with pytest.raises(UserError, match=r"cannot run a worker: no answer within 1 s; waiting$"), executor:
        pass


def test_the_levels_may_become_known_while_torch_is_imported(noted: Callable[[str], tuple[Executor, Path]]) -> None:
    """Which levels run is chosen after the start, and the workers are those of the process that began then."""
    executor, started = noted("time.sleep(1); raise ImportError('libtorch.so is lost')")
    executor.start(levels_are_known=False)
    pids = importing(started)
    executor.run_representative_levels()
    executor.start()
    with pytest.raises(RuntimeError, match="before the workers start"):
        executor.run_representative_levels()
    with pytest.raises(UserError, match=r"libtorch\.so is lost"), executor:
        pass
    assert importing(started) == pids


def test_a_worker_that_does_not_even_start(tmp_path: Path) -> None:
    """An interpreter that answers once and then never again gives the same message."""
    answer = probe_answer().replace("exec", "exit 5; exec")
    python = script(tmp_path / "python", answer)
    with pytest.raises(UserError, match="cannot run a worker"), Executor([stand.SSE41], python=python):
        pass


def test_a_preload_file_that_is_not_there(tmp_path: Path) -> None:
    """It is named before any worker starts."""
    with (
        pytest.raises(UserError, match="there is no preload file"),
        Executor([stand.SSE41], preload=[tmp_path / "none.py"]),
    ):
        pass


@pytest.mark.parametrize("in_process", [True, False])
def test_a_preload_file_that_raises(tmp_path: Path, in_process: bool) -> None:
    """File, class and line."""
    file = tmp_path / "kernels.py"
    file.write_text("raise KeyError('lost')")
    with (
        pytest.raises(UserError, match=r"preload .*kernels\.py raised KeyError: 'lost'"),
        Executor([stand.SSE41], preload=[file], in_process=in_process),
    ):
        pass


def test_a_preload_file_can_import_one_before_it(tmp_path: Path) -> None:
    """Each is the module of its name."""
    files = [tmp_path / name for name in ("first_of_two.py", "second_of_two.py")]
    files[0].write_text("WORD = 'lost'")
    files[1].write_text("from first_of_two import WORD\nraise KeyError(WORD)")
    with (
        pytest.raises(UserError, match=r"preload .*second_of_two\.py raised KeyError: 'lost'"),
        Executor([], preload=files, in_process=True),
    ):
        pass


def test_in_process_has_no_other_interpreter() -> None:
    """Both options together contradict each other."""
    with pytest.raises(UserError, match="in-process"), Executor([], python=sys.executable, in_process=True):
        pass


def test_the_environment_names_what_is_scrubbed() -> None:
    """All three names of oneDNN's variables, and everything else that picks kernels."""
    names = {
        "DNNL_VERBOSE": "",
        "MKLDNN_X": "",
        "ONEDNN_X": "",
        "TORCH_LOGS": "",
        "HOME": "",
        "OMP_X": "",
        "ATEN_X": "",
    }
    assert environment.tuning_variables(names) == [
        "ATEN_X",
        "DNNL_VERBOSE",
        "MKLDNN_X",
        "OMP_X",
        "ONEDNN_X",
        "TORCH_LOGS",
    ]


def test_settings_of_a_level(tmp_path: Path) -> None:
    """A level without a oneDNN cap sets none; only traced workers print their primitives."""
    variables = environment.variables(None, "avx2", tmp_path, traced=False)
    assert variables["ATEN_CPU_CAPABILITY"] == "avx2"
    assert not {"ONEDNN_MAX_CPU_ISA", "ONEDNN_VERBOSE"} & set(variables)
    assert environment.variables("AVX2", "avx2", tmp_path, traced=True)["ONEDNN_VERBOSE"] == "1"


def test_last_words_prefer_the_fatal_error(tmp_path: Path) -> None:
    """A dump of stacks and modules does not hide what went wrong."""
    file = tmp_path / "err"
    file.write_text(
        'a\nfree(): invalid pointer\nFatal Python error: Aborted\n\nCurrent thread:\n  File "x.py", line 1\nb\n'
    )
    assert environment.last_words(file) == [
        "free(): invalid pointer",
        "Fatal Python error: Aborted",
        'File "x.py", line 1',
    ]
    assert environment.last_words(tmp_path / "none") == []


@pytest.mark.parametrize(
    "warning",
    [
        "/lib/torch/a.py:18: UserWarning: a driver is old\n  warnings.warn(text)\n",
        "<string>:1: DeprecationWarning: no more\n",
        "W1127 22:55:37.434000 24517 torch/utils/cpp_extension.py:183] No CUDA runtime is found\n",
        "[W1127 22:55:37.434000 init.cpp:18] Warning: a driver is old",
    ],
)
def test_last_words_are_no_warnings(tmp_path: Path, warning: str) -> None:
    """Behind the line that matters as before it; alone they say nothing."""
    file = tmp_path / "err"
    file.write_text(f"{warning}\nImportError: libtorch.so is lost\n{warning}")
    assert environment.last_words(file) == ["ImportError: libtorch.so is lost"]
    file.write_text(warning)
    assert environment.last_words(file) == []


def test_each_instruction_set_has_a_cache_of_compiled_kernels_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """Below the folder of the pool, whatever the person has chosen: that one may hold kernels of another level."""
    monkeypatch.setenv("TORCHINDUCTOR_CACHE_DIR", "/chosen")
    caps = [("AVX2", "avx2"), ("AVX512_CORE", "avx512"), (None, None)]
    folders = [environment.variables(*cap, Path("/pool"), traced=False)["TORCHINDUCTOR_CACHE_DIR"] for cap in caps]
    assert folders == ["/pool/AVX2-avx2", "/pool/AVX512_CORE-avx512", "/pool/uncapped-uncapped"]
