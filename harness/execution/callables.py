"""What the build under test has of what cases name: packages, callables and their arguments."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, cast

from harness.core import Case
from harness.errors import UserError
from harness.execution import requests
from harness.execution.workers.pool import Pool
from harness.execution.workers.supervisor import Reply, Request, WorkerLost
from harness.portable import operator_protocol as wire

IMPORT_TIME: Final = 60.0
"""Seconds beyond the limit of an example: importing a package may be all that happens, and takes longer than any."""


class CallableLookup:
    """Asks the reference's worker, and keeps the answers. `limit` is in seconds.

    `preloads`: there is a second reference worker, which has run the preload files.
    """

    def __init__(self, pool: Pool, limit: float, *, preloads: bool) -> None:
        self._pool = pool
        self._limit = limit
        self._preloads = preloads
        self._needs_preload: dict[tuple[str, str | None], bool] = {}
        self._missing: dict[tuple[str, ...], str] = {}

    def missing_packages(self, case: Case) -> str:
        """Which of the packages that the case requires is missing here, and how to get it; or nothing."""
        if case.requires and case.requires not in self._missing:
            self._missing[case.requires] = self._ask_for_packages(case)
        return self._missing.get(case.requires, "")

    def _ask_for_packages(self, case: Case) -> str:
        request: wire.PackagesRequest = {"op": "packages", "requires": case.requires}
        try:
            reply = cast("wire.PackagesReply", self._ask(request, case.id, spare=0.0))
        except WorkerLost as lost:
            return f"importing {', '.join(case.requires)} ended the worker: {lost.message}"
        return reply["missing"]

    def problems(self, case: Case) -> list[str]:
        """What keeps the case from being called: an unknown callable, an argument it lacks. Empty: nothing."""
        problems = self._ask_for_problems(case, preloaded=False)
        return self._ask_for_problems(case, preloaded=True) if problems and self._preloads else problems

    def _ask_for_problems(self, case: Case, *, preloaded: bool) -> list[str]:
        try:
            reply = cast("wire.CheckReply", self._ask(requests.check_request(case), case.call, preloaded=preloaded))
        except WorkerLost as lost:
            return [f"asking for {case.call} ended the worker: {lost.message}"]
        return reply["problems"]

    def needs_preload(self, case: Case) -> bool:
        """Whether the callable exists only with the preload files; otherwise the reference is the stock kernel."""
        key = (case.call, case.inplace)
        if key not in self._needs_preload:
            self._needs_preload[key] = self._preloads and bool(self._ask_for_problems(case, preloaded=False))
        return self._needs_preload[key]

    def catalogue(self, calls: Collection[str]) -> tuple[list[str], dict[str, str]]:
        """The public functions of torch.nn.functional, and which of them each of `calls` is, if it is one.

        Raises UserError where the worker is lost over it.
        """
        request: wire.CatalogueRequest = {"op": "catalogue", "calls": sorted(calls)}
        try:
            reply = cast("wire.CatalogueReply", self._ask(request, "the catalogue"))
        except WorkerLost as lost:
            raise UserError(f"listing torch.nn.functional ended the worker: {lost.message}") from None
        return reply["functions"], reply["called"]

    def _ask(self, request: Request, about: str, *, preloaded: bool = False, spare: float = IMPORT_TIME) -> Reply:
        return self._pool.reference(preloaded=preloaded).ask(request, about=about, limit=self._limit + spare)
