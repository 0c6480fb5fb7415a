"""What draws random numbers in a model: the module, and the line of source."""

from __future__ import annotations

import sys
from typing import Callable, List, Mapping, NamedTuple, Sequence, Tuple

import torch

from ...portable.source_line import SourceLine, line_name
from .operator_mode import OperatorMode, may_draw
from .source_line import source_line

SWITCHED_OFF = ("Drop", "Stochastic")
"""Parts of the names of classes that draw random numbers in training mode alone."""


class RandomCall(NamedTuple):
    """One operator that drew random numbers, in the forward of the module at `path`."""

    operator: str
    path: str
    class_name: str
    is_training: bool
    line: SourceLine | None

    @property
    def remedy(self) -> str:
        """What draws, where, and what to declare."""
        where = f" ({line_name(self.line)})" if self.line is not None else ""
        if self.is_training and any(part in self.class_name for part in SWITCHED_OFF):
            freeze = f"frozen: [{self.class_name}], --frozen {self.class_name}"
            return f"{self.path} is a {self.class_name} that is on{where}; switch it off, or freeze its class: {freeze}"
        module = f"{self.path} ({self.class_name})" if self.path else f"the model's own forward ({self.class_name})"
        return (
            f"{self.operator} draws random numbers in {module}{where}; if it must, declare it seeded: "
            "`seeded: true`, --seeded"
        )


class RandomCalls(OperatorMode):
    """Notes in `calls` each operator of a model that draws from a generator. The model is hooked for good.

    One that may draw, such as attention with a dropout of zero, is noted only where the generator has moved.
    """

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.calls: List[RandomCall] = []
        self._open: List[Tuple[str, torch.nn.Module]] = []
        for path, module in model.named_modules():
            module.register_forward_pre_hook(self._beginning_hook(path))
            module.register_forward_hook(self._end)

    def intercept(self, func: torch._ops.OpOverload, args: Sequence[object], keywords: Mapping[str, object]) -> object:
        """The operator as it is."""
        if not self._open or not may_draw(func):
            return func(*args, **keywords)
        before = torch.get_rng_state()
        result = func(*args, **keywords)
        if keywords.get("generator") is not None or not torch.equal(before, torch.get_rng_state()):
            path, module = self._open[-1]
            line = source_line(sys._getframe(1))
            name = f"aten.{func.overloadpacket.__name__}"
            self.calls.append(RandomCall(name, path, type(module).__name__, module.training, line))
        return result

    def _beginning_hook(self, path: str) -> Callable[[torch.nn.Module, object], None]:
        def begin(module: torch.nn.Module, _args: object) -> None:
            """A module is at work."""
            self._open.append((path, module))

        return begin

    def _end(self, _module: torch.nn.Module, _args: object, _output: object) -> None:
        """Its caller is at work again."""
        self._open.pop()
