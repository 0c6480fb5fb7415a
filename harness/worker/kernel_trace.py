"""Which kernels ran: oneDNN's verbose lines, read from file descriptor 1, and the profiler's ATen operators."""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import tempfile
from typing import Any, Callable, Iterable, NamedTuple

import torch

from ..portable.argument_kinds import GatheredKinds, merge_kinds
from . import argument_kinds

TEMPLATE = ["operation", "engine", "primitive", "implementation", "prop_kind", "memory_descriptors"]
"""The fields of an ``exec`` line, until a header says otherwise (doc/advanced/verbose.md of oneDNN)."""

_FORMAT_TAG = re.compile(r"blocked:(\w+)")


class Trace:
    """Collects what oneDNN prints under ONEDNN_VERBOSE=1.

    execnet has moved its own traffic away from descriptor 1, so the descriptor is pointed at an unlinked file in
    append mode; `drain` reads and truncates it. Not active, it sees nothing and touches nothing.
    """

    def __init__(self, active: bool) -> None:
        self.active = active
        self.template = TEMPLATE
        if active:
            with tempfile.TemporaryFile() as file:
                # appending: after truncation the next write must not land at the old offset
                fcntl.fcntl(file.fileno(), fcntl.F_SETFL, os.O_APPEND)
                os.dup2(file.fileno(), 1)

    def text(self) -> str:
        """What has been printed since the last call."""
        size = os.fstat(1).st_size if self.active else 0
        if not size:
            return ""
        printed = os.pread(1, size, 0).decode("utf-8", "replace")
        os.ftruncate(1, 0)
        return printed

    def drain(self) -> dict[str, int]:
        """Counts of ``kind:implementation`` since the last call, such as ``convolution:jit:avx2``."""
        return self.count(self.text())

    def count(self, text: str) -> dict[str, int]:
        """The same for lines that are already here."""
        counts: dict[str, int] = {}
        for fields in map(self._execution, text.splitlines()):
            if fields:
                key = "{}:{}".format(fields.get("primitive", ""), fields.get("implementation", ""))
                counts[key] = counts.get(key, 0) + 1
        return counts

    def primitives(self, text: str) -> list[str]:
        """How oneDNN ran what the lines tell, each way once: with its direction, and the formats of its operands.

        Such as ``convolution:jit:avx2 backward_data acdb Acdb8a acdb`` and ``reorder:jit:uni abcd aBcd16b``: it is
        another kernel in each direction, and for each format of its weights.
        """
        return sorted({_primitive(fields) for fields in map(self._execution, text.splitlines()) if fields})

    def durations(self, text: str) -> list[tuple[str, float]]:
        """The primitive of each line that says that one ran, and the seconds that it took."""
        executions = filter(None, map(self._execution, text.splitlines()))
        return [(fields.get("primitive", ""), float(fields["exec_time"]) * 1e-3) for fields in executions]

    def _execution(self, line: str) -> dict[str, str]:
        """The fields of a line by name, `exec_time` in milliseconds; empty for what says nothing of a run."""
        if ",info," in line:
            self._read_template(line)
            return {}
        fields = line.split(",")
        if "verbose" not in fields[0] or "exec" not in fields:
            return {}
        return {**dict(zip(self.template, fields[fields.index("exec") :])), "exec_time": fields[-1]}

    def _read_template(self, line: str) -> None:
        fields = line.partition("template:")[2].split(",")
        if "primitive" in fields and "implementation" in fields:
            self.template = fields


def _primitive(fields: dict[str, str]) -> str:
    direction = fields.get("prop_kind", "undef")
    words = ["{}:{}".format(fields.get("primitive", ""), fields.get("implementation", ""))]
    words += [] if direction == "undef" else [direction]
    return " ".join([*words, *_FORMAT_TAG.findall(fields.get("memory_descriptors", ""))])


def isa(text: str) -> str:
    """The effective ISA of oneDNN's header line ``…,info,cpu,isa:Intel AVX2``; empty where it printed none."""
    for line in text.splitlines():
        if ",info,cpu,isa:" in line:
            return line.partition(",isa:")[2].strip()
    return ""


class OperatorTrace(NamedTuple):
    """What a call came to: its operators, and the kinds of their arguments.

    `names` has each operator once, in order of their first call, autograd's own bookkeeping left out. One that writes
    into a tensor that it is called with is listed twice, as ``aten::add`` and ``aten::add.out``, where the profiler
    tells overloads. `arguments` are those of operators that the call itself names, `inner_arguments` those of the ones
    that are called within others and by autograd; both are empty in a build whose profiler has not got them.
    """

    names: list[str]
    arguments: GatheredKinds
    inner_arguments: GatheredKinds


def trace_operators(run: Callable[[], object]) -> OperatorTrace:
    """The operators that `run` calls, and with what."""
    option = _overload_option()
    noting = argument_kinds.TextArguments() if option else contextlib.nullcontext()
    with torch.autograd.profiler.profile(record_shapes=bool(option), **option) as profile, noting as texts:
        run()
    names: list[str] = []
    for event in profile.function_events:
        if "::" in event.name and not event.name.startswith("autograd::"):
            names.append(event.name)
            overload = getattr(event, "overload_name", None) or ""
            names += [event.name + "." + overload] if overload == "out" or overload.endswith("_out") else []
    outer, inner = _argument_kinds(profile, texts) if texts is not None else ({}, {})
    return OperatorTrace(list(dict.fromkeys(names)), outer, inner)


def merge_traces(traces: Iterable[OperatorTrace], *, arguments: bool) -> OperatorTrace:
    """One trace of several; without `arguments` with their names alone."""
    names: list[str] = []
    outer: GatheredKinds = {}
    inner: GatheredKinds = {}
    for trace in traces:
        names += trace.names
        if arguments:
            merge_kinds(outer, trace.arguments)
            merge_kinds(inner, trace.inner_arguments)
    return OperatorTrace(list(dict.fromkeys(names)), outer, inner)


def _argument_kinds(profile: Any, texts: argument_kinds.TextArguments) -> tuple[GatheredKinds, GatheredKinds]:
    try:
        outer, inner = argument_kinds.traced_kinds(profile.kineto_results.events())
    except (AttributeError, TypeError):  # a profiler without strides
        return {}, {}
    for operator, arguments in texts.kinds.items():
        for kinds in (outer, inner):
            if operator in kinds:
                merge_kinds(kinds, {operator: arguments})
    return outer, inner


def _overload_option() -> dict[str, object]:
    """The profiler's option that tells overloads, in a build that has it."""
    try:
        return {"experimental_config": torch._C._profiler._ExperimentalConfig(capture_overload_names=True)}
    except (AttributeError, TypeError):  # PyTorch before 2.7
        return {}
