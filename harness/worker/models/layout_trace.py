"""One forward pass in which every function of torch is followed: where images lose channels-last, and on which line."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import ContextManager, List, Mapping, Sequence, Tuple

import torch

from ...portable.model_protocol import ImageCallData, LayoutLoss, TensorLayout
from .. import pytree, tensors
from . import image_axes
from .function_mode import Function, intercept_functions
from .image_axes import Axes
from .image_functions import TorchCall, multiply_adds, result_axes
from .module_layouts import ModuleLayouts
from .put_back import WatchedLoss
from .source_line import source_line

_STATE = "_nhwc_equivalence_image"
"""The attribute of a tensor that says what is known of it."""


@dataclass
class _Image:
    """What is known of a tensor that is an image, or was made of one.

    `is_lost`: why it is NCHW has been noted. `loss` is the call of which it is the result, where that lost the format.
    """

    axes: Axes
    is_lost: bool = False
    loss: WatchedLoss | None = None

    def format_of(self, tensor: torch.Tensor) -> str:
        """Its memory format, see `image_axes.memory_format`."""
        return image_axes.memory_format(self.axes, tensor.stride())


class LayoutTrace:
    """Follows images through a forward pass of `model`.

    `calls` are those of functions that work on them, in order, and `modules` have what each module got and gave.

    The model is hooked for good: it is a copy that nothing else runs. `inputs` are what it is called with: those of
    four or five dimensions are images where `are_images` says so.
    """

    def __init__(self, model: torch.nn.Module, inputs: Sequence[torch.Tensor], are_images: Sequence[bool]) -> None:
        self.calls: List[ImageCallData] = []
        self._sizes: set[Tuple[int, ...]] = set()
        self.modules = ModuleLayouts(model, self._layout_of)
        for tensor, is_image in zip(inputs, are_images):
            if is_image and tensor.dim() in (4, 5):
                self._keep(tensor, _Image(image_axes.image_axes(tensor.shape)))

    def follow(self) -> ContextManager[object]:
        """A context in which calls are noted."""

        def intercept(function: Function, args: Sequence[object], keywords: Mapping[str, object]) -> object:
            """Call the function, and note what came of it."""
            call = TorchCall(function, args, keywords)
            try:
                result = function(*args, **keywords)
            except Exception:
                self.note_raise(call)
                raise
            self.note(call, result)
            return result

        return intercept_functions(intercept)

    def note_end(self, output: object) -> None:
        """Note what the model returned: that is taken as it is."""
        for state in map(self._state, pytree.flatten(output)):
            if state is not None and state.loss is not None:
                state.loss.note_reader(None, "")

    def note(self, call: TorchCall, result: object) -> None:
        """Note a call that returned `result`, and what that is of an image."""
        outputs = pytree.flatten(result)
        if not outputs or not call.inputs:
            return
        losses = [state.loss for _, state in self._states(call) if state.loss is not None]
        if call.kind:
            self._note_image_call(call, outputs[0])
        else:
            self._note_other_call(call, outputs)
        for loss in losses:
            loss.note_reader(call, self._layout_of(outputs[0])[0])

    def _note_image_call(self, call: TorchCall, output: torch.Tensor) -> None:
        """A convolution, normalisation, pooling or resampling, of an image or of what merely has as many dimensions."""
        image = call.inputs[0]
        if call.is_unbatched:
            self._add(call, "", [], [], output)
            return
        state = self._state(image)
        if not self._is_of_pixels(call, state) or output.dim() != image.dim():
            return
        state = state or _Image(image_axes.image_axes(image.shape))
        result = _Image(image_axes.image_axes(output.shape))
        self._sizes.update((tuple(image.shape[2:]), tuple(output.shape[2:])))
        got, gave = state.format_of(image), result.format_of(output)
        loses: LayoutLoss = ""
        if got == "nchw" and call.kind == "convolution" and not state.is_lost:
            loses = "gets nchw"
        elif gave == "nchw" and (got == "nhwc" or (got == "either" and call.kind in ("convolution", "resampling"))):
            loses = "gives nchw"
        result.is_lost = gave == "nchw" and (bool(loses) or state.is_lost)
        self._keep(output, result)
        noted = self._add(call, loses, [got], [gave], output)
        result.loss = WatchedLoss(noted) if loses == "gives nchw" else None

    def _is_of_pixels(self, call: TorchCall, state: _Image | None) -> bool:
        """Whether a call works on the pixels of an image.

        What was made of one on a way that could not be followed (through attention) is one again if its sides are those
        of an image of this network, or if a kernel with sides is moved over it. A YOLO head has (N, 16, 4, anchors),
        and a convolution of one tap on it: these are no pixels.
        """
        image = call.inputs[0]
        if image.dim() not in (4, 5):
            return False
        if state is not None:
            return image_axes.is_image(state.axes)
        return tuple(image.shape[2:]) in self._sizes or min(call.kernel, default=1) > 1

    def _note_other_call(self, call: TorchCall, outputs: List[torch.Tensor]) -> None:
        """Any other function: what is known of its results, and whether NHWC went in and NCHW came out."""
        states = self._states(call)
        if not states:
            return
        known = [(tensor, state.axes) for tensor, state in states]
        got = [state.format_of(tensor) for tensor, state in states]
        for output in outputs:
            axes = result_axes(call, known, output)
            if axes is None:
                continue
            result = _Image(axes)
            gave = result.format_of(output)
            is_loss = gave == "nchw" and "nhwc" in got and "nchw" not in got and image_axes.has_sides(axes)
            result.is_lost = gave == "nchw" and (is_loss or any(state.is_lost for _, state in states))
            self._keep(output, result)
            if is_loss:
                result.loss = WatchedLoss(self._add(call, "gives nchw", got, [gave], output))

    def note_raise(self, call: TorchCall) -> None:
        """Note a call that raised, where it was given an image in NHWC: perhaps for its strides."""
        got = [state.format_of(tensor) for tensor, state in self._states(call)]
        if "nhwc" in got:
            self._add(call, "raises", got, [], None)

    def _add(
        self, call: TorchCall, loses: LayoutLoss, got: List[str], gave: List[str], output: torch.Tensor | None
    ) -> ImageCallData:
        path, class_name = self.modules.innermost
        noted: ImageCallData = {
            "function": call.dotted,
            "kind": call.kind,
            "loses": loses,
            "module": path,
            "class_name": class_name,
            "input_formats": got,
            "output_formats": gave,
            "input_shape": list(call.inputs[0].shape),
            "input_axes": self._input_axes(call),
            "multiply_adds": multiply_adds(call, output),
            "line": source_line(sys._getframe(1)) if loses else None,
            "function_call": call.describe(output) if output is not None and loses == "gives nchw" else None,
        }
        self.calls.append(noted)
        return noted

    def _input_axes(self, call: TorchCall) -> List[str]:
        """The parts of an image in each dimension of the first input; nothing where none are known."""
        first = call.inputs[0]
        state = self._state(first)
        if state is None:
            is_image = call.kind and first.dim() in (4, 5)
            axes = image_axes.image_axes(first.shape) if is_image else ((),) * first.dim()
        else:
            axes = state.axes
        return ["".join(image_axes.parts_of(dimension)) for dimension in axes]

    def _states(self, call: TorchCall) -> List[Tuple[torch.Tensor, _Image]]:
        """The arguments of which something is known, with that."""
        states = [(tensor, self._state(tensor)) for tensor in call.inputs]
        return [(tensor, state) for tensor, state in states if state is not None]

    def _state(self, tensor: torch.Tensor) -> _Image | None:
        return getattr(tensor, _STATE, None)

    def _keep(self, tensor: torch.Tensor, state: _Image) -> None:
        setattr(tensor, _STATE, state)

    def _layout_of(self, tensor: torch.Tensor) -> TensorLayout:
        """Format, where the tensor is of an image and has pixels still, dtype and shape."""
        state = self._state(tensor)
        format_name = state.format_of(tensor) if state is not None and image_axes.has_pixels(state.axes) else ""
        return format_name, tensors.name_of(tensor.dtype), list(tensor.shape)
