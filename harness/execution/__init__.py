"""Execution: worker processes, ISA caps, time limits, crashes and kernel traces. Knows no oracle and no pytest."""

from harness.execution.feeding import Alone, Feeding, ModuleCall
from harness.execution.laboratory import Laboratory
from harness.execution.networks import NetworkResult, Networks, network_cells
from harness.execution.result import Build, Result

__all__ = [
    "Alone",
    "Build",
    "Feeding",
    "Laboratory",
    "ModuleCall",
    "NetworkResult",
    "Networks",
    "Result",
    "network_cells",
]
