"""Networks in the laboratory: the same workers, requests of another kind."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from harness.core import TensorRecord
from harness.execution import Laboratory, Reply, Station, Ticket, record_of
from harness.execution import levels as rules
from harness.models.examples import network_arguments, network_shapes
from harness.models.model import BASELINE, ModuleRecord, Network, NetworkExample, NetworkObservation, NetworkReference

LIMIT: Final = 120.0
"""Seconds one request may take in a cell, at least: a training step of a large network under load, twice or more."""

PATIENCE: Final = 4
"""The reference may take this many times as long: float64, one thread, five runs."""


@dataclass(frozen=True)
class NetworkResult:
    """One example everywhere. `skipped` says why nothing could be run in a cell, by the cell's name."""

    example: NetworkExample
    reference: NetworkReference
    observations: tuple[NetworkObservation, ...]
    skipped: Mapping[str, str]


class Networks:
    """Runs networks in a laboratory that is open. `limit` is in seconds for each request to a cell."""

    def __init__(self, laboratory: Laboratory, limit: float = LIMIT) -> None:
        self.laboratory = laboratory
        self.limit = max(limit, LIMIT)
        self._references: dict[str, NetworkReference] = {}
        self._preloaded: dict[str, bool] = {}

    def check(self, network: Network) -> tuple[str, str]:
        """What of the packages it requires is missing here, and what keeps its factory from being called.

        At most one of the two says anything.
        """
        reply = self._asked(network, preloaded=False)
        if reply["problem"] and self.laboratory.preloads:
            reply = self._asked(network, preloaded=True)
            self._preloaded[network.factory] = not reply["problem"]
        return reply["missing"], reply["problem"]

    def _asked(self, network: Network, *, preloaded: bool) -> Reply:
        request = {"op": "network-check", "factory": network.factory, "requires": network.requires}
        station = self.laboratory.bench.reference(preloaded=preloaded)
        reply = station.collect(station.send(Ticket(request, network.factory, self.limit)))
        if reply.get("status") in {"died", "hung"}:
            return {"missing": "", "problem": f"importing {network.factory} ended the worker: {reply['message']}"}
        return reply

    def reference(self, network: Network, example: NetworkExample) -> NetworkReference:
        """The float64 answer. That of the last example is kept: items that differ in the runner share it."""
        asked = self.request(network, example)
        key = repr([(name, value) for name, value in asked.items() if name not in ("runner", "threads", "conversions")])
        if key not in self._references:
            self._references.clear()
            request = {**asked, "op": "network-refer", "threads": 1}
            station = self.reference_station(network)
            ticket = Ticket(request, example.to_json(), self.limit * PATIENCE)
            self._references[key] = reference_of(station.collect(station.send(ticket)))
        return self._references[key]

    def run(
        self,
        network: Network,
        example: NetworkExample,
        *,
        cells: Collection[str] | None = None,
        isolated: bool = False,
    ) -> NetworkResult:
        """The reference, and every conversion in each cell (None: all). `isolated`: in workers that ran nothing yet."""
        reference = self.reference(network, example)
        names = [cell.name for cell in self.laboratory.cells if cells is None or cell.name in cells]
        if reference.problem or reference.status != "ok":
            return NetworkResult(example, reference, (), {})
        request = {**self.request(network, example), "op": "network", "state": reference.state}
        tickets = self._sent(network, request, example.to_json(), names, isolated=isolated)
        observations: list[NetworkObservation] = []
        skipped: dict[str, str] = {}
        for name, (station, ticket) in tickets.items():
            reply = station.collect(ticket)
            if "skip" in reply or "problem" in reply:
                skipped[name] = reply.get("skip") or "!" + reply["problem"]
            observations += observations_of(name, reply, (BASELINE, *network.conversions))
        return NetworkResult(example, reference, tuple(observations), skipped)

    def _sent(
        self, network: Network, request: dict[str, Any], about: str, names: Sequence[str], *, isolated: bool
    ) -> dict[str, tuple[Station, Ticket]]:
        if isolated:
            stations = self.laboratory.bench.pristine(names, preloaded=self._preloaded.get(network.factory, False))
            request = {**request, "limit": self.limit}
        else:
            stations = {name: self.laboratory.bench.cell(name) for name in names}
        return {
            name: (stations[name], stations[name].send(Ticket(request, about, self.limit + 10.0 * isolated)))
            for name in names
        }

    def request(self, network: Network, example: NetworkExample) -> dict[str, Any]:
        """What every request about an example says of it."""
        shapes = network_shapes(network, example)
        return {
            "factory": network.factory,
            "arguments": network_arguments(network, example),
            "inputs": [
                (spec.name, shape, spec.dtype, spec.channels_last, spec.most)
                for spec, shape in zip(network.inputs, shapes, strict=True)
            ],
            "step": example.step,
            "runner": example.runner,
            "precision": example.precision,
            "conversions": network.conversions,
            "frozen": network.frozen,
            "watch": network.watch,
            "seeded": network.seeded,
            "seed": example.seed,
            "threads": example.threads,
        }

    def reference_station(self, network: Network) -> Station:
        """Where the network's reference runs: with the preload files only where its factory needs them."""
        return self.laboratory.bench.reference(preloaded=self._preloaded.get(network.factory, False))


def network_cells(laboratory: Laboratory) -> list[str]:
    """The cells that networks run in: all that were asked for by name, else the representative ones."""
    if laboratory.asked:
        return [cell.name for cell in laboratory.cells]
    return rules.representatives([cell.level for cell in laboratory.cells], laboratory.levels)


def reference_of(reply: Reply) -> NetworkReference:
    """The reference in a reply."""
    if reply.get("status") in {"died", "hung"}:
        return NetworkReference(reply["status"], problem=f"the reference {reply['status']}: {reply['message']}")
    if "problem" in reply:
        return NetworkReference("raised", problem=reply["problem"])
    values = {name: np.frombuffer(raw, dtype).reshape(shape) for name, (dtype, shape, raw) in reply["values"].items()}
    return NetworkReference("ok", values, reply["spread"], reply.get("state"))


def observations_of(cell: str, reply: Reply, conversions: Sequence[str]) -> list[NetworkObservation]:
    """The observations in a reply, by conversion; one that says ``died`` or ``hung`` stands for all of them."""
    if reply.get("status") in {"died", "hung"}:
        ended = {"signal": reply.get("signal", 0), "message": reply.get("message", "")}
        return [NetworkObservation(cell, conversion, reply["status"], **ended) for conversion in conversions]
    plain: dict[str, TensorRecord] = {}
    found = []
    for conversion, run in reply.get("runs", {}).items():
        tensors = {name: record_of(record, plain.get(name)) for name, record in run["tensors"].items()}
        plain = plain or tensors
        modules = tuple(
            ModuleRecord(path, kind, tuple(given), tuple(returned), alias, parent, reorders, tuple(dtypes), turned)
            for path, kind, given, returned, alias, parent, reorders, dtypes, turned in run["modules"]
        )
        found.append(
            NetworkObservation(
                cell, conversion, run["status"], tensors, modules, run["kernels"], run["error"], run["message"]
            )
        )
    return found
