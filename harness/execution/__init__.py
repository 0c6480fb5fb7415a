"""Execution: worker processes, ISA caps, time limits, crashes and kernel traces. Knows no oracle and no pytest."""

from harness.execution.cell_settings import AS_USUAL, CellSettings
from harness.execution.executor import Executor
from harness.execution.isolated_runs import REFERENCE_LIMIT_FACTOR
from harness.execution.redundant_levels import RedundantLevels
from harness.execution.refinement import refine_reference
from harness.execution.replies import record_of
from harness.execution.requests import time_request
from harness.execution.result import Build, Result
from harness.execution.workers.environment import tuning_variables
from harness.execution.workers.supervisor import HostLost, Reply, Request, WorkerLost

__all__ = [
    "AS_USUAL",
    "REFERENCE_LIMIT_FACTOR",
    "Build",
    "CellSettings",
    "Executor",
    "HostLost",
    "RedundantLevels",
    "Reply",
    "Request",
    "Result",
    "WorkerLost",
    "record_of",
    "refine_reference",
    "time_request",
    "tuning_variables",
]
