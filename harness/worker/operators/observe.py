"""One request, two observations: the example's layouts as drawn, and all of it contiguous."""

from __future__ import annotations

import torch

from ...portable.argument_kinds import sort_kinds
from ...portable.operator_protocol import ObservationData, ObserveReply
from ...portable.protocol import TensorData
from .. import fill_values, kernel_trace
from ..call import Observe
from . import foreign, switches
from .run import Raised, Records, Run


def observe_repeatedly(request: Observe, log: kernel_trace.Trace) -> ObserveReply:
    """Both observations, made `repeats` times after what is to run before; what differs in any is unrepeated."""
    for earlier in request.after:
        observe_repeatedly(earlier, log)
    reply = observe(request, log)
    for _ in range(request.repeats - 1):
        again = observe(request, log)
        _compare(reply, again, reply["drawn"], again["drawn"])
        _compare(reply, again, reply["contiguous"], again["contiguous"])
    return reply


def _compare(reply: ObserveReply, again: ObserveReply, first: ObservationData, other: ObservationData) -> None:
    """Note in the first observation which of its tensors the other one, of the same layout, has not."""
    differing = [
        name
        for name, record in first["tensors"].items()
        if not same(_with_bytes(reply, name, record), _with_bytes(again, name, other["tensors"].get(name)))
    ]
    first["unrepeated"] = sorted({*first["unrepeated"], *other["unrepeated"], *differing})
    first["written"] = sorted({*first["written"], *other["written"]})


def _with_bytes(reply: ObserveReply, name: str, record: TensorData | None) -> TensorData | None:
    """The record with its bytes, which a contiguous one may share with the drawn one."""
    if record is None or record[3] is not None:
        return record
    return (*record[:3], reply["drawn"]["tensors"][name][3])


def observe(request: Observe, log: kernel_trace.Trace) -> ObserveReply:
    """Both observations of a call.

    Where a contiguous tensor has the same bits as the drawn one its bytes are None: sent once.
    """
    torch.set_num_threads(request.call.threads)
    values = fill_values.CallValues(request.call)
    with switches.under_setting(request.call.setting):
        drawn = _observation(Run(request.call, contiguous=False, values=values), log, repeat=True, trace=request.trace)
        plain = _observation(Run(request.call, contiguous=True, values=values), log, repeat=False, trace=False)
    plain["tensors"] = {
        name: (*record[:3], None) if same(record, drawn["tensors"].get(name)) else record
        for name, record in plain["tensors"].items()
    }
    return {"drawn": drawn, "contiguous": plain}


def _observation(run: Run, log: kernel_trace.Trace, *, repeat: bool, trace: bool) -> ObservationData:
    log.text()
    records, raised = _records(run)
    lines = log.text()
    unrepeated = _unrepeated_names(run, records) if repeat and records else []
    counterparts, raised = run.counterparts() if raised is None else ({}, raised)
    traced = run.operators() if trace else kernel_trace.OperatorTrace([], {}, {})
    return {
        "status": "ok" if raised is None else "raised",
        "tensors": records,
        "inputs": run.strides(),
        "written": run.written_names(),
        "unrepeated": unrepeated,
        "kernels": log.count(lines),
        "primitives": log.primitives(lines),
        "operators": traced.names,
        "arguments": sort_kinds(traced.arguments),
        "inner_arguments": sort_kinds(traced.inner_arguments),
        "foreign": foreign.foreign_operators(traced.names),
        "counterparts": counterparts,
        "phase": raised.phase if raised else None,
        "error": raised.error if raised else "",
        "message": raised.message if raised else "",
    }


def _records(run: Run) -> tuple[Records, Raised | None]:
    """What the call returned, and what it raised; where its backward raises, with the gradients that do not."""
    records, raised = run.call()
    if raised is not None and raised.phase == "backward":
        records.update(run.separate_gradients())
    return records, raised


def _unrepeated_names(run: Run, records: Records) -> list[str]:
    again, _raised = _records(run)
    return [name for name, record in records.items() if not same(record, again.get(name))]


def same(record: TensorData | None, other: TensorData | None) -> bool:
    """Whether two records hold the same bits of the same dtype and shape; strides may differ."""
    if record is None or other is None:
        return False
    return (record[0], record[1], record[3]) == (other[0], other[1], other[3])
