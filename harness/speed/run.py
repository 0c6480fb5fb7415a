"""Measures operators and models in both formats, level by level, in workers that do nothing else."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, cast

from harness.core import Case, Example
from harness.execution import Executor, WorkerLost, time_request
from harness.generation import resolve_example, typical_example
from harness.models import (
    FormatTimes,
    Model,
    ModelExecutor,
    ModelTimer,
    Problem,
    announce_nothing,
    format_times,
    model_examples,
    model_shapes,
)
from harness.portable.timing_protocol import TimeReply
from harness.speed.choice import CASES
from harness.speed.schema import SpeedReport, SpeedRow

LIMIT: Final = 600.0
"""Seconds of CPU time that one operator may take, of all threads together."""

Step = Literal["eval", "train"]


@dataclass(frozen=True)
class SpeedRun:
    """What is measured, and how: `seconds` for each operator and step of a model at each level.

    `threads` None: as many as PyTorch takes. `sizes` are those of every case that has sizes of these names.
    `announce` takes a few words about each measurement that begins.
    """

    executor: Executor
    cases: Sequence[Case]
    models: Sequence[Model]
    dtypes: Sequence[str] = ("float32",)
    steps: Sequence[Step] = ("eval",)
    threads: int | None = None
    seconds: float = 2.0
    sizes: Mapping[str, Any] = field(default_factory=dict)
    announce: Callable[[str], None] = announce_nothing

    def measure(self) -> SpeedReport:
        """All rows, in a worker for each level, one level after the other. Raises UserError."""
        build = self.executor.build
        rows = tuple(row for cell in self.executor.cell_names(None) for row in self.rows_at(cell))
        return SpeedReport(torch=build.torch, onednn=build.onednn, cpu=build.cpu, rows=rows)

    def rows_at(self, cell: str) -> Iterator[SpeedRow]:
        """The rows of one level: operators first."""
        for case in self.cases:
            for dtype in self.dtypes:
                if dtype in case.dtypes:
                    yield from (self._row_of_case(case, dtype, step, cell) for step in self.steps)
        for model in self.models:
            yield from self._rows_of_model(model, cell)

    def _row_of_case(self, case: Case, dtype: str, step: Step, cell: str) -> SpeedRow:
        names = {size.name for size in case.sizes}
        chosen = {name: value for name, value in self.sizes.items() if name in names}
        example = typical_example(case, dtype, {**CASES.get(f"{case.suite}::{case.name}", {}), **chosen})
        self.announce(f"{case.suite}::{case.name}, {step}, {dtype}: measured in both formats at {cell}")
        times = self._time_example(case, example, step, cell)
        return SpeedRow(
            kind="operator",
            name=f"{case.suite}::{case.name}",
            sizes=" ".join(f"{name}={_size_text(value)}" for name, value in example.sizes.items()),
            step=step,
            precision=dtype,
            level=cell,
            times=None if isinstance(times, Problem) else times,
            problem=times.sentence if isinstance(times, Problem) else "",
        )

    def _time_example(self, case: Case, example: Example, step: Step, cell: str) -> FormatTimes | Problem:
        """The times of an operator, or why there are none."""
        request = time_request(
            resolve_example(case, example), seconds=self.seconds, threads=self.threads, backward=step == "train"
        )
        try:
            answer = self.executor.ask_cell(cell, request, about=example.to_json(), limit=LIMIT, measures=True)
        except WorkerLost as lost:
            return Problem(f"the worker {lost.how}: {lost.message}")
        reply = cast("TimeReply", answer)
        return (
            format_times(reply["rounds"], reply["threads"], reply["processor_share"])
            if reply["status"] == "ok"
            else Problem(reply["message"])
        )

    def _rows_of_model(self, model: Model, cell: str) -> Iterator[SpeedRow]:
        model_executor = ModelExecutor(self.executor)
        model_executor.announce = self.announce
        missing, mistake = model_executor.check(model)
        timer = ModelTimer(self.executor, model_executor, self.threads, self.seconds, profiles=False)
        for way in model.ways:
            example = next(model_examples(model, way, 0, 1))
            refusal = missing or mistake
            timing = Problem(refusal) if refusal else timer.measure(model, example, cell)
            yield SpeedRow(
                kind="model",
                name=model.name,
                sizes=" and ".join(_size_text(shape) for shape in model_shapes(model, example)),
                step=way.step,
                precision=way.precision,
                level=cell,
                times=None if isinstance(timing, Problem) else timing.times,
                problem=timing.sentence if isinstance(timing, Problem) else "",
            )


def _size_text(value: object) -> str:
    """A size, or those of a tuple with an x between them."""
    return "x".join(map(str, value)) if isinstance(value, tuple) else str(value)
