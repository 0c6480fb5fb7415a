"""Which module of a model is to blame: the first that is wrong on the reference's own input."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from harness.core import Finding
from harness.models.executor import ModelExecutor
from harness.models.faulty_module import FaultyModule, OperatorReplay
from harness.models.function_call import FunctionCall
from harness.models.isolation import ModuleIsolation, NotIsolated, ReferenceCall
from harness.models.judge import judge_model
from harness.models.model import BASELINE, FULL_CONVERSION, Model, ModelExample, ModelObservation, is_below
from harness.portable import tensor_name

ReplayOperator = Callable[[Sequence[FunctionCall], Sequence[Finding], str], OperatorReplay | None]
"""From the functions that a module called, what is wrong with it, and a cell: what comes of running an operator example
that makes one of the calls there; None where no case makes one."""


def replay_nothing(calls: Sequence[FunctionCall], wrong: Sequence[Finding], cell: str) -> None:
    """Where there are no operator cases to look in."""
    del calls, wrong, cell


@dataclass(frozen=True)
class Localisation:
    """The modules that a finding comes from, in the order of the forward pass; none where it is not one alone.

    `given_up` is a sentence that says why not all of them could be looked at; empty where all were.
    """

    modules: tuple[FaultyModule, ...] = ()
    given_up: str = ""

    @property
    def is_explained(self) -> bool:
        """Whether all that is wrong is known of the operators of these modules, and all modules were looked at."""
        return bool(self.modules) and not self.given_up and all(module.known_issues for module in self.modules)


@dataclass
class Localiser:
    """Traces findings of one example to modules. `observations` are those of the example."""

    model_executor: ModelExecutor
    model: Model
    example: ModelExample
    observations: Sequence[ModelObservation]
    replay_operator: ReplayOperator = replay_nothing

    def localise(self, finding: Finding) -> Localisation:
        """The modules that are wrong by themselves.

        Modules without children go first, then their parents, the innermost first: what is wrong in a parent and in
        none of its children is in its own forward. The search ends at the first that no known issue covers; where all
        are known, every cell of the finding has been looked at.
        """
        faulty: list[FaultyModule] = []
        for cell in finding.cells:
            in_cell = self._localise_in_cell(finding, cell)
            if not in_cell.modules:
                return in_cell
            faulty += in_cell.modules
            if not in_cell.is_explained:
                return Localisation(tuple(faulty), in_cell.given_up)
        return Localisation(tuple(faulty))

    def _localise_in_cell(self, finding: Finding, cell: str) -> Localisation:
        with ModuleIsolation(self.model_executor, self.model, self.example) as isolation:
            if finding.oracle == "strides":
                modules = self._modules_that_lose(isolation, cell, finding)
            else:
                conversions = [name for name in finding.layouts if name != BASELINE] or [FULL_CONVERSION]
                modules = self._wrong_by_themselves(isolation, cell, conversions)
            loss = isolation.loss_of_calls
        return Localisation(tuple(modules), loss.reason if loss is not None else "")

    def _wrong_by_themselves(
        self, isolation: ModuleIsolation, cell: str, conversions: Sequence[str]
    ) -> list[FaultyModule]:
        """The modules whose operators are known to be wrong, and the first that is wrong otherwise."""
        faulty: list[FaultyModule] = []
        for call in _in_search_order(isolation.calls):
            if any(is_below(module.path, call.path) for module in faulty):
                continue  # what its child does wrong is wrong in it too
            module = self._wrong_by_itself(isolation, call, cell, conversions)
            if module is not None:
                faulty.append(module)
                if not module.known_issues:
                    break
        return faulty

    def _wrong_by_itself(
        self, isolation: ModuleIsolation, call: ReferenceCall, cell: str, conversions: Sequence[str]
    ) -> FaultyModule | None:
        """The module alone: what is wrong with it, or nothing."""
        isolated = isolation.isolate(call, cell, conversions, self._images(call, cell))
        if isinstance(isolated, NotIsolated):
            return None
        judgement = judge_model(isolated.reference, isolated.observations)
        wrong = [finding for finding in judgement.findings if finding.oracle != "strides"]
        if not wrong:
            return None
        wrong.sort(key=lambda finding: -max(finding.cells.values(), default=0.0))
        return self._faulty_module(call, cell, wrong, isolated.calls)

    def _modules_that_lose(self, isolation: ModuleIsolation, cell: str, finding: Finding) -> list[FaultyModule]:
        """The module that lost the format; of its functions those that did, where it was one of them."""
        path = tensor_name.parse(finding.tensor).of
        call = next((call for call in _in_search_order(isolation.calls) if call.path == path), None)
        if call is None:
            return []
        isolated = isolation.isolate(call, cell, [FULL_CONVERSION], self._images(call, cell))
        calls = () if isinstance(isolated, NotIsolated) else isolated.calls
        losing = tuple(function for function in calls if function.loses_channels_last)
        return [self._faulty_module(call, cell, [finding], losing or calls)]

    def _faulty_module(
        self, call: ReferenceCall, cell: str, wrong: Sequence[Finding], calls: Sequence[FunctionCall]
    ) -> FaultyModule:
        # the functions of a parent work on what its children made: none of them alone says what is wrong in its forward
        says_nothing = call.is_parent and wrong[0].oracle != "strides"
        replay = None if says_nothing else self.replay_operator(calls, wrong, cell)
        return FaultyModule(call.path, call.class_name, cell, wrong[0].message, tuple(map(str, calls)), replay)

    def _images(self, call: ReferenceCall, cell: str) -> dict[str, list[tuple[str, str]]]:
        """Format and dtype of the images that this call got in the whole model, by conversion."""
        images = {}
        for run in self.observations:
            module = run.modules[call.number] if run.cell == cell and call.number < len(run.modules) else None
            if module is not None and module.path == call.path:
                images[run.conversion] = list(zip(module.input_formats, module.input_dtypes, strict=True))
        return images


def _in_search_order(calls: Sequence[ReferenceCall]) -> list[ReferenceCall]:
    """Leaves in forward order, then parents, the inner ones first: calls end in that order."""
    return sorted(calls, key=lambda call: (call.is_parent, call.number))
