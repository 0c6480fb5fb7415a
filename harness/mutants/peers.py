"""What other ways to test find of the same mutants, on the same workers: with PyTorch's tolerances, layout by layout.

`FIXED` is in the manner of PyTorch's `test_memory_format`: a few fixed shapes, all of it contiguous and all of it
channels-last, the results compared and the format asked for. `HYPOTHESIS` is what a person writes with that library:
legal sizes, each tensor in either format, `assert_close` of the results with those of contiguous tensors. Both see one
process without caps, as an ordinary run of pytest has it, and no reference.
"""

from __future__ import annotations

import enum
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from harness.core import Case, Example, Observation, TensorRecord
from harness.execution import Executor, Result
from harness.generation import fixed_examples, plain_example, random_examples
from harness.mutants.mutant_item import MutantItem
from harness.mutants.planting import Planting
from harness.portable.memory_format import dense_strides, strides_agree
from harness.portable.tensor_name import TensorKind, kind_of

HYPOTHESIS_EXAMPLES: Final = 100
"""Hypothesis's own default of `max_examples`."""

FIXED_DTYPES: Final = ("float32", "float64")
"""Those in which `module_db` has almost all modules."""


class Tolerance(NamedTuple):
    """What may be between two numbers: relative to the expected one, and beside that."""

    relative: float
    absolute: float


TOLERANCES: Final[Mapping[str, Tolerance]] = {
    "float16": Tolerance(1e-3, 1e-5),
    "bfloat16": Tolerance(1.6e-2, 1e-5),
    "float32": Tolerance(1.3e-6, 1e-5),
    "float64": Tolerance(1e-7, 1e-7),
    "complex64": Tolerance(1.3e-6, 1e-5),
}
"""The defaults of `torch.testing.assert_close`; of what is not floating, equality."""


class Peer(enum.StrEnum):
    """A way to test. The text is the head of its column."""

    FIXED = "fixed shapes"
    HYPOTHESIS = "Hypothesis"


@dataclass(frozen=True)
class PeerOutcome:
    """What a peer came to: in how many examples, and what it saw; empty where the mutant passed."""

    examples: int
    message: str

    @property
    def is_caught(self) -> bool:
        """Whether it noticed."""
        return bool(self.message)


@dataclass(frozen=True)
class PeerTrial:
    """Runs what a peer would of the items of the mutant that is planted, until something differs."""

    items: Sequence[MutantItem]
    executor: Executor
    planting: Planting

    def run(self, peer: Peer) -> PeerOutcome:
        """What it comes to. What differs with PyTorch's own kernels too is not the mutant's."""
        examples = 0
        cell = self.executor.cells[-1].name
        for item in self.items:
            for result in self.executor.run(item.case, self._examples(peer, item), cells=[cell]):
                examples += 1
                message = self._difference(peer, item, result)
                if message and not self._stock_differs(peer, item, result.example, cell):
                    return PeerOutcome(examples, message)
        return PeerOutcome(examples, "")

    def _examples(self, peer: Peer, item: MutantItem) -> list[Example]:
        if peer is Peer.FIXED:
            return fixed_examples(item.case, item.dtype) if item.dtype in FIXED_DTYPES else []
        drawn = random_examples(item.case, item.dtype, HYPOTHESIS_EXAMPLES, item.seed)
        return [plain_example(example, item.case) for example in drawn]

    def _difference(self, peer: Peer, item: MutantItem, result: Result) -> str:
        """What the peer would say of the two layouts of its cell; empty: nothing."""
        by_layout = {observation.layout: observation for observation in result.observations}
        asks_for_format = item.case if peer is Peer.FIXED else None
        return next(differences(by_layout["drawn"], by_layout["contiguous"], asks_for_format), "")

    def _stock_differs(self, peer: Peer, item: MutantItem, example: Example, cell: str) -> bool:
        with self.planting.stock_kernels():
            result = self.executor.run_isolated(item.case, example, cells=[cell])
            return bool(self._difference(peer, item, result))


def differences(drawn: Observation, contiguous: Observation, asks_for_format: Case | None = None) -> Iterator[str]:
    """What the comparison of two runs notices, a sentence each. `asks_for_format`: of outputs that are to keep it."""
    for observation in (drawn, contiguous):
        if observation.status in ("died", "hung"):
            yield f"the process {observation.status}"
            return
    if drawn.status != contiguous.status:
        yield drawn.message or contiguous.message
        return
    for name, record in drawn.tensors.items():
        other = contiguous.tensors.get(name)
        if other is not None and not is_close(record, other):
            yield f"{name} is not close to that of contiguous tensors"
        if asks_for_format is not None and asks_for_format.preserves and kind_of(name) is TensorKind.OUTPUT:
            yield from _format_problem(name, record)


def _format_problem(name: str, record: TensorRecord) -> Iterator[str]:
    if len(record.shape) in (4, 5) and 0 not in record.shape:
        due = dense_strides("channels_last", record.shape)
        if not strides_agree(record.shape, record.strides, due):
            yield f"{name} is not channels-last"


def is_close(record: TensorRecord, other: TensorRecord) -> bool:
    """Whether `torch.testing.assert_close` accepts a tensor: same dtype and shape, equal but for the tolerances."""
    if (record.dtype, record.shape) != (other.dtype, other.shape):
        return False
    tolerance = TOLERANCES.get(record.dtype, Tolerance(0.0, 0.0))
    with np.errstate(invalid="ignore"):
        return bool(np.allclose(record.values, other.values, tolerance.relative, tolerance.absolute))
