"""The worker's source as text, and the package that it becomes on the other side."""

from __future__ import annotations

import functools
import importlib
import sys
import types
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "nhwc_equivalence"
"""The name of the synthetic package, in which `worker` and `portable` lie as they do in the harness."""

_HARNESS: Final = Path(__file__).resolve().parents[2]

INSTALL: Final = '''
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

class Shipped(MetaPathFinder, Loader):
    """Finds the modules of one package in a dict of (file name, source); a package's file is called __init__.py."""

    def __init__(self, sources):
        self.sources = sources

    def find_spec(self, name, path=None, target=None):
        if name not in self.sources:
            return None
        return ModuleSpec(name, self, is_package=self.sources[name][0].endswith("__init__.py"))

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        file, source = self.sources[module.__name__]
        exec(compile(source, file, "exec"), module.__dict__)

def install(sources):
    sys.meta_path.insert(0, Shipped(sources))
'''
"""Runs on any Python from 3.8 on. The file names make tracebacks (and coverage) point at the real files."""

BOOTSTRAP: Final = f"""{INSTALL}
import marshal
install(marshal.loads(channel.receive()))
try:
    from {PACKAGE}.worker import serve
except BaseException:
    import os, traceback
    traceback.print_exc()
    os._exit(1)
serve.serve(channel)
"""
"""What execnet executes in a fresh interpreter; the first message is `sources()`, by marshal.

An import that fails ends the process, so that its last words are in its stderr file.
"""

CLOCK: Final = f"""
import os
for _ in channel:
    from {PACKAGE}.portable.cpu_time_limit import cpu_seconds
    channel.send(cpu_seconds(os.getpid()))
"""
"""What execnet executes beside it in a worker on another machine, whose CPU time nobody here can look up."""

_WATCHDOG_MODULES: Final = (
    "", ".portable", ".portable.leftovers", ".portable.memory_limit", ".portable.watched_end", ".worker",
    ".worker.watchdog",
)  # fmt: skip
"""What the watchdog needs of the package: a command line has not got room for all of it."""


def watchdog_source(settings: Mapping[str, str], scrubbed: Sequence[str], mark: str) -> str:
    """What an interpreter on another machine runs in order to become a watched worker: `watchdog.run_worker`."""
    modules = {PACKAGE + name: sources()[PACKAGE + name] for name in _WATCHDOG_MODULES}
    call = f"watchdog.run_worker({dict(settings)!r}, {tuple(scrubbed)!r}, {mark!r})"
    return f"{INSTALL}\ninstall({modules!r})\nfrom {PACKAGE}.worker import watchdog\n{call}"


@functools.cache
def sources() -> dict[str, tuple[str, str]]:
    """File name and source of each module of the package, by its dotted name."""
    files = [_HARNESS / "__init__.py", *(_HARNESS / "worker").rglob("*.py"), *(_HARNESS / "portable").rglob("*.py")]
    return {_dotted_name(file): (str(file), file.read_text("utf-8")) for file in sorted(files)}


def _dotted_name(file: Path) -> str:
    """The name under which a file of the harness is shipped."""
    parts = file.relative_to(_HARNESS).with_suffix("").parts
    return ".".join((PACKAGE, *(part for part in parts if part != "__init__")))


def load_in_this_process() -> types.ModuleType:
    """The package's ``serve`` module, installed in this process from the same source. Imports torch here."""
    if f"{PACKAGE}.worker" not in sys.modules:
        scope: dict[str, Any] = {}
        exec(INSTALL, scope)  # noqa: S102 - the text above, the same that a worker runs
        scope["install"](sources())
    return importlib.import_module(f"{PACKAGE}.worker.serve")
