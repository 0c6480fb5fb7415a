"""A module that is to blame for what is wrong with a model."""

from __future__ import annotations

from dataclasses import dataclass

from harness.core import CellState


@dataclass(frozen=True)
class OperatorReplay:
    """An operator example that makes one of a module's calls, and what came of running it in the module's cell.

    `example` is its JSON. `verdict` is ``failed``, ``passed``, or ``known issue`` where the operator fails in the same
    way as the module does and only in what `known_issues`, by their ids, accept. One that ``passed`` has known issues
    where these say that the call ends a worker, and the module has ended one.
    """

    example: str
    verdict: CellState
    known_issues: tuple[str, ...] = ()

    @property
    def outcome(self) -> str:
        """``passed`` or ``failed``: what is known of the operator fails as well."""
        return "passed" if self.verdict is CellState.PASSED else "failed"


@dataclass(frozen=True)
class FaultyModule:
    """A module that is wrong on the reference's own input: which, in which cell, what is wrong, what it called there.

    `path` is empty for the model's own forward. `calls` are the functions as text, with shapes and strides. `replay` is
    None where no operator case makes one of these calls.
    """

    path: str
    class_name: str
    cell: str
    message: str
    calls: tuple[str, ...] = ()
    replay: OperatorReplay | None = None

    @property
    def known_issues(self) -> tuple[str, ...]:
        """The known issues of its operator that explain all that is wrong with it; none where something is left."""
        return self.replay.known_issues if self.replay is not None else ()
