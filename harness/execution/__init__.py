"""Execution: worker processes, ISA caps, time limits, crashes and kernel traces. Knows no oracle and no pytest."""

from harness.execution.executor import Executor
from harness.execution.replies import record_of
from harness.execution.result import Build, Result
from harness.execution.workers.supervisor import Reply, Request, WorkerLost

__all__ = [
    "Build",
    "Executor",
    "Reply",
    "Request",
    "Result",
    "WorkerLost",
    "record_of",
]
