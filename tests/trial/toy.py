"""An executor without processes: a function says what each cell returns."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from harness.core import (
    Case,
    Cell,
    Example,
    Expression,
    Level,
    Numerics,
    Observation,
    Reference,
    Size,
    TensorRecord,
    TensorSpec,
)
from harness.execution import AS_USUAL, Build, CellSettings, RedundantLevels, Result

CELLS = tuple(Cell(name, Level(name, "x86_64", None, "default")) for name in ("low", "high"))
CASE = Case(
    id="suites/operators/toy.yaml::double",
    name="double",
    suite="toy",
    line=4,
    call="toy.double",
    sizes=(Size("N", "batch"), Size("C", "channels"), Size("H", "spatial"), Size("W", "spatial")),
    tensors=(TensorSpec("input", tuple(Expression.parse(name) for name in "NCHW"), channels_last=True),),
    numerics=Numerics("exact", "selection"),
    preserves=("input",),
    dtypes=("float32",),
)
Wrong = Callable[[Example, str, str], str]
"""Example, cell and layout → what is wrong: nothing (empty), value, raised, unsupported, died, killed, hung.

`unsupported`: there is no kernel; `killed`: from outside.
"""

WrongPart = Callable[[Example, str, str, Collection[str]], str]
"""The same of a call of which the gradients of these tensors are not asked for."""


@dataclass
class ToyExecutor:
    """Doubles its input, except where `wrong` says otherwise. `alone` is asked instead in a fresh worker.

    Of a call without some gradients `part` says what is wrong, of a traced one `traced`, or else the same as of a whole
    one.
    """

    wrong: Wrong
    alone: Wrong | None = None
    part: WrongPart | None = None
    traced: Wrong | None = None
    cells: tuple[Cell, ...] = CELLS
    incidents: list[str] = field(default_factory=list)
    ineffective: dict[str, str] = field(default_factory=dict)
    lost_levels: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    hosts: dict[str, Build] = field(default_factory=dict)
    limit: float = 20.0
    isolated: list[tuple[Example, float | None]] = field(default_factory=list)
    settings: list[CellSettings] = field(default_factory=list)
    preloads: bool = False
    is_isolating: bool = True
    ran_in_parts: list[tuple[Example, str, tuple[str, ...]]] = field(default_factory=list)
    ran: list[tuple[Example, tuple[str, ...]]] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)

    @property
    def limits(self) -> list[float | None]:
        """The time limits of what ran in a fresh worker."""
        return [limit for _, limit in self.isolated]

    def can_do_without_preload(self, case: Case) -> bool:
        """Every operator is the toy's own."""
        del case
        return True

    def missing_packages(self, case: Case) -> str:
        """Every package is there."""
        del case
        return ""

    def check(self, case: Case) -> list[str]:
        """Every callable is there."""
        del case
        return []

    def run(
        self,
        case: Case,
        examples: Iterable[Example],
        *,
        cells: Collection[str] | None = None,
        traced: Collection[Example] = (),
        redundant: RedundantLevels | None = None,
    ) -> Iterator[Result]:
        """Each example in the cells asked for."""
        del case, redundant
        for example in examples:
            is_traced = example in traced
            yield self._result(example, cells, (self.traced if is_traced else None) or self.wrong)

    def run_isolated(  # noqa: PLR0913 - as the executor's own
        self,
        case: Case,
        example: Example,
        *,
        cells: Collection[str] | None = None,
        repeats: int = 1,
        after: tuple[Example, ...] = (),
        limit: float | None = None,
        settings: CellSettings = AS_USUAL,
    ) -> Result:
        """The same in a fresh worker. `settings` are noted: a toy is as wrong with any."""
        del case, repeats
        self.isolated.append((example, limit))
        self.settings.append(settings)
        for earlier in after:
            self._result(earlier, cells, self.wrong)
        return self._result(example, cells, self.alone or self.wrong)

    def send_isolated(self, *arguments: Any, **options: Any) -> Callable[[], Result]:
        """It runs when its result is waited for."""
        return lambda: self.run_isolated(*arguments, **options)

    def observe_isolated(  # noqa: PLR0913 - as the executor's own
        self,
        case: Case,
        example: Example,
        *,
        cells: Collection[str],
        without: Collection[str] = (),
        repeats: int = 1,
        limit: float | None = None,
    ) -> tuple[Observation, ...]:
        """The same without some gradients; `parts` says what is wrong then."""
        del case, repeats, limit
        self.ran_in_parts += [(example, cell, tuple(without)) for cell in cells]

        def wrong(example: Example, cell: str, layout: str) -> str:
            """What is wrong of the part."""
            return self.part(example, cell, layout, without) if self.part else whole(example, cell, layout)

        whole = self.alone or self.wrong
        omitted = tuple(f"grad:{name}" for name in without)
        return tuple(replace(each, omitted=omitted) for each in _observations(example, cells, wrong))

    def history(self, cell: str) -> list[Example]:
        """What ran in that cell."""
        return [example for example, cells in self.ran if cell in cells]

    def _result(self, example: Example, cells: Collection[str] | None, wrong: Wrong) -> Result:
        names = tuple(cell.name for cell in self.cells if cells is None or cell.name in cells)
        self.ran.append((example, names))
        values = _values(example)
        reference = Reference("ok", {"output[0]": 2 * values}, inputs={"input": values})
        return Result(example, reference, _observations(example, names, wrong))


def _observations(example: Example, cells: Iterable[str], wrong: Wrong) -> tuple[Observation, ...]:
    return tuple(
        _observe(example, cell, layout, wrong(example, cell, layout), _values(example))
        for cell in cells
        for layout in ("drawn", "contiguous")
    )


def _values(example: Example) -> np.ndarray[Any, Any]:
    shape = tuple(example.sizes[name] for name in "NCHW")
    return np.arange(1.0, np.prod(shape) + 1).reshape(shape)


def _strides(example: Example, layout: str, name: str) -> tuple[int, ...]:
    """The strides of a tensor of the example's shape in the format that it is drawn in."""
    _, c, h, w = (example.sizes[size] for size in "NCHW")
    last = layout == "drawn" and example.layouts.get(name, "").startswith("channels_last")
    return (c * h * w, 1, w * c, c) if last else (c * h * w, h * w, w, 1)


def _observe(example: Example, cell: str, layout: Any, wrong: str, values: np.ndarray[Any, Any]) -> Observation:
    if wrong in ("died", "killed"):
        return Observation(cell, layout, "died", signal=9 if wrong == "killed" else 11)
    if wrong == "raised":
        return Observation(cell, layout, "raised", error="RuntimeError", message="not implemented")
    if wrong == "unsupported":
        return Observation(cell, layout, "raised", error="NotImplementedError", message="no kernel")
    if wrong == "hung":
        return Observation(cell, layout, "hung")
    n, c, h, w = values.shape
    strides = _strides(example, layout, "input")
    dtype = "float64" if example.dtype == "float64" else "float32"
    result = (2 * values).astype(dtype)
    if wrong == "value":
        result[-1] += 1
    return Observation(
        cell,
        layout,
        "ok",
        {"output[0]": TensorRecord(dtype, (n, c, h, w), strides, result)},
        {"input": strides, "grad_output[0]": _strides(example, layout, "grad_output")},
        kernels={f"double:{cell}": 1},
    )
