"""One model in one cell: the same step with nothing converted and under each conversion, as plain data."""

from __future__ import annotations

import contextlib
from typing import Any, Iterator

import numpy as np
import torch

# generation's self-contained module joins this package when it is shipped
from ...portable import fills
from .. import kernel_trace, pytree, tensors
from ..operators import observe
from . import builder, module_hooks, promote_float64, runners

GRAD_OUTPUT_STREAM = 1 << 21
"""The loss takes its coefficients from this fill stream plus the number of the output."""

RATE = 2.0**-4
"""The learning rate of the one step of SGD."""


def serve(request: dict[str, Any], log: kernel_trace.Trace) -> dict[str, Any]:
    """The runs of a request by conversion; or ``problem``, one sentence, where there can be none.

    Where a tensor has the same bits as with nothing converted its bytes are None: sent once.
    """
    torch.set_num_threads(request["threads"])
    if request["precision"] == "bfloat16" and not _bfloat16():
        return {"skip": "oneDNN has no bfloat16 at this level, and ATen's own kernels sum in bfloat16"}
    replies: dict[str, Any] = {}
    try:
        for conversion in ("nchw", *request["conversions"]):
            replies[conversion] = _observed(request, conversion, log)
            _sent_once(replies[conversion]["tensors"], replies["nchw"]["tensors"])
    except builder.ModelProblem as error:
        return {"problem": str(error)}
    except runners.Unavailable as error:
        return {"skip": str(error)}
    return {"runs": replies}


def _sent_once(mine: dict[str, Any], plain: dict[str, Any]) -> None:
    """Take the bytes out of those tensors that are the same with nothing converted."""
    if mine is not plain:
        for name, record in mine.items():
            if observe.same(record, plain.get(name)):
                mine[name] = (*record[:3], None)


def _bfloat16() -> bool:
    asked = getattr(torch.ops.mkldnn, "_is_mkldnn_bf16_supported", None)
    return bool(asked is not None and torch.backends.mkldnn.is_available() and asked())


def _observed(request: dict[str, Any], conversion: str, log: kernel_trace.Trace) -> dict[str, Any]:
    model = builder.built(request, request["state"])
    given = builder.inputs(request)
    convert(model, given, request, conversion)
    watch = module_hooks.ModuleHooks(model, log) if request["runner"] in ("eager", "fx") else module_hooks.NoHooks(log)
    log.text()
    records: dict[str, Any] = {}
    raised = ("", "")
    try:
        with watch:
            for name, tensor in Stepper(request, model, given).run():
                records[name] = tensors.record(tensor)
    except (builder.ModelProblem, runners.Unavailable):
        raise
    except BaseException as error:
        raised = observe.failure(error)
    return {
        "status": "raised" if raised[0] else "ok",
        "tensors": records,
        "modules": watch.records,
        "kernels": watch.kernels(),
        "error": raised[0],
        "message": raised[1],
    }


def convert(model: Any, given: list[Any], request: dict[str, Any], conversion: str) -> None:
    """Put parameters, inputs or both in channels-last, as a user does by ``.to(memory_format=...)``."""
    if conversion in ("both", "model"):
        for tensor in [*model.parameters(), *model.buffers()]:
            tensor.data = channels_last(tensor.data)
    if conversion in ("both", "input"):
        for index, (_name, _shape, _dtype, layout, _most) in enumerate(request["inputs"]):
            if layout:
                given[index] = channels_last(given[index])


def channels_last(tensor: Any) -> Any:
    """The tensor in the channels-last format of its dimension; unchanged where there is none."""
    wanted = pytree.channels_last_of(tensor)
    return tensor if wanted is None else tensor.to(memory_format=wanted)


class Stepper:
    """An evaluation, or a training step, of a model: the tensors that it comes to, by name.

    `double`: everything in float64, for the reference. `draw` is added to the seed of torch's generator.
    """

    def __init__(
        self, request: dict[str, Any], model: Any, given: list[Any], double: bool = False, draw: int = 0
    ) -> None:
        self.request = request
        self.model = model
        self.given = given
        self.double = double
        self.seed = (request["seed"] + draw) & 0x7FFFFFFF
        self.watched: dict[str, Any] = {}

    def run(self) -> Iterator[tuple[str, Any]]:
        """Each tensor as it is there. Raises whatever the model raises."""
        mode(self.model, self.request)
        torch.manual_seed(self.seed)
        with self._watching():
            yield from self._evaluate() if self.request["step"] == "eval" else self._train()

    def _evaluate(self) -> Iterator[tuple[str, Any]]:
        with torch.no_grad():
            call = runners.prepared(self.request, self.model, self.given)
            yield from self._named(self._forward(call)).items()
        yield from self.watched.items()

    def _forward(self, call: Any) -> Any:
        with promote_float64.wide() if self.double else autocast(self.request):
            return call(*self.given)

    def _named(self, result: Any) -> dict[str, Any]:
        try:
            return pytree.named(result)
        except pytree.NotTensors as error:
            raise builder.ModelProblem(str(error)) from None

    def _train(self) -> Iterator[tuple[str, Any]]:
        leaves = {"grad_input:" + name[0]: given for name, given in zip(self.request["inputs"], self.given)}
        leaves = {name: given.requires_grad_() for name, given in leaves.items() if given.is_floating_point()}
        named = dict(self.model.named_parameters())
        leaves.update(("grad:" + name, one) for name, one in named.items() if one.requires_grad)
        call = runners.prepared(self.request, self.model, self.given)
        outputs = self._named(self._forward(call))
        yield from outputs.items()
        yield from self.watched.items()
        loss = self.loss(outputs)
        yield "loss", loss
        found = torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        gradients = {name: gradient for name, gradient in zip(leaves, found) if gradient is not None}
        yield from gradients.items()
        for name, buffer in self.model.named_buffers():
            if buffer.is_floating_point():
                yield "buffer:" + name, buffer
        self._update(named, gradients)
        torch.manual_seed(self.seed)
        with torch.no_grad():
            for name, output in self._named(self._forward(call)).items():
                yield "after:" + name, output

    def _update(self, named: dict[str, Any], gradients: dict[str, Any]) -> None:
        for name, parameter in named.items():
            parameter.grad = gradients.get("grad:" + name)
        torch.optim.SGD(self.model.parameters(), lr=RATE).step()

    def loss(self, outputs: dict[str, Any]) -> Any:
        """The sum of the losses that the model returns; else the mean of each output times fixed coefficients.

        A scalar, in float64 for the reference and in float32 else. Raises ModelProblem where nothing can be trained.
        """
        floating = {name: output for name, output in outputs.items() if output.requires_grad}
        if not floating:
            msg = "no output depends on a parameter or an input; there is nothing to train"
            raise builder.ModelProblem(msg)
        if all(output.dim() == 0 for output in floating.values()):
            return torch.stack([output if self.double else output.float() for output in floating.values()]).sum()
        terms = []
        for index, output in enumerate(floating.values()):
            wide = output if self.double else output.float()
            terms.append((wide * self.coefficients(index, wide)).mean())
        return torch.stack(terms).sum()

    def coefficients(self, index: int, output: Any) -> Any:
        """The coefficients of one output, in its strides, exact in float32."""
        numbers = fills.values(
            "reals", "float32", tuple(output.shape), self.request["seed"], GRAD_OUTPUT_STREAM + index
        )
        fixed = torch.from_numpy(np.ascontiguousarray(numbers)).to(output.dtype)
        return torch.empty_like(output.detach()).copy_(fixed)

    @contextlib.contextmanager
    def _watching(self) -> Iterator[None]:
        """Keep the outputs of the modules that the request watches, at their first call."""
        modules = dict(self.model.named_modules())
        handles = []
        for path in self.request["watch"]:
            if path not in modules:
                msg = f"the model has no module {path!r} to watch"
                raise builder.ModelProblem(msg)
            handles.append(modules[path].register_forward_hook(self._keeper(path)))
        try:
            yield
        finally:
            for handle in handles:
                handle.remove()

    def _keeper(self, path: str) -> Any:
        def keep(_module: Any, _given: Any, output: Any) -> None:
            """Keep copies: what comes after may write into the output."""
            for name, tensor in pytree.named(output, "watch:" + path).items():
                self.watched.setdefault(name, tensor.detach().clone())

        return keep


def autocast(request: dict[str, Any]) -> Any:
    """A context in which the request's precision is used."""
    return torch.autocast("cpu", torch.bfloat16) if request["precision"] == "bfloat16" else contextlib.nullcontext()


def mode(model: Any, request: dict[str, Any]) -> None:
    """Evaluation mode, or training mode but for the modules of the frozen classes."""
    model.train(request["step"] == "train")
    for module in model.modules():
        if type(module).__name__ in request["frozen"]:
            module.eval()
