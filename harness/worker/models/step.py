"""An evaluation or a training step of a model, in a cell or the reference: the tensors that it comes to, by name."""

from __future__ import annotations

import contextlib
from typing import Callable, ContextManager, Dict, Iterator, List, Mapping, Sequence, Tuple

import numpy as np
import torch

from ...portable import fills, tensor_name
from ...portable.tensor_name import TensorKind, TensorName
from .. import pytree
from . import promote_float64, runners
from .argument_data import Arguments
from .call_arguments import call_arguments, call_model
from .model_request import ModelRequest
from .problems import ModelProblem
from .seeded_draws import draws_of

LOSS_STREAM = 1 << 21
"""The loss takes its coefficients from this fill stream plus the number of the output."""

LEARNING_RATE = 2.0**-4
"""The learning rate of the one step of SGD."""

LOSS = TensorKind.LOSS.value

NamedTensor = Tuple[str, torch.Tensor]


class ModelStep:
    """One step of a model that is built and converted; `inputs` are the tensors of the request.

    `double`: everything in float64, for the reference. `draw` is added to the seed of torch's generator.
    """

    def __init__(
        self,
        request: ModelRequest,
        model: torch.nn.Module,
        inputs: Sequence[torch.Tensor],
        *,
        double: bool = False,
        draw: int = 0,
    ) -> None:
        self.request = request
        self.model = model
        self.inputs = inputs
        self.double = double
        self.seed = (request.seed + draw) & 0x7FFFFFFF
        self.watched_outputs: Dict[str, torch.Tensor] = {}
        self._coefficients: Dict[int, torch.Tensor] = {}

    @property
    def arguments(self) -> Arguments:
        """What the model is called with."""
        return call_arguments(self.request, self.inputs)

    def run(self) -> Iterator[NamedTensor]:
        """Each tensor as it is there. Raises whatever the model raises, ModelProblem and Unavailable."""
        set_mode(self.model, self.request)
        torch.manual_seed(self.seed)
        try:
            with self._watch():
                for name, tensor in self._train() if self.request.trains else self._evaluate():
                    yield name, real_view(tensor)
        finally:
            runners.leave_process_group()

    def _evaluate(self) -> Iterator[NamedTensor]:
        with torch.no_grad():
            program = runners.make_program(self.request, self.model, self.arguments)
            yield from self._forward(program).items()
        yield from self.watched_outputs.items()

    def _forward(self, program: torch.nn.Module) -> Dict[str, torch.Tensor]:
        """The named outputs of the program. Raises ModelProblem where something else comes back."""
        precision = promote_float64.promote_float64() if self.double else autocast(self.request)
        with draws_of(self.request), precision:
            result = call_model(program, self.arguments)
        try:
            return pytree.named_outputs(result)
        except pytree.NotTensors as error:
            raise ModelProblem(str(error)) from None

    def _train(self) -> Iterator[NamedTensor]:
        parameters = dict(self.model.named_parameters())
        leaves = self._leaves(parameters)
        program = runners.make_program(self.request, self.model, self.arguments)
        outputs = self._forward(program)
        yield from outputs.items()
        yield from self.watched_outputs.items()
        loss = self.loss(outputs)
        yield LOSS, loss
        with draws_of(self.request):  # a checkpoint runs its part of the forward again
            gradients = self._gradients(loss, leaves)
        yield from gradients.items()
        yield from floating_buffers(self.model)
        self._update(parameters, gradients)
        torch.manual_seed(self.seed)
        with torch.no_grad():
            for name, output in self._forward(program).items():
                yield str(TensorName(TensorKind.AFTER, name)), output

    def _gradients(self, loss: torch.Tensor, leaves: Mapping[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
        """The gradients of the leaves that have one: of a distributed model those that came out of its buckets."""
        if self.request.runner == "ddp":
            loss.backward()
            gradients = [leaf.grad for leaf in leaves.values()]
        else:
            gradients = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        return {name: gradient for name, gradient in zip(leaves, gradients) if gradient is not None}

    def _leaves(self, parameters: Mapping[str, torch.Tensor]) -> Dict[str, torch.Tensor]:
        """The inputs and parameters that have gradients, by the names of these."""
        leaves = {}
        for spec, tensor in zip(self.request.inputs, self.inputs):
            if tensor.is_floating_point():
                leaves[str(TensorName(TensorKind.INPUT_GRADIENT, spec.name))] = tensor.requires_grad_()
        leaves.update(gradient_leaves(parameters))
        return leaves

    def _update(self, parameters: Mapping[str, torch.Tensor], gradients: Mapping[str, torch.Tensor]) -> None:
        for name, parameter in parameters.items():
            parameter.grad = gradients.get(tensor_name.gradient(name))
        torch.optim.SGD(self.model.parameters(), lr=LEARNING_RATE).step()

    def loss(self, outputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        """The sum of the losses that the model returns; else the mean of each output times fixed coefficients.

        A scalar, in float64 for the reference and in float32 else. Losses are the outputs without dimensions, where
        there are no others, or where they are called so: what a model returns that was given its targets. Raises
        ModelProblem where nothing can be trained.
        """
        differentiable = {name: output for name, output in outputs.items() if output.requires_grad}
        if not differentiable:
            msg = "no output depends on a parameter or an input; there is nothing to train"
            raise ModelProblem(msg)
        losses = [output for name, output in differentiable.items() if output.dim() == 0 and LOSS in name]
        parts = map(real_view, losses or differentiable.values())
        wide = [output if self.double else output.float() for output in parts]
        if all(output.dim() == 0 for output in wide):
            return torch.stack(wide).sum()
        terms = [(output * self._coefficients_of(index, output)).mean() for index, output in enumerate(wide)]
        return torch.stack(terms).sum()

    def _coefficients_of(self, index: int, output: torch.Tensor) -> torch.Tensor:
        """The coefficients of one output, in its strides, exact in float32; made at its first loss."""
        if index not in self._coefficients:
            numbers = fills.values("reals", "float32", tuple(output.shape), self.request.seed, LOSS_STREAM + index)
            fixed = torch.from_numpy(np.ascontiguousarray(numbers)).to(output.dtype)
            self._coefficients[index] = torch.empty_like(output.detach()).copy_(fixed)
        return self._coefficients[index]

    @contextlib.contextmanager
    def _watch(self) -> Iterator[None]:
        """Keep the outputs of the modules that the request watches, at their first call."""
        modules = dict(self.model.named_modules())
        handles: List[torch.utils.hooks.RemovableHandle] = []
        for path in self.request.watch:
            if path not in modules:
                msg = f"the model has no module {path!r} to watch"
                raise ModelProblem(msg)
            handles.append(modules[path].register_forward_hook(self._keeping_hook(path)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _keeping_hook(self, path: str) -> Callable[[torch.nn.Module, object, object], None]:
        def keep(_module: torch.nn.Module, _inputs: object, output: object) -> None:
            """Keep copies: what comes after may write into the output."""
            for name, tensor in pytree.named_outputs(output, str(TensorName(TensorKind.WATCHED, path))).items():
                self.watched_outputs.setdefault(name, tensor.detach().clone())

        return keep


def real_view(tensor: torch.Tensor) -> torch.Tensor:
    """The real and imaginary parts of a complex tensor, in one more dimension; any other tensor itself."""
    return torch.view_as_real(tensor.resolve_conj()) if tensor.is_complex() else tensor


def gradient_leaves(parameters: Mapping[str, torch.Tensor]) -> Iterator[NamedTensor]:
    """The parameters that have gradients, each with the name of that."""
    return ((tensor_name.gradient(name), tensor) for name, tensor in parameters.items() if tensor.requires_grad)


def floating_buffers(module: torch.nn.Module) -> Iterator[NamedTensor]:
    """The floating buffers of a module and its children, by the names that they have as results."""
    return ((tensor_name.buffer(name), value) for name, value in module.named_buffers() if value.is_floating_point())


def autocast(request: ModelRequest) -> ContextManager[object]:
    """A context in which the request's precision is used."""
    return torch.autocast("cpu", torch.bfloat16) if request.precision == "bfloat16" else contextlib.nullcontext()


def set_mode(model: torch.nn.Module, request: ModelRequest) -> None:
    """Set evaluation mode, or training mode but for the modules of the frozen classes."""
    model.train(request.trains)
    for module in model.modules():
        if type(module).__name__ in request.frozen:
            module.eval()
