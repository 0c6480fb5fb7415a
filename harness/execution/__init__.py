"""Execution: worker processes, ISA caps, time limits, crashes and kernel traces. Knows no oracle and no pytest."""

from harness.execution.laboratory import Laboratory
from harness.execution.networks import NetworkResult, Networks, network_cells
from harness.execution.result import Build, Result

__all__ = ["Build", "Laboratory", "NetworkResult", "Networks", "Result", "network_cells"]
