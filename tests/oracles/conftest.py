"""A small stage: one case, one example, its reference, and what the cells returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal

import numpy as np
import pytest

from harness.core import Case, Example, Judgement, Numerics, Observation, Reference, TensorRecord, TensorSpec
from harness.core.case import Rule
from harness.oracles import judge, round_to
from harness.portable.memory_format import dense_strides

CELLS = ("avx2", "avx512_core")
PLACES: Final[tuple[tuple[str, Literal["drawn", "contiguous"]], ...]] = tuple(
    pair for cell in CELLS for pair in ((cell, "drawn"), (cell, "contiguous"))
)


@dataclass
class Stage:
    """Every cell returns the reference, rounded and contiguous, until `change` says otherwise."""

    case: Case
    example: Example
    reference: Reference
    observations: list[Observation] = field(default_factory=list)

    def judge(self, **options: Any) -> Judgement:
        """What the oracles say."""
        return judge(self.case, self.example, self.reference, self.observations, **options)

    def change(self, cells: Sequence[str] = CELLS, layouts: Sequence[str] = ("drawn",), **changes: Any) -> None:
        """Replace fields of the observations of these cells and layouts."""
        self.observations = [
            replace(observation, **changes)
            if observation.cell in cells and observation.layout in layouts
            else observation
            for observation in self.observations
        ]

    def alter(
        self,
        tensor: str,
        change: Callable[[TensorRecord], TensorRecord],
        cells: Sequence[str] = CELLS,
        layouts: Sequence[str] = ("drawn",),
    ) -> None:
        """Replace one returned tensor."""
        for observation in list(self.observations):
            if observation.cell in cells and observation.layout in layouts:
                altered = {**observation.tensors, tensor: change(observation.tensors[tensor])}
                self.change((observation.cell,), (observation.layout,), tensors=altered)

    def poke(self, tensor: str, index: Any, value: float, **where: Any) -> None:
        """Overwrite elements of one returned tensor."""

        def overwrite(record: TensorRecord) -> TensorRecord:
            values = record.values.copy()
            values[index] = value
            return replace(record, values=values)

        self.alter(tensor, overwrite, **where)

    def strides(self, tensor: str, strides: tuple[int, ...], **where: Any) -> None:
        """Let one tensor come back with these strides."""
        self.alter(tensor, lambda record: replace(record, strides=strides), **where)


def record(dtype: str, values: Any) -> TensorRecord:
    """A contiguous tensor that came back."""
    array = round_to(dtype, values) if np.asarray(values).dtype.kind == "f" else np.asarray(values)
    name = dtype if array.dtype.kind == "f" else str(array.dtype)
    return TensorRecord(name, array.shape, dense_strides("contiguous", array.shape), np.array(array, order="C"))


@pytest.fixture
def stage() -> Callable[..., Stage]:
    """Build a stage from the reference's values; `input` is drawn channels-last with the shape of output[0]."""

    def build(
        values: Mapping[str, Any] | Any,
        rule: Rule | Numerics = "exact",
        dtype: str = "float32",
        bound: Any = None,
        terms: Any = 1,
        **example: Any,
    ) -> Stage:
        named = values if isinstance(values, Mapping) else {"output[0]": np.asarray(values)}
        named = {name: np.asarray(array) for name, array in named.items()}
        numerics = rule if isinstance(rule, Numerics) else Numerics(rule, rule)
        case = Case("s.yaml::c", "c", "s.yaml", 1, "torch.c", (), (TensorSpec("input", ()),), numerics)
        first = next(iter(named.values()))
        reference = Reference(
            "ok",
            values=named,
            bound={name: np.abs(array) if bound is None else np.asarray(bound) for name, array in named.items()},
            terms={name: np.asarray(terms, dtype=np.float64) for name in named},
            inputs={"input": np.ones(first.shape)},
            grad_outputs={"output[0]": np.ones(first.shape)},
        )
        returned = {name: record(dtype, array) for name, array in named.items()}
        observations = [
            Observation(cell, layout, "ok", returned, inputs={"input": dense_strides("contiguous", first.shape)})
            for cell, layout in PLACES
        ]
        example = {"fill": "reals", **example}
        return Stage(case, Example(case.id, dtype, {}, {"input": "channels_last"}, **example), reference, observations)

    return build
