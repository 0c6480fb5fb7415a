"""The command line of a worker: its environment is right from the first instruction, not set later from inside."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from harness.portable import poison
from harness.portable.memory_limit import LEAVES_FIRST, memory_limit

SCRUBBED: Final = (
    "ATEN_", "DNNL_", "FBGEMM_", "GLIBC_TUNABLES", "GOMP_", "KMP_", "MALLOC_", "MKL_", "MKLDNN_", "OMP_", "ONEDNN_",
    "PYTORCH_", "TORCH_",
)  # fmt: skip
"""Prefixes of variables that change which kernels run, or how. oneDNN reads all three of its names."""

_FBGEMM: Final[Mapping[str, str]] = {
    **dict.fromkeys(("SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2"), "AVX2"),
    "AVX512_CORE": "AVX512",
}
"""What caps fbgemm where oneDNN is capped below its 8-bit dot products of 512 bits, which fbgemm calls AVX512_E1.

Of caps it knows no more (fbgemm/src/Utils.cc, fbgemmEnvGetIsa), and it has nothing below AVX2.
"""

_WARNING: Final = re.compile(r"^(?:\S.*:\d+: \w*Warning: .*\n?(?:[ \t]+.*\n?)?|\[?W\d{4} \d\d:.*\n?)", re.MULTILINE)
"""What Python warns of, with the line of source that may follow; and lines of glog's form, ``W1127 22:55:37 ...``."""

COMMON: Final[Mapping[str, str]] = {
    "MALLOC_PERTURB_": str(poison.PERTURB),
    # blocks below 1 kB would come from the per-thread cache, which is not filled
    "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
    "OMP_NUM_THREADS": "2",
    "OMP_WAIT_POLICY": "PASSIVE",
    "PYTHONDONTWRITEBYTECODE": "1",
    # inductor's own pool of compiling processes would outlive an example, and a worker is forked
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
}


def variables(onednn: str | None, aten: str | None, folder: Path, *, traced: bool) -> dict[str, str]:
    """What a worker with these caps has in its environment on top of the scrubbed one of the harness."""
    chosen = {**COMMON, **_caps(onednn, aten, folder)}
    if traced:
        chosen["ONEDNN_VERBOSE"] = "1"
    return chosen


def timing_variables(onednn: str | None, aten: str | None, folder: Path) -> dict[str, str]:
    """The same for a worker that measures: its memory is not filled, oneDNN prints nothing, threads are PyTorch's."""
    return {"PYTHONDONTWRITEBYTECODE": "1", **_caps(onednn, aten, folder)}


def _caps(onednn: str | None, aten: str | None, folder: Path) -> dict[str, str]:
    """The caps of the libraries, and where in that folder is kept what is compiled under them.

    Inductor's own cache does not know of the caps: workers that shared one would get each other's kernels, and those of
    a higher level end one of a lower by SIGILL, or give the numbers of another.
    """
    caps = {
        "ONEDNN_MAX_CPU_ISA": onednn,
        "ATEN_CPU_CAPABILITY": aten,
        "FBGEMM_ENABLE_INSTRUCTIONS": _FBGEMM.get(onednn or ""),
    }
    chosen = {name: cap for name, cap in caps.items() if cap is not None}
    return {**chosen, "TORCHINDUCTOR_CACHE_DIR": str(folder / "-".join(name or "uncapped" for name in (onednn, aten)))}


def tuning_variables(environment: Mapping[str, str] | None = None) -> list[str]:
    """The names in `environment` (by default this process's) that a worker must not inherit, sorted."""
    names = os.environ if environment is None else environment
    return sorted(name for name in names if name.startswith(SCRUBBED))


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


def remote_command(ssh: Sequence[str], stderr: Path, pid: Path) -> str:
    """A shell-quoted command line that becomes this ssh; two files take its stderr and its id.

    What execnet puts behind it are options of an interpreter, which the command for the other machine already has.
    """
    become = f'echo $$ >"$1"; exec {shlex.join(ssh)} 2>>"$2"'
    return shlex.join(["/bin/sh", "-c", become, "worker", str(pid), str(stderr)])


def last_words(file: Path, count: int = 3) -> Sequence[str]:
    """The lines of a worker's stderr that say most: the fatal error and where it was, else the last ones.

    Warnings of Python, of its logging and of torch are no words of a worker that ended: any may come before its end.
    """
    text = file.read_text("utf-8", "replace") if file.exists() else ""
    lines = [line.strip() for line in _WARNING.sub("", text).splitlines() if line.strip()]
    fatal = next((index for index, line in enumerate(lines) if line.startswith("Fatal Python error")), None)
    if fatal is None:
        return lines[-count:]
    frames = [line for line in lines[fatal:] if line.startswith("File ")]
    return [*lines[max(fatal + 2 - count, 0) : fatal + 1], *frames[:1]]
