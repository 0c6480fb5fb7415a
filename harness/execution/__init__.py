"""Execution: worker processes, ISA caps, time limits, crashes and kernel traces. Knows no oracle and no pytest."""

from harness.execution.executor import Laboratory
from harness.execution.requests import record_of
from harness.execution.result import Build, Result
from harness.execution.workers.supervisor import Reply, Station, Ticket

__all__ = [
    "Build",
    "Laboratory",
    "Reply",
    "Result",
    "Station",
    "Ticket",
    "record_of",
]
