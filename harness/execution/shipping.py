"""The worker's source as text, and the package that it becomes on the other side."""

from __future__ import annotations

import functools
import importlib
import sys
import types
from pathlib import Path
from typing import Any, Final

PACKAGE: Final = "equivalence_worker"
"""The name of the synthetic package."""

_HARNESS: Final = Path(__file__).resolve().parent.parent

INSTALL: Final = f'''
import sys
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec

class Shipped(MetaPathFinder, Loader):
    """Finds the modules of one package in a dict of (file name, source)."""

    def __init__(self, package, sources):
        self.package, self.sources = package, sources

    def find_spec(self, name, path=None, target=None):
        head, _, tail = name.partition(".")
        if head != self.package or (tail or "__init__") not in self.sources:
            return None
        return ModuleSpec(name, self, is_package=not tail)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        file, source = self.sources[module.__name__.partition(".")[2] or "__init__"]
        exec(compile(source, file, "exec"), module.__dict__)

def install(sources):
    sys.meta_path.insert(0, Shipped({PACKAGE!r}, sources))
'''
"""Runs on any Python from 3.8 on. The file names make tracebacks (and coverage) point at the real files."""

BOOTSTRAP: Final = f"""{INSTALL}
import marshal
install(marshal.loads(channel.receive()))
try:
    from {PACKAGE} import serve
except BaseException:
    import os, traceback
    traceback.print_exc()
    os._exit(1)
serve.serve(channel)
"""
"""What execnet executes in a fresh interpreter; the first message is `sources()`, by marshal.

An import that fails ends the process, so that its last words are in its stderr file.
"""


@functools.cache
def sources() -> dict[str, tuple[str, str]]:
    """File name and source of each module of the package."""
    files = [*sorted((_HARNESS / "execution" / "worker").glob("*.py"))]
    files += [_HARNESS / "generation" / name for name in ("fills.py", "layouts.py")]
    return {file.stem: (str(file), file.read_text("utf-8")) for file in files}


def in_this_process() -> types.ModuleType:
    """The package's ``serve`` module, installed in this process from the same source. Imports torch here."""
    if PACKAGE not in sys.modules:
        scope: dict[str, Any] = {}
        exec(INSTALL, scope)  # noqa: S102 - the text above, the same that a worker runs
        scope["install"](sources())
    return importlib.import_module(f"{PACKAGE}.serve")
