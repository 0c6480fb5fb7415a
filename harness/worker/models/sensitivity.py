"""The float64 answer of a model, and how far each of its tensors may move by the rounding of the precision tested.

A model has no a-priori bound that is of any use, so its sensitivity is measured: the float64 model runs several
times more, with every module's output, and the gradient that arrives there, moved by what a kernel may round. Each
element moves by the same size and a random sign. The second run has the opposite signs of the first: what sits at an
edge (a ReLU's zero, the second largest element of a window) goes over it in one of the two.
"""

from __future__ import annotations

import math
from typing import Any, Callable, Iterator

import numpy as np
import torch

from .. import tensors
from ..operators import observe
from ..reference import float64
from . import builder, data_dependent_ops, promote_float64, run_step

UNIT = {"float32": 2.0**-24, "bfloat16": 2.0**-8}
"""Unit roundoff of what the modules store; autocast stores bfloat16 and sums in float32."""

SUMS = 2.0**-24
"""Unit roundoff of the accumulators."""

DRAWS = 4
"""Independent perturbations. A tensor of one element moves by a normal variable, and so does a kernel's error, which is
smaller, as its terms have random signs within each sum as well. That an error of a third of the size is more than 4
times the largest of n moves, because these were small by chance, has probability 0.05 for n = 1 and 4e-5 for n = 4 (by
simulation); a run judges some thousand tensors of so few elements."""

WIDE = 8.0
"""How many times as large two more draws are, of opposite signs, where a model selects by its numbers.

A tensor may be off by 8 times its spread (oracles/models.py): what moves in proportion moves as far where all is off
by 8 times its rounding. A box that is kept or not does not move in proportion. So one that falls out where all is off
by as much as is allowed must be seen to. What does move in proportion moves by 8 times as much, and is divided by 8."""

REPEAT_SEED = 0x5EED
"""Added to the seed of the second run that shows whether a model draws random numbers."""

Moved = Callable[[Any, float], Any]


def refer(request: dict[str, Any]) -> dict[str, Any]:
    """The reference of a request as plain data; ``problem``, one sentence, where the model cannot be judged."""
    with float64.stock():
        try:
            return _refer(request)
        except builder.ModelProblem as error:
            return {"problem": str(error)}
        except BaseException as error:
            name, message = observe.failure(error)
            return {"problem": _explained(request, f"the model raised {name}: {message}")}


def _refer(request: dict[str, Any]) -> dict[str, Any]:
    request = {**request, "runner": "eager"}
    bare = builder.built(request).double()
    run_step.mode(bare, {**request, "step": "eval"})
    with torch.no_grad(), promote_float64.wide():
        state = builder.calibrate(bare, builder.inputs(request, double=True))
    request["state"] = state
    terms = Terms(request["precision"])
    with data_dependent_ops.DataDependentOps() as choices:
        values = _run(request, terms)
    _refuse_random(request, values)
    spread = dict(terms.floors)
    for noise in perturbations(request["precision"], selecting=choices.seen):
        for name, moved in _stepped(request, noise):
            widen(spread, name, distance(moved.detach(), values.get(name)) / noise.scale)
    if "loss" in values:
        outputs = [name for name in values if name.startswith("output")]
        spread["loss"] = max([spread["loss"], *(_averaged(values[name], spread[name], terms.unit) for name in outputs)])
    return {
        "state": state,
        "values": {name: plain(value) for name, value in values.items()},
        "spread": spread,
        "modules": terms.order,
    }


def _run(request: dict[str, Any], hooks: Any = None, draw: int = 0) -> dict[str, Any]:
    """All tensors of a run."""
    found = {}
    for name, tensor in _stepped(request, hooks, draw):
        found[name] = tensor.detach().clone(memory_format=torch.contiguous_format)
    return found


def _stepped(request: dict[str, Any], hooks: Any = None, draw: int = 0) -> Iterator[tuple[str, Any]]:
    """Each tensor of a run as it comes; what is not kept needs no memory."""
    model = builder.built(request, request["state"]).double()
    given = builder.inputs(request, double=True)
    if hooks is not None:
        hooks.attach(model, given)
    yield from run_step.Stepper(request, model, given, double=True, draw=draw).run()
    if hooks is not None:
        hooks.finish()


def _refuse_random(request: dict[str, Any], values: dict[str, Any]) -> None:
    """Raise ModelProblem where the same input gives another answer after another seed of torch's generator."""
    again = _run(request, draw=0 if request["seeded"] else REPEAT_SEED)
    differing = [name for name, value in values.items() if not _equal(value, again.get(name))]
    if not differing:
        return
    model = builder.built(request, request["state"])
    run_step.mode(model, request)
    drawing = [
        (path, type(module).__name__)
        for path, module in model.named_modules()
        if module.training and ("Dropout" in type(module).__name__ or "Stochastic" in type(module).__name__)
    ]
    what = "two runs with the same input differ ({})".format(", ".join(differing[:3]))
    if drawing:
        path, kind = drawing[0]
        what += (
            f": {path} is a {kind} that is on; switch it off, or freeze its class: frozen: [{kind}], --frozen {kind}"
        )
    else:
        what += ": the model draws random numbers; if it must, declare it seeded: `seeded: true`, --seeded"
    raise builder.ModelProblem(what)


def _equal(one: Any, other: Any) -> bool:
    return other is not None and observe.same(tensors.record(one), tensors.record(other))


def widen(spread: dict[str, float], name: str, far: float) -> None:
    """Let the spread of that tensor reach as far as one more perturbation moved it."""
    spread[name] = max(spread.get(name, 0.0), far)


def distance(moved: Any, value: Any) -> float:
    """The largest difference of two tensors; infinite where they cannot be compared."""
    if value is None or moved.shape != value.shape:
        return math.inf
    if not value.is_floating_point():
        return 0.0 if torch.equal(moved, value) else math.inf
    largest = float((moved - value).abs().max()) if value.numel() else 0.0
    return math.inf if math.isnan(largest) else largest


def _averaged(output: Any, spread: float, unit: float) -> float:
    """How far the mean of an output may move that moves by `spread`: one number may have been lucky."""
    return (spread + unit * _rms(output)) / math.sqrt(max(output.numel(), 1)) if output.is_floating_point() else 0.0


def _explained(request: dict[str, Any], said: str) -> str:
    """The sentence; another one where an input is shaped NHWC and the model wants its channels first."""
    try:
        model = builder.built(request)
    except builder.ModelProblem:
        return said
    first = next((one for one in model.modules() if isinstance(one, torch.nn.modules.conv._ConvNd)), None)
    for name, shape, _dtype, _layout, _most in request["inputs"]:
        if first is None or len(shape) not in (4, 5) or shape[1] == first.in_channels:
            continue
        if shape[-1] == first.in_channels:
            right = [shape[0], shape[-1], *shape[1:-1]]
            return (
                f"the input {name!r} is shaped {list(shape)}, that is NHWC, and the first convolution wants "
                f"{first.in_channels} channels in dimension 1: give {right}. channels-last changes the strides of a "
                "tensor and not its shape, which stays N, C, H, W; `x.permute(0, 3, 1, 2)` makes one of the other"
            )
    return said


class Hooks:
    """What the two kinds of hooks share: one forward hook on every module, removed when the run is over."""

    def __init__(self, precision: str) -> None:
        self.unit = UNIT[precision]
        self.handles: list[Any] = []

    def attach(self, model: Any, given: list[Any]) -> None:
        """Hook every module of the model."""
        del given
        for path, module in model.named_modules():
            self.handles.append(module.register_forward_hook(self.hook(path)))

    def hook(self, path: str) -> Any:
        """The forward hook of one module."""
        raise NotImplementedError

    def finish(self) -> None:
        """Remove the hooks."""
        for handle in self.handles:
            handle.remove()

    def rounding(self, module: Any, output: Any) -> float:
        """What a kernel may lose, relative to the root mean square of its output.

        The result is rounded once, and a sum of n terms of random signs, added up one after the other, is off by
        u sqrt(n/2) of its size (Higham and Mary, SISC 41(5), 2019; any other order does better).
        """
        return self.unit + SUMS * math.sqrt(_terms(module, output) / 2.0)


def _terms(module: Any, output: Any) -> int:
    """How many terms one element of the output sums: the fan-in of a weight, or the elements of one statistic."""
    own = [parameter for parameter in module.parameters(recurse=False) if parameter.dim() > 1]
    if own:
        return max(int(parameter[0].numel()) for parameter in own)
    normalising = "Norm" in type(module).__name__ or "Pool" in type(module).__name__
    return max(int(output.numel()) // max(int(output.shape[1]), 1), 1) if normalising and output.dim() > 1 else 1


class Noise(Hooks):
    """Moves every module's floating output, and the gradient that arrives there, by `scale` times a rounding."""

    def __init__(self, precision: str, draw: int, sign: float = 1.0, scale: float = 1.0) -> None:
        super().__init__(precision)
        self.sign = sign * scale
        self.scale = scale
        self.generator = torch.Generator().manual_seed(20 + draw)

    def attach(self, model: Any, given: list[Any]) -> None:
        """Hook every module, and round the inputs and parameters as far as the precision does."""
        super().attach(model, given)
        with torch.no_grad():
            for tensor in [*given, *model.parameters()]:
                if tensor.is_floating_point():
                    tensor.add_(self.signs(tensor) * tensor.abs(), alpha=self.unit)

    def hook(self, path: str) -> Any:
        """Moves the output of one module."""
        del path

        def move(module: Any, given: Any, output: Any) -> Any:
            """The output, each tensor of it moved."""
            del given
            return _mapped(output, lambda one: self.moved(module, one))

        return move

    def moved(self, module: Any, tensor: Any) -> Any:
        """The tensor moved; its gradient will be, where there is one."""
        size = self.rounding(module, tensor)
        result = tensor + self.noise(tensor, size)
        if result.requires_grad:
            result.register_hook(lambda gradient: gradient + self.noise(gradient, size))
        return result

    def noise(self, tensor: Any, size: float) -> Any:
        """Random signs times `size` times the root mean square."""
        plain = tensor.detach()
        return self.signs(plain) * (size * float(plain.square().mean().sqrt()) if plain.numel() else 0.0)

    def signs(self, tensor: Any) -> Any:
        """+1 and -1, the same in both runs but for the sign of the run; times the scale."""
        drawn = torch.randint(0, 2, tensor.shape, generator=self.generator, dtype=torch.int8)
        # no cast: in a float64 model `widening.py` makes one to float32 (keypoints) a cast to float64
        return torch.zeros_like(tensor).add_(drawn * 2 - 1) * self.sign


def perturbations(precision: str, selecting: bool) -> Iterator[Noise]:
    """The noises by which a sensitivity is measured, each for one run. What moves is to be divided by their scale."""
    yield Noise(precision, 0, -1.0)
    for draw in range(DRAWS):
        yield Noise(precision, draw)
    if selecting:
        for sign in (-1.0, 1.0):
            yield Noise(precision, DRAWS, sign, WIDE)


class Terms(Hooks):
    """Finds how large the terms are that a parameter's gradient sums: where they cancel, the result does not say.

    The gradient of a weight sums M products g x, that of a bias M values g, M being the positions of the output. The
    partial sums grow to sqrt(M) terms, and are rounded M times: u sqrt(M/2) sqrt(M) rms(g) rms(x).
    """

    def __init__(self, precision: str) -> None:
        super().__init__(precision)
        self.floors: dict[str, float] = {}
        self.order: list[str] = []

    def hook(self, path: str) -> Any:
        """Looks at the input of one module, and at the gradient of its output."""

        def see(module: Any, given: Any, output: Any) -> None:
            """Note how large the inputs are, and look at the gradient of the output when it comes.

            Inputs smaller than 1 count as 1: the gradient of a bias sums values that are multiplied by nothing.
            """
            if module.training and isinstance(getattr(module, "running_var", None), torch.Tensor):
                self.statistics(path, module, given[0])
            own = [(name, one) for name, one in module.named_parameters(recurse=False) if one.requires_grad]
            if isinstance(output, torch.Tensor) and output.requires_grad and own:
                seen = [_rms(one) for one in given if isinstance(one, torch.Tensor) and one.is_floating_point()]
                size = max(seen, default=1.0)
                output.register_hook(lambda gradient: self.add(path, module, own, gradient, max(size, 1.0)))

        return see

    def statistics(self, path: str, module: Any, given: Any) -> None:
        """The floors of running statistics: stored in float32, sums over all but the channels."""
        count = given.numel() / max(given.shape[1], 1)
        lost = UNIT["float32"] * 2 + SUMS * math.sqrt(count / 2.0)
        size = _rms(given)
        for name, largest in (("running_mean", size), ("running_var", size * size)):
            held = float(getattr(module, name).abs().max())
            self.floors["buffer:" + (path + "." if path else "") + name] = lost * max(largest, held)

    def add(self, path: str, module: Any, own: list[Any], gradient: Any, size: float) -> None:
        """Add the floor of one call to those of the module's parameters."""
        del module
        for name, parameter in own:
            key = "grad:" + (path + "." if path else "") + name
            positions = gradient.numel() / max(parameter.shape[0] if parameter.dim() else 1, 1)
            sums = self.unit * math.sqrt(positions) + SUMS * math.sqrt(positions / 2.0) * math.sqrt(positions)
            self.floors[key] = self.floors.get(key, 0.0) + sums * _rms(gradient) * size


def _rms(tensor: Any) -> float:
    return float(tensor.detach().square().mean().sqrt()) if tensor.numel() else 0.0


def _mapped(part: Any, change: Callable[[Any], Any]) -> Any:
    """The same structure with every floating tensor changed; containers of another kind are left as they are."""
    if isinstance(part, torch.Tensor):
        return change(part) if part.is_floating_point() else part
    if isinstance(part, dict):
        return type(part)((key, _mapped(value, change)) for key, value in part.items())
    if isinstance(part, (tuple, list)):
        made = [_mapped(value, change) for value in part]
        return type(part)(*made) if hasattr(part, "_fields") else type(part)(made)
    return part


def plain(tensor: Any) -> tuple[str, list[int], bytes]:
    """A tensor as NumPy's dtype, shape and bytes."""
    array = np.ascontiguousarray(tensor.numpy())
    return array.dtype.str, list(tensor.shape), array.tobytes()
