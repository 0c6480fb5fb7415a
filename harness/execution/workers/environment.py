"""The command line of a worker: its environment is right from the first instruction, not set later from inside."""

from __future__ import annotations

import contextlib
import os
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.portable import poison

SCRUBBED: Final = (
    "ATEN_", "DNNL_", "GLIBC_TUNABLES", "GOMP_", "KMP_", "MALLOC_", "MKL_", "MKLDNN_", "OMP_", "ONEDNN_",
    "PYTORCH_", "TORCH_",
)  # fmt: skip
"""Prefixes of variables that change which kernels run, or how. oneDNN reads all three of its names."""

COMMON: Final[Mapping[str, str]] = {
    "MALLOC_PERTURB_": str(poison.PERTURB),
    # blocks below 1 kB would come from the per-thread cache, which is not filled
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONDONTWRITEBYTECODE": "1",
}

LEAST_MEMORY: Final = 4 * 2**30
"""Bytes for a worker on a machine that has little: torch, its threads and the largest examples take less."""

CONTAINER_MEMORY: Final = Path("/sys/fs/cgroup/memory.max")
"""What a container may have: the kernel's cgroup-v2.rst."""

LEAVES_FIRST: Final = 500
"""How much sooner than other processes a worker is ended where memory runs out: proc_pid_oom_score_adj(5)."""


def variables(onednn: str | None, aten: str | None, *, traced: bool) -> dict[str, str]:
    """What a worker with these caps has in its environment on top of the scrubbed one of the harness."""
    chosen = dict(COMMON)
    if onednn is not None:
        chosen["ONEDNN_MAX_CPU_ISA"] = onednn
    if aten is not None:
        chosen["ATEN_CPU_CAPABILITY"] = aten
    if traced:
        chosen["ONEDNN_VERBOSE"] = "1"
    return chosen


def tuning_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """The names in `environment` (by default this process's) that a worker must not inherit, sorted."""
    names = os.environ if environment is None else environment
    return sorted(name for name in names if name.startswith(SCRUBBED))


def memory_limit() -> int:
    """The bytes of data that one worker may have: half of what the machine has, and as much as a worker needs at least.

    An allocation beyond them fails, and is what an operator raises; without, the machine would swap, or end a process.
    """
    total = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(OSError, ValueError):  # not in a container, or one without a limit, which is ``max``
        total = min(total, int(CONTAINER_MEMORY.read_text("ascii")))
    return max(total // 2, LEAST_MEMORY)


def command(python: str, settings: Mapping[str, str], stderr: Path, pid: Path) -> str:
    """A shell-quoted command line that becomes `python` with these variables; two files take its stderr and its id.

    `exec` twice, so that the process that is started is the interpreter itself: its exit status tells the signal.
    What it allocates is limited, and where the machine runs out of memory all the same it goes before the harness.
    """
    unset = [part for name in tuning_variables() for part in ("-u", name)]
    assign = [f"{name}={value}" for name, value in settings.items()]
    limit = f"ulimit -S -d {memory_limit() // 1024} 2>/dev/null"
    goes_first = f"{{ echo {LEAVES_FIRST} >/proc/self/oom_score_adj; }} 2>/dev/null"
    become = f'{limit}; {goes_first}; echo $$ >"$1"; stderr="$2"; shift 2; exec "$@" 2>>"$stderr"'
    return shlex.join(
        ["/bin/sh", "-c", become, "worker", str(pid), str(stderr), "/usr/bin/env", *unset, *assign, python]
    )


def last_words(file: Path, count: int = 3) -> Sequence[str]:
    """The lines of a worker's stderr that say most: the fatal error and where it was, else the last ones."""
    text = file.read_text("utf-8", "replace") if file.exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    fatal = next((index for index, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
    if fatal is None:
        return lines[-count:]
    frames = [line for line in lines[fatal:] if line.startswith("File ")]
    return [*lines[max(fatal + 2 - count, 0) : fatal + 1], *frames[:1]]
