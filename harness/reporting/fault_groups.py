"""The failures of a run as faults: those that share kernel, property and pattern are one, with every place of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from harness.core import Severity
from harness.core.finding import Oracle
from harness.portable.tensor_name import TensorKind, kind_of
from harness.reporting.failure import variation_list
from harness.reporting.operator_item import FailureRecord, OperatorItemRecord
from harness.reporting.record import Record
from harness.reporting.templating import TEMPLATES
from harness.trial import failure_severity, severity_rank

MOST_PLACES: Final = 6
"""Places of a fault that the summary names; the record has them all."""

BACKWARD: Final = "backward"
"""What ATen calls the kernels of its gradients: ``aten::convolution_backward``."""

AUXILIARY: Final = frozenset(
    f"aten::{name}"
    for name in (
        *("empty", "empty_like", "empty_strided", "zeros", "zeros_like", "ones", "ones_like", "full", "full_like"),
        *("zero_", "fill_", "copy_", "clone", "contiguous", "to", "_to_copy", "resize_", "resize_as_", "lift_fresh"),
        *("as_strided", "view", "_unsafe_view", "reshape", "_reshape_alias", "flatten", "expand", "expand_as"),
        *("slice", "select", "narrow", "permute", "transpose", "t", "unsqueeze", "squeeze", "alias", "unbind", "split"),
        *("detach", "detach_", "resolve_conj", "resolve_neg", "result_type", "_nnpack_available", "item"),
        *("_local_scalar_dense", "is_nonzero", "add", "add_", "sub", "mul", "mul_", "div", "div_", "neg", "sum"),
    )
)
"""What a kernel of something else calls for memory, views and a little arithmetic: two failures that have no more than
these in common do not share a kernel. An operator that is nothing but one of these is its own kernel."""


@dataclass(frozen=True)
class FaultPlace:
    """One failure of a fault: the node id of the item that it is of, the item, and the failure."""

    node_id: str
    item: OperatorItemRecord
    failure: FailureRecord

    @property
    def severity(self) -> Severity:
        """How bad it is."""
        return failure_severity(self.oracle, self.failure.finding.tensor, self.failure.pattern_kinds)

    @property
    def oracle(self) -> Oracle:
        """The property that is broken."""
        return self.failure.finding.oracle

    @property
    def is_of_gradient(self) -> bool:
        """Whether the tensor is a gradient."""
        return kind_of(self.failure.finding.tensor) is TensorKind.GRADIENT

    @property
    def words(self) -> str:
        """As the summary names it: ``relu[float32] output[0]``."""
        return f"{self.item.name}[{self.item.dtype}] {self.failure.finding.tensor}".rstrip()


@dataclass(frozen=True)
class FaultGroup:
    """One fault and its places, the one that tells most of it first.

    `kernels` are what the places have in common of what ran: oneDNN's implementations without their instruction set, a
    library's own operators, or ATen's.
    """

    severity: Severity
    kernels: tuple[str, ...]
    places: tuple[FaultPlace, ...]

    @property
    def first(self) -> FailureRecord:
        """The failure that is shown for all of them."""
        return self.places[0].failure

    @property
    def most_telling(self) -> FaultPlace:
        """The first of the places whose failure has a script, else the first of all."""
        return next((place for place in self.places if place.failure.script), self.places[0])

    @property
    def goes_away_with(self) -> str:
        """What makes that failure go away, in words; empty where nothing does."""
        return variation_list(self.first.diagnosis.goes_away)


def fault_groups(record: Record) -> list[FaultGroup]:
    """The faults of the operators of a run, the most serious first, then those with the most places."""
    places = [
        FaultPlace(node_id, item, failure) for node_id, item in record.operators.items() for failure in item.failures
    ]
    groups = [_group(members) for members in _gather_connected(places)]
    return sorted(groups, key=lambda group: fault_order(group.severity, len(group.places), group.places[0].node_id))


def fault_order(severity: Severity | None, place_count: int, node_id: str) -> tuple[int, int, str]:
    """What faults are sorted by, wherever they are listed; `node_id` is that of the place that is shown first."""
    return severity_rank(severity), -place_count, node_id


def fault_summary(record: Record) -> str:
    """The faults as the terminal shows them, before any item; empty where nothing failed."""
    groups = fault_groups(record)
    if not groups:
        return ""
    return (
        TEMPLATES.get_template("fault_groups.txt")
        .render(
            groups=groups,
            places=sum(len(group.places) for group in groups),
            items=len({place.node_id for group in groups for place in group.places}),
            most=MOST_PLACES,
        )
        .rstrip()
    )


def _group(places: Sequence[FaultPlace]) -> FaultGroup:
    """The group of these places: outputs tell more than the gradients that follow from them."""
    ranked = sorted(places, key=lambda place: (place.severity.rank, place.is_of_gradient))
    kernels = [failure_kernels(place.item, place.failure) for place in ranked]
    shared = [name for name in kernels[0] if all(name in names for names in kernels)]
    return FaultGroup(ranked[0].severity, tuple(shared or kernels[0]), tuple(ranked))


def _gather_connected(places: Sequence[FaultPlace]) -> list[list[FaultPlace]]:
    """The places that have a key in common, directly or by way of others, each together with the rest of them."""
    leaders = list(range(len(places)))

    def leader(index: int) -> int:
        """The first of the places that this one is connected with."""
        while leaders[index] != index:
            index = leaders[index]
        return index

    by_key: dict[tuple[str, ...], int] = {}
    for index, place in enumerate(places):
        for key in _keys(place):
            other = leader(by_key.setdefault(key, index))
            own = leader(index)
            leaders[max(own, other)] = min(own, other)
    together: dict[int, list[FaultPlace]] = {}
    for index, place in enumerate(places):
        together.setdefault(leader(index), []).append(place)
    return list(together.values())


def _keys(place: FaultPlace) -> Iterator[tuple[str, ...]]:
    """What places of the same fault share: property and pattern with a kernel, or with the item.

    Of one item a gradient that is wrong in the same way follows from the output.
    """
    kinds = (place.oracle, *sorted(place.failure.pattern_kinds))
    yield ("item", place.node_id, *kinds)
    for name in failure_kernels(place.item, place.failure):
        yield ("kernel", name, *kinds)


def failure_kernels(item: OperatorItemRecord, failure: FailureRecord) -> tuple[str, ...]:
    """The kernels that a failure may be in: a library's own operators, oneDNN's that ran where it failed, or ATen's.

    Of ATen's operators those of the backward for a gradient, else those before it. Where nothing could be traced, the
    case stands for its kernel.
    """
    rows = [row for row in failure.rows if row.cell in failure.finding.cells]
    operators = tuple(dict.fromkeys(name for row in rows for name in row.operators))
    onednn = dict.fromkeys(_without_isa(name) for row in rows for name in row.kernels)
    primitives = tuple(name for name in onednn if name.partition(":")[0] != "reorder")
    return operators or primitives or _aten_kernels(failure) or (item.name,)


def _without_isa(kernel: str) -> str:
    """An implementation of oneDNN whatever its instructions: ``convolution:jit`` of ``convolution:jit:avx2``."""
    return ":".join(kernel.split(":")[:2])


def _aten_kernels(failure: FailureRecord) -> tuple[str, ...]:
    names = failure.operators
    backward = next((index for index, name in enumerate(names) if BACKWARD in name), len(names))
    if kind_of(failure.finding.tensor) is TensorKind.GRADIENT and names[backward:]:
        return tuple(name for name in names[backward:] if BACKWARD in name)
    return _substantial(names[:backward]) or names[:1]


def _substantial(names: Iterable[str]) -> tuple[str, ...]:
    return tuple(name for name in names if name not in AUXILIARY)
