"""What the build under test has of what cases name: packages, callables and their arguments."""

from __future__ import annotations

import contextlib
from collections.abc import Collection, Iterator, Mapping
from types import MappingProxyType
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

    `preloads`: there is a second reference worker, which has run the preload files. `hosts` maps other machines to a
    cell of each, which must have what this one has.
    """

    def __init__(
        self, pool: Pool, limit: float, *, preloads: bool, hosts: Mapping[str, str] = MappingProxyType({})
    ) -> None:
        self._hosts = hosts
        self._pool = pool
        self._limit = limit
        self._preloads = preloads
        self._checks: dict[tuple[str, str | None, str | None], wire.CheckReply] = {}
        self._missing: dict[tuple[str, ...], str] = {}
        self._path_problems: dict[str, str] = {}

    def missing_packages(self, case: Case) -> str:
        """Which of the packages that the case requires is missing here, and how to get it; or nothing.

        Raises UserError where it is missing on another machine alone.
        """
        if case.requires and case.requires not in self._missing:
            self._missing[case.requires] = self._ask_for_packages(case)
        return self._missing.get(case.requires, "")

    def _ask_for_packages(self, case: Case) -> str:
        request: wire.PackagesRequest = {"op": "packages", "requires": case.requires, "paths": ()}
        try:
            reply = cast("wire.PackagesReply", self._ask(request, case.id, spare=0.0))
        except WorkerLost as lost:
            return f"importing {', '.join(case.requires)} ended the worker: {lost.message}"
        for host, answer in () if reply["missing"] else self._ask_hosts(request, case.id):
            if missing := cast("wire.PackagesReply", answer)["missing"]:
                raise UserError(f"host {host} cannot run {case.id}, which this machine can: {missing}")
        return reply["missing"]

    def path_problem(self, path: str) -> str:
        """What a way to run a call needs and this machine has not; empty where it has all."""
        if path not in self._path_problems:
            request: wire.PackagesRequest = {"op": "packages", "requires": (), "paths": (path,)}
            try:
                self._path_problems[path] = cast("wire.PackagesReply", self._ask(request, path))["missing"]
            except WorkerLost as lost:
                return f"asking for it ended the worker: {lost.message}"
        return self._path_problems[path]

    def problems(self, case: Case) -> list[str]:
        """What keeps the case or its reference from being called: an unknown callable, an argument it lacks."""
        request = requests.check_request(case)
        problems = self._problems_of(request)
        for host, answer in () if problems else self._ask_hosts(request, case.id):
            problems += [f"on host {host}: {problem}" for problem in cast("wire.CheckReply", answer)["problems"]]
        return (
            problems if case.reference is None else problems + self._problems_of(requests.reference_check_request(case))
        )

    def _problems_of(self, request: wire.CheckRequest) -> list[str]:
        """Of what is only there with the preload files, what keeps it from being called with them."""
        problems = self._ask_for_problems(request, preloaded=False)["problems"]
        return self._ask_for_problems(request, preloaded=True)["problems"] if problems and self._preloads else problems

    def _ask_for_problems(self, request: wire.CheckRequest, *, preloaded: bool) -> wire.CheckReply:
        try:
            return cast("wire.CheckReply", self._ask(request, request["call"], preloaded=preloaded))
        except WorkerLost as lost:
            problem = f"asking for {request['call']} ended the worker: {lost.message}"
            return {"problems": [problem], "foreign": True}

    def needs_preload(self, case: Case) -> bool:
        """Whether what the reference runs exists only with the preload files; otherwise stock kernels compute it."""
        return self._preloads and bool(self._reference_check(case)["problems"])

    def can_do_without_preload(self, case: Case) -> bool:
        """Whether what the case calls is there in a worker that has not run the preload files."""
        return not self._ask_for_problems(requests.check_request(case), preloaded=False)["problems"]

    def has_independent_reference(self, case: Case) -> bool:
        """Whether the case names a reference, or what it calls is there without preload files and PyTorch's own."""
        return case.reference is not None or not (self.needs_preload(case) or self._reference_check(case)["foreign"])

    def _reference_check(self, case: Case) -> wire.CheckReply:
        """What a worker without the preload files says of what the reference runs."""
        key = (case.call, case.inplace, case.reference)
        if key not in self._checks:
            request = requests.reference_check_request(case)
            self._checks[key] = self._ask_for_problems(request, preloaded=False)
        return self._checks[key]

    def catalogue(self, calls: Collection[str], namespaces: Collection[str]) -> wire.CatalogueReply:
        """The public functions of these modules and classes, and which of them each of `calls` is, if it is any.

        Raises UserError where the worker is lost over it.
        """
        request: wire.CatalogueRequest = {"op": "catalogue", "calls": sorted(calls), "namespaces": [*namespaces]}
        try:
            return cast("wire.CatalogueReply", self._ask(request, "the catalogue"))
        except WorkerLost as lost:
            raise UserError(f"listing {', '.join(namespaces)} ended the worker: {lost.message}") from None

    def schemas(self, operators: Collection[str]) -> dict[str, wire.SchemaData]:
        """The schemas of those operators (``aten::add.Tensor``) that the build under test has.

        Raises UserError where the worker is lost over it.
        """
        request: wire.SchemasRequest = {"op": "schemas", "operators": sorted(operators)}
        try:
            return cast("wire.SchemasReply", self._ask(request, "the schemas"))["schemas"]
        except WorkerLost as lost:
            raise UserError(f"reading the schemas of operators ended the worker: {lost.message}") from None

    def _ask_hosts(self, request: Request, about: str) -> Iterator[tuple[str, Reply]]:
        """What the other machines reply that have not been lost."""
        for host, cell in self._hosts.items():
            with contextlib.suppress(WorkerLost):  # the cell's own examples will show it
                yield host, self._pool.cell(cell).ask(request, about=about, limit=self._limit + IMPORT_TIME)

    def _ask(self, request: Request, about: str, *, preloaded: bool = False, spare: float = IMPORT_TIME) -> Reply:
        return self._pool.reference(preloaded=preloaded).ask(request, about=about, limit=self._limit + spare)
