"""The names of tensors: ``output[0]``, ``grad:weight``, ``buffer:running_mean``. Made here, and taken apart here.

On the wire, in golden/ and in the record a name is its text, so that a person can read it and write a pattern for it.
Whoever must know what kind of tensor a text names asks `parse`, and looks at no prefix.
"""

from __future__ import annotations

import enum
import functools
import re
from typing import NamedTuple


class TensorKind(enum.Enum):
    """What a tensor is; the value is the word that its name begins with."""

    OUTPUT = "output"
    """What the call or the model returned: ``output[0]``, ``output['out']``, ``output.logits``."""
    GRADIENT = "grad"
    """The gradient of a tensor argument, or of a parameter: ``grad:weight``, ``grad:layer1.0.conv1.weight``."""
    BUFFER = "buffer"
    """What the call left in a tensor that it may write: ``buffer:running_mean``."""
    SECOND = "second"
    """What the double backward gives for a tensor argument or a grad_output: ``second:weight``,
    ``second:grad_output[0]``."""
    TANGENT = "jvp"
    """The tangent of an output in forward mode: ``jvp:output[0]``."""
    FAKED = "meta"
    """A tensor as FakeTensorMode takes it to be: ``meta:output[0]``."""
    COMPILED = "compile"
    """A tensor as compiled code lays it out, beside the call itself: ``compile:output[0]``."""
    GRAD_OUTPUT = "grad_output"
    """What backward was given for an output: ``grad_output[0]``."""
    OUT = "out"
    """The memory given to ``out=``: ``out[0]``."""
    INPUT_GRADIENT = "grad_input"
    """The gradient of an input of a model, ``grad_input:x``, or of a module by its place: ``grad_input[0][1]``."""
    LOSS = "loss"
    """The loss of a training step: ``loss``."""
    AFTER = "after"
    """An output of a model after a step of training: ``after:output[0]``."""
    WATCHED = "watch"
    """An output of a module that a model declares under `watch`: ``watch:backbone[0]``."""
    MODULE = "module"
    """No tensor but a module of a model, where a memory format was lost: ``module:layer1.0``; ``module:`` is its own
    forward."""
    CONVERSION = "conversion"
    """No tensor but a way to put a model in channels-last, or to hand one on that is in it: ``conversion:to``."""
    CALL = "call"
    """No tensor but the call as a whole, where it raised: ``call``."""
    EVERY = "*"
    """All tensors of the call: what a finding about a crash, a hang or an error is about."""
    ARGUMENT = ""
    """A tensor argument of a case, by its own name: ``input``."""


_BY_WORD = {kind.value: kind for kind in TensorKind}
_BRACKETED = (TensorKind.OUTPUT, TensorKind.GRAD_OUTPUT, TensorKind.OUT)
_NAME = re.compile(r"(?P<word>[a-z_]+|\*)(?:(?P<colon>:)(?P<of>.*)|(?P<path>[\[.].*))?", re.DOTALL)


DERIVED = (TensorKind.GRADIENT, TensorKind.SECOND)
"""What the backward computes, and is judged by the gradients' rule."""


class TensorName(NamedTuple):
    """A name taken apart: `of` is the argument, parameter, module or output that it is about.

    For outputs and grad_outputs `of` is the place in what was returned: ``[0]``, ``['out']``, ``.logits``.
    """

    kind: TensorKind
    of: str = ""

    def __str__(self) -> str:
        """The text, as `parse` reads it."""
        is_place = self.kind in _BRACKETED or (self.kind is TensorKind.INPUT_GRADIENT and self.of.startswith("["))
        has_colon = self.kind is TensorKind.MODULE or (self.kind.value and self.of and not is_place)
        return f"{self.kind.value}{':' if has_colon else ''}{self.of}"


@functools.lru_cache(maxsize=4096)
def parse(text: str) -> TensorName:
    """Take a name apart. What has no known form is the name of an argument; nothing is raised."""
    match = _NAME.fullmatch(text)
    kind = _BY_WORD.get(match["word"]) if match else None
    if match is None or kind is None:
        return TensorName(TensorKind.ARGUMENT, text)
    name = TensorName(kind, match["of"] or match["path"] or "")
    return name if str(name) == text else TensorName(TensorKind.ARGUMENT, text)


def kind_of(text: str) -> TensorKind:
    """The kind of tensor that a text names."""
    return parse(text).kind


def with_kind(text: str, kind: TensorKind) -> str:
    """The name of another kind that is about the same: of ``grad_output[0]`` as an output, ``output[0]``."""
    return str(TensorName(kind, parse(text).of))


def output(index: int) -> str:
    """The name of an output of an operator: ``output[0]``."""
    return str(TensorName(TensorKind.OUTPUT, f"[{index}]"))


FIRST_OUTPUT = output(0)
"""The name of the only output of most operators."""


def grad_output(index: int) -> str:
    """The name of what backward is given for that output: ``grad_output[0]``."""
    return str(TensorName(TensorKind.GRAD_OUTPUT, f"[{index}]"))


def out(index: int) -> str:
    """The name of the memory given to ``out=`` for that output: ``out[0]``."""
    return str(TensorName(TensorKind.OUT, f"[{index}]"))


def gradient(of: str) -> str:
    """The name of the gradient of an argument or parameter: ``grad:weight``."""
    return str(TensorName(TensorKind.GRADIENT, of))


def second(of: str) -> str:
    """The name of what the double backward gives for an argument or a grad_output: ``second:weight``."""
    return str(TensorName(TensorKind.SECOND, of))


def buffer(of: str) -> str:
    """The name of what is left in a buffer: ``buffer:running_mean``."""
    return str(TensorName(TensorKind.BUFFER, of))


def tangent(index: int) -> str:
    """The name of the tangent of an output: ``jvp:output[0]``."""
    return str(TensorName(TensorKind.TANGENT, output(index)))


def conversion_way(way: str) -> str:
    """The name of a way to convert a model: ``conversion:to``."""
    return str(TensorName(TensorKind.CONVERSION, way))


def counterpart(path: str, name: str) -> str:
    """The name of a tensor as FakeTensorMode takes it to be (``meta``), or as compiled code lays it out."""
    return str(TensorName(TensorKind(path), name))


def module(path: str) -> str:
    """The name of a module of a model, by its path: ``module:layer1.0``; of the model's own forward ``module:``."""
    return str(TensorName(TensorKind.MODULE, path))
