"""Where a failure's elements differ: read off an example large enough for a pattern to show."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from harness.core import Case, Example, Finding, Pattern
from harness.errors import UserError
from harness.execution import Executor
from harness.generation import enlarged_examples, resolve_example
from harness.oracles import Window, describe_mismatch
from harness.trial.fatal_parts import PartwiseRunner
from harness.trial.judged_result import judge_result
from harness.trial.known_issues import DEATHS

_WINDOW_ARGUMENTS: Final = ("stride", "padding", "dilation")
"""What PyTorch calls them in every convolution and pool; they are 1, 0 and 1 where they are left out."""


@dataclass(frozen=True)
class Locator:
    """Says where the elements of a finding differ, in the minimal example or in a larger one that fails alike.

    A minimal example is too small to tell: of two channels the second is the last one, and the rest after any block.
    """

    case: Case
    executor: Executor
    partwise: PartwiseRunner

    def locate(self, minimal: Example, finding: Finding, *, enlarge: bool) -> Pattern:
        """The pattern of a finding of the minimal example; empty where no elements were compared.

        `enlarge`: larger examples may be run.
        """
        if finding.mismatch is None:
            return Pattern()
        if enlarge and finding.oracle not in DEATHS:
            for example, pattern in self._enlarged_patterns(minimal, finding):
                if pattern.kinds:
                    sizes = ", ".join(_changed_sizes(minimal.sizes, example.sizes))
                    return replace(pattern, sentence=f"{pattern.sentence} (with {sizes})")
        return describe_mismatch(finding.mismatch, finding.tensor, example_window(self.case, minimal))

    def _enlarged_patterns(self, minimal: Example, finding: Finding) -> list[tuple[Example, Pattern]]:
        """The larger examples that fail in the same way, with their patterns."""
        cells = tuple(finding.cells)[:1]
        examples = [
            example
            for example in enlarged_examples(self.case, minimal)
            if not set(cells).intersection(self.partwise.fatal_cells(example))
        ]
        patterns = []
        for result in self.executor.run(self.case, examples, cells=cells):
            judged = judge_result(self.case, result, self.partwise.known_issues)
            failure = judged.failure(finding.key)
            if failure is not None and failure.mismatch is not None:
                window = example_window(self.case, result.example)
                patterns.append((result.example, describe_mismatch(failure.mismatch, failure.tensor, window)))
        return patterns


def _changed_sizes(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    return [f"{name} = {value}" for name, value in after.items() if value != before[name]]


def example_window(case: Case, example: Example) -> Window | None:
    """The window of the input that an output of the example's call is computed from; None where it has none.

    It is read off the arguments by PyTorch's names for them: ``kernel_size`` or the shape of ``weight``, ``stride``,
    ``padding``, ``dilation``; ``pad`` of what only pads.
    """
    try:
        resolved = resolve_example(case, example)
    except UserError:
        return None
    shapes = {tensor.name: tensor.shape for tensor in resolved.tensors if tensor.shape is not None}
    arguments = {**resolved.arguments, **(resolved.module.init if resolved.module else {})}
    if not shapes or len(next(iter(shapes.values()))) < 3 or "output_padding" in arguments:
        return None
    size = next(iter(shapes.values()))[2:]
    if isinstance(before := arguments.get("pad"), tuple):
        return _padding_window(before, size)
    kernel = arguments.get("kernel_size", shapes.get("weight", ())[2:])
    return _sliding_window(kernel, arguments, size)


def _padding_window(pad: tuple[Any, ...], size: tuple[int, ...]) -> Window | None:
    """That of an image that is padded: ``pad`` has before and after of the last dimension first."""
    before = tuple(number for number in pad[::2] if isinstance(number, int))[::-1]
    ones = (1,) * len(size)
    return Window(ones, ones, before, ones, size) if len(before) == len(size) else None


def _sliding_window(kernel: Any, arguments: Mapping[str, Any], size: tuple[int, ...]) -> Window | None:
    usual = {"stride": kernel if "kernel_size" in arguments else 1, "padding": 0, "dilation": 1}
    values = [kernel, *(arguments.get(name, usual[name]) for name in _WINDOW_ARGUMENTS)]
    fields = [_for_each_dimension(value, len(size)) for value in values]
    lengths, stride, padding, dilation = fields
    if lengths is None or stride is None or padding is None or dilation is None or not any(padding):
        return None
    return Window(lengths, stride, padding, dilation, size)


def _for_each_dimension(value: Any, rank: int) -> tuple[int, ...] | None:
    """A number for each dimension; None where it is neither that nor one number for all."""
    numbers = (value,) * rank if isinstance(value, int) else value
    is_one_each = isinstance(numbers, tuple) and len(numbers) == rank
    return tuple(numbers) if is_one_each and all(isinstance(number, int) for number in numbers) else None
