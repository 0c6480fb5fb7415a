"""Which module of a model is to blame: the first that is wrong on the reference's own input."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final, TypeGuard

from harness.core import Finding
from harness.models.executor import ModelExecutor
from harness.models.isolation import ModuleCall, ModuleIsolation, NotIsolated
from harness.models.judge import judge_model
from harness.models.model import BASELINE, Call, FaultyModule, Model, ModelExample, ModelObservation
from harness.portable.memory_format import format_by_order

Explain = Callable[[Sequence[Call], Sequence[Finding], str], tuple[str, str, tuple[str, ...]]]
"""From the functions that a module called, what is wrong with it, and a cell: an operator example that makes one of the
calls, what came of running it, and the known issues that know all of it."""

Described = tuple[str, str, tuple[int, ...], tuple[int, ...]]
"""A tensor of a call: ``("tensor", dtype, shape, strides)``."""

FORMAT_PREFIX: Final = "module:"


def nothing_known(calls: Sequence[Call], wrong: Sequence[Finding], cell: str) -> tuple[str, str, tuple[str, ...]]:
    """Where there are no operator cases to look in."""
    del calls, wrong, cell
    return "", "", ()


@dataclass
class Localiser:
    """Traces findings of one example. `seen` are its observations."""

    model_executor: ModelExecutor
    model: Model
    example: ModelExample
    seen: Sequence[ModelObservation]
    explain: Explain = nothing_known

    def blame(self, finding: Finding) -> tuple[FaultyModule, ...]:
        """The modules that are wrong by themselves, in the order of the forward pass; none where it is not one alone.

        Modules without children go first, then their parents, the innermost first: what is wrong in a parent and in
        none of its children is in its own forward. The search ends at the first that no known issue covers; where all
        are known, every cell of the finding has been looked at.
        """
        found: list[FaultyModule] = []
        for cell in finding.cells:
            blamed = self._in_cell(finding, cell)
            if not blamed:
                return tuple(found) if not all(one.known for one in found) else ()
            found += blamed
            if not all(one.known for one in blamed):
                break
        return tuple(found)

    def _in_cell(self, finding: Finding, cell: str) -> list[FaultyModule]:
        found: list[FaultyModule] = []
        with ModuleIsolation(self.model_executor, self.model, self.example) as feeding:
            calls = _order(feeding.calls)
            if finding.oracle == "strides":
                path = finding.tensor.removeprefix(FORMAT_PREFIX)
                lost = next((call for call in calls if call.path == path), None)
                return [] if lost is None else [self._lost(feeding, lost, cell, finding)]
            conversions = [name for name in finding.layouts if name != BASELINE] or ["both"]
            explained: set[str] = set()
            for call in calls:
                if any(_below(path, call.path) for path in explained):
                    continue  # what its child does wrong is wrong in it too
                one = self._tried(feeding, call, cell, conversions)
                if one is None:
                    continue
                found.append(one)
                explained.add(call.path)
                if not one.known:
                    break
        return found

    def _tried(
        self, feeding: ModuleIsolation, call: ModuleCall, cell: str, conversions: Sequence[str]
    ) -> FaultyModule | None:
        """The module alone: what is wrong with it, or nothing."""
        alone = feeding.isolate(call, cell, conversions, self._images(call, cell))
        if isinstance(alone, NotIsolated):
            return None
        wrong = [one for one in judge_model(alone.reference, alone.observations).findings if one.oracle != "strides"]
        if not wrong:
            return None
        wrong.sort(key=lambda one: -max(one.cells.values(), default=0.0))
        return self._blame(call, cell, wrong, alone.called)

    def _lost(self, feeding: ModuleIsolation, call: ModuleCall, cell: str, finding: Finding) -> FaultyModule:
        """The module that lost the format; of its functions those that did, where it was one of them."""
        alone = feeding.isolate(call, cell, ["both"], self._images(call, cell))
        called = () if isinstance(alone, NotIsolated) else alone.called
        return self._blame(call, cell, [finding], tuple(one for one in called if loses(one)) or called)

    def _blame(self, call: ModuleCall, cell: str, wrong: Sequence[Finding], called: Sequence[Call]) -> FaultyModule:
        found = FaultyModule(call.path, call.kind, cell, wrong[0].message, tuple(map(text_of, called)))
        if call.parent and wrong[0].oracle != "strides":
            return found  # its functions work on what its children made: none of them alone says what is wrong
        example, verdict, known = self.explain(called, wrong, cell)
        return replace(found, example=example, verdict=verdict, known=known)

    def _images(self, call: ModuleCall, cell: str) -> dict[str, list[tuple[str, str]]]:
        """Format and dtype of the images that this call got in the whole model, by conversion."""
        return {
            run.conversion: list(zip(run.modules[call.number].given, run.modules[call.number].dtypes, strict=True))
            for run in self.seen
            if run.cell == cell and call.number < len(run.modules) and run.modules[call.number].path == call.path
        }


def _order(calls: Sequence[ModuleCall]) -> list[ModuleCall]:
    """Leaves in forward order, then parents, the inner ones first: calls end in that order."""
    return sorted(calls, key=lambda call: (call.parent, call.number))


def _below(path: str, parent: str) -> bool:
    return bool(path) and (not parent or path.startswith(parent + "."))


def loses(call: Call) -> bool:
    """Whether a function got an image in NHWC and gave one in NCHW."""
    given = {format_of(one) for one in tensors_of(tuple(call.given.values()))}
    return "nhwc" in given and "nchw" in {format_of(one) for one in tensors_of(call.returned)}


def text_of(call: Call) -> str:
    """The call as one writes it: ``torch.conv2d(input=[2, 64, 8, 8] NHWC, ...)``; defaults are left out."""
    said = ", ".join(f"{name}={_said(value)}" for name, value in call.given.items() if name not in call.standard)
    return f"{call.function}({said}) -> {', '.join(map(_said, call.returned))}"


def _said(value: object) -> str:
    if is_tensor(value):
        _mark, dtype, shape, strides = value
        form = {"nhwc": " NHWC", "nchw": " NCHW"}.get(format_of(value), "")
        return f"{dtype}{list(shape)}{form} strides {list(strides)}"
    if isinstance(value, tuple):
        return f"[{', '.join(map(_said, value))}]"
    return repr(value)


def tensors_of(value: object) -> Iterator[Described]:
    """The tensors in an argument, however deep."""
    if is_tensor(value):
        yield value
    elif isinstance(value, tuple):
        for part in value:
            yield from tensors_of(part)


def is_tensor(value: object) -> TypeGuard[Described]:
    """Whether an argument is a tensor."""
    return isinstance(value, tuple) and len(value) == 4 and value[0] == "tensor"


def format_of(tensor: Described) -> str:
    """``nhwc`` or ``nchw`` where the strides of an image say it, else nothing."""
    _mark, _dtype, shape, strides = tensor
    return {"channels_last": "nhwc", "contiguous": "nchw"}.get(format_by_order(shape, strides), "")
