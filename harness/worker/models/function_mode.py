"""A context in which every function of torch that is called goes through one's own hands."""

from __future__ import annotations

from typing import Callable, ContextManager, Mapping, Sequence

import torch

Function = Callable[..., object]

Interceptor = Callable[[Function, Sequence[object], Mapping[str, object]], object]
"""Takes a function with its arguments by position and by name, calls it, and gives its result."""


def intercept_functions(intercept: Interceptor) -> ContextManager[object]:
    """The context; what the interceptor itself calls does not go through it again."""

    class Mode(torch.overrides.TorchFunctionMode):  # type: ignore[misc] # mypy does not follow torch here
        """Hands every function of torch that is called to the interceptor."""

        def __torch_function__(
            self,
            function: Function,
            types: Sequence[type],
            args: Sequence[object] = (),
            kwargs: Mapping[str, object] | None = None,
        ) -> object:
            del types
            return intercept(function, args, kwargs or {})

    return Mode()
