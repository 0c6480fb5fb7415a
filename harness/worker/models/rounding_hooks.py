"""Hooks on a float64 model that act as the rounding of a kernel would, or see how large its sums are."""

from __future__ import annotations

import math
from typing import Callable, Dict, Iterator, List, Sequence, Tuple

import torch

from ...portable import dtypes, tensor_name
from .. import pytree
from .forward_hooks import register_end_hook
from .sum_noise import Sizes, SumNoise, SumRecorder

FLOAT32_ROUNDOFF = dtypes.finfo("float32").unit_roundoff
"""Unit roundoff of the accumulators, of bfloat16's as well: autocast stores bfloat16 and sums in float32."""

DRAWS = 4
"""Independent perturbations. A tensor of one element moves by a normal variable, and so does a kernel's error, which is
smaller, as its terms have random signs within each sum as well. That an error of a third of the size is more than 4
times the largest of n moves, because these were small by chance, has probability 0.05 for n = 1 and 4e-5 for n = 4 (by
simulation); a run judges some thousand tensors of so few elements."""

WIDE = 8.0
"""How many times as large two more draws are, of opposite signs, where a model selects by its numbers.

A tensor may be off by 8 times its sensitivity (models/judge.py): what moves in proportion moves as far where all is off
by 8 times its rounding. A box that is kept or not does not move in proportion. So one that falls out where all is off
by as much as is allowed must be seen to. What does move in proportion moves by 8 times as much, and is divided by 8."""

ForwardHook = Callable[[torch.nn.Module, Sequence[object], object], object]


class RoundingHooks:
    """What the two kinds of hooks share: one forward hook on every module, removed when the run is over.

    `sums` is the mode in which the run goes, which does for the sums in it what the hooks do for what modules give.
    """

    def __init__(self, precision: str, sums: SumRecorder | SumNoise) -> None:
        self.sums = sums
        # that of what the modules store
        self.unit = dtypes.finfo(precision).unit_roundoff
        self.handles: List[torch.utils.hooks.RemovableHandle] = []

    def attach(self, model: torch.nn.Module, inputs: Sequence[torch.Tensor]) -> None:
        """Hook every module of the model, which will be called with these inputs."""
        del inputs
        for path, module in model.named_modules():
            self.handles.append(register_end_hook(module, self.hook(path)))

    def hook(self, path: str) -> ForwardHook:
        """The forward hook of one module."""
        raise NotImplementedError

    def remove(self) -> None:
        """Remove the hooks."""
        for handle in self.handles:
            handle.remove()

    def relative_rounding(self, module: torch.nn.Module, output: torch.Tensor) -> float:
        """What a kernel may lose, relative to the root mean square of its output.

        The result is rounded once, and a sum of n terms of random signs, added up one after the other, is off by
        u sqrt(n/2) of its size (Higham and Mary, SISC 41(5), 2019; any other order does better).
        """
        return self.unit + FLOAT32_ROUNDOFF * math.sqrt(_term_count(module, output) / 2.0)


def _term_count(module: torch.nn.Module, output: torch.Tensor) -> int:
    """How many terms one element of the output sums: the fan-in of a weight, or the elements of one statistic."""
    weights = [parameter for parameter in module.parameters(recurse=False) if parameter.dim() > 1]
    if weights:
        return max(int(weight[0].numel()) for weight in weights)
    normalises = "Norm" in type(module).__name__ or "Pool" in type(module).__name__
    return max(int(output.numel()) // max(int(output.shape[1]), 1), 1) if normalises and output.dim() > 1 else 1


class ModuleNoise(RoundingHooks):
    """Moves every module's floating output, and the gradient that arrives there, by `scale` times a rounding.

    Each element moves by the same size and a random sign, drawn anew for each `draw` and multiplied by `sign`.
    """

    def __init__(self, precision: str, sizes: Sizes, draw: int, sign: float = 1.0, scale: float = 1.0) -> None:
        super().__init__(precision, SumNoise(sizes, draw, sign * scale))
        self.sign = sign * scale
        self.scale = scale
        self.generator = torch.Generator().manual_seed(20 + draw)

    def attach(self, model: torch.nn.Module, inputs: Sequence[torch.Tensor]) -> None:
        """Hook every module, and round the inputs and parameters as far as the precision does."""
        super().attach(model, inputs)
        with torch.no_grad():
            for part in [*inputs, *model.parameters()]:
                tensor = torch.view_as_real(part) if part.is_complex() else part
                if tensor.is_floating_point():
                    tensor.add_(self.signs(tensor) * tensor.abs(), alpha=self.unit)

    def hook(self, path: str) -> ForwardHook:
        """Moves the output of one module."""
        del path

        def move(module: torch.nn.Module, _inputs: Sequence[object], output: object) -> object:
            """The output, each floating tensor of it moved."""
            return pytree.map_tensors(output, lambda tensor: self.move(module, tensor))

        return move

    def move(self, module: torch.nn.Module, tensor: torch.Tensor) -> torch.Tensor:
        """The tensor moved, if it is floating or complex; its gradient will be, where there is one."""
        if tensor.is_complex():
            return torch.view_as_complex(self.move(module, torch.view_as_real(tensor.resolve_conj())))
        if not tensor.is_floating_point():
            return tensor
        size = self.relative_rounding(module, tensor)
        result = tensor + self.noise(tensor, size)
        if result.requires_grad:
            result.register_hook(lambda gradient: gradient + self.noise(gradient, size))
        return result

    def noise(self, tensor: torch.Tensor, size: float) -> torch.Tensor:
        """Random signs times `size` times the root mean square."""
        plain = tensor.detach()
        return self.signs(plain) * (size * root_mean_square(plain))

    def signs(self, tensor: torch.Tensor) -> torch.Tensor:
        """+1 and -1, the same in both runs but for the sign of the run; times the scale."""
        bits = torch.randint(0, 2, tensor.shape, generator=self.generator, dtype=torch.int8)
        # no cast: in a float64 model `promote_float64` makes one to float32 (keypoints) a cast to float64
        return torch.zeros_like(tensor).add_(bits * 2 - 1) * self.sign


def perturbations(precision: str, sizes: Sizes, selects: bool) -> Iterator[ModuleNoise]:
    """The noises by which a sensitivity is measured, each for one run. What moves is to be divided by their scale.

    `sizes` are what the sums of the run without noise may be off by. `selects`: the model selects by its own numbers,
    and is to be moved by as much as may be off, too.
    """
    yield ModuleNoise(precision, sizes, 0, -1.0)
    for draw in range(DRAWS):
        yield ModuleNoise(precision, sizes, draw)
    if selects:
        for sign in (-1.0, 1.0):
            yield ModuleNoise(precision, sizes, DRAWS, sign, WIDE)


class GradientFloors(RoundingHooks):
    """Finds how large the terms are that a parameter's gradient sums: where they cancel, the result does not say.

    The gradient of a weight sums M products g x, that of a bias M values g, M being the positions of the output. The
    partial sums grow to sqrt(M) terms, and are rounded M times: u sqrt(M/2) sqrt(M) rms(g) rms(x). `floors` has what
    that comes to, by the name of the gradient; and the same of running statistics, by the name of the buffer.
    """

    def __init__(self, precision: str) -> None:
        self.recorder = SumRecorder()
        super().__init__(precision, self.recorder)
        self.floors: Dict[str, float] = {}

    def hook(self, path: str) -> ForwardHook:
        """Looks at the input of one module, and at the gradient of its output."""

        def look(module: torch.nn.Module, inputs: Sequence[object], output: object) -> None:
            """Note how large the inputs are, and look at the gradient of the output when it comes.

            Inputs smaller than 1 count as 1: the gradient of a bias sums values that are multiplied by nothing.
            """
            tensors = [part for part in inputs if isinstance(part, torch.Tensor)]
            if tensors and module.training and isinstance(getattr(module, "running_var", None), torch.Tensor):
                self._add_statistics(path, module, tensors[0])
            own = [pair for pair in module.named_parameters(recurse=False) if pair[1].requires_grad]
            if isinstance(output, torch.Tensor) and output.requires_grad and own:
                sizes = [root_mean_square(tensor) for tensor in tensors if tensor.is_floating_point()]
                size = max(sizes, default=1.0)
                output.register_hook(lambda gradient: self._add_gradients(path, own, gradient, max(size, 1.0)))

        return look

    def _add_statistics(self, path: str, module: torch.nn.Module, tensor: torch.Tensor) -> None:
        """The floors of running statistics: stored in float32, sums over all but the channels."""
        count = tensor.numel() / max(tensor.shape[1], 1)
        relative = FLOAT32_ROUNDOFF * 2 + FLOAT32_ROUNDOFF * math.sqrt(count / 2.0)
        size = root_mean_square(tensor)
        for name, largest in (("running_mean", size), ("running_var", size * size)):
            stored = float(getattr(module, name).abs().max())
            self.floors[tensor_name.buffer(_qualified_name(path, name))] = relative * max(largest, stored)

    def _add_gradients(
        self, path: str, parameters: Sequence[Tuple[str, torch.Tensor]], gradient: torch.Tensor, size: float
    ) -> None:
        """Add the floor of one call to those of the module's parameters."""
        for name, parameter in parameters:
            key = tensor_name.gradient(_qualified_name(path, name))
            positions = gradient.numel() / max(parameter.shape[0] if parameter.dim() else 1, 1)
            roundings = FLOAT32_ROUNDOFF * math.sqrt(positions / 2.0) * math.sqrt(positions)
            sums = self.unit * math.sqrt(positions) + roundings
            self.floors[key] = self.floors.get(key, 0.0) + sums * root_mean_square(gradient) * size


def _qualified_name(path: str, name: str) -> str:
    """The path of a parameter or buffer of the module at `path`."""
    return f"{path}.{name}" if path else name


def root_mean_square(tensor: torch.Tensor) -> float:
    """The root mean square of all elements; 0 where there are none."""
    plain = tensor.detach()
    return float((plain.abs() if plain.is_complex() else plain).square().mean().sqrt()) if plain.numel() else 0.0
