"""One executor for all of these tests."""

from tests.execution.executors import executor, local, run, run_here

__all__ = ["executor", "local", "run", "run_here"]
