"""Writing one script: what its template is filled with."""

from __future__ import annotations

import keyword
import math
import re
from collections.abc import Collection, Iterator, Sequence
from typing import Final

from harness.core import Level
from harness.core.example import GRAD_OUTPUT
from harness.generation import ResolvedExample, ResolvedTensor, resolve_example
from harness.portable import layouts, tensor_name
from harness.portable.dtypes import COMPLEX, FLOATING, is_differentiable
from harness.portable.tensor_name import TensorKind
from harness.reporting.script_call import call_parts, inplace_form, module_text
from harness.reporting.script_inputs import (
    MOST_LITERALS,
    fill_lines,
    grad_output_text,
    is_drawable,
    rearrangement_text,
    tangent_text,
    tensor_text,
)
from harness.reporting.script_subject import NoScriptError, ScriptSubject
from harness.reporting.templating import TEMPLATES

REPEATS: Final = 24
"""How often a script makes a call that is not wrong every time."""

ATTEMPTS: Final = 20
"""How often a script makes a call that may end the process: what spoils the heap is not noticed at once."""

SEEDS: Final = 10
"""How many grad_outputs a script tries: it draws them, for it does not know the example's own."""

FAULT_IS_HERE: Final = "the fault is here"
"""What a script prints last where it shows the fault."""

LONGEST_TITLE: Final = 75
"""Characters of what the first line of a script says."""

STOCK: Final = "--stock"
"""The argument with which a script leaves the preload files out."""

POISON: Final = {"MALLOC_PERTURB_": "165", "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0"}
"""The environment in which memory is filled when it is handed out, so that what nobody wrote is wrong every time."""

_TOLERANCE: Final = {"float16": 0.51, "bfloat16": 0.51, "float32": 64.0, "float64": 4096.0}
"""Units in the last place within which a script takes a result for right, half of one being its own rounding.

The half types are accumulated in float32, and each element counts in its own units; float32 and float64 in themselves,
over a few thousand terms, in units of the largest element.
"""

_DECORATORS: Final = {
    "plain": "",
    "inference_mode": "@torch.inference_mode()",
    "autocast": '@torch.no_grad()\n@torch.autocast("cpu", dtype=torch.bfloat16)',
}
"""What a path puts before the function that makes the call; without a graph where nothing else is said."""

_SETTINGS: Final = {
    "onednn_off": "torch.backends.mkldnn.set_flags(False)",
    "deterministic": "torch.use_deterministic_algorithms(True, warn_only=True)",
    "default_float64": "torch.set_default_dtype(torch.float64)",
}
"""The statement that makes a setting."""

_COMPARED: Final = frozenset({TensorKind.OUTPUT, TensorKind.GRADIENT, TensorKind.BUFFER, TensorKind.TANGENT})
"""The tensors that a script can look at."""

_BESIDE: Final = frozenset({TensorKind.FAKED, TensorKind.COMPILED})
"""What is seen of a tensor beside the call itself, which a script compares with it."""

_ABOUT_A_TENSOR: Final = frozenset({"values", "strides", "shape", "dtype", "range", "repeat"})
"""The oracles that say something of a tensor, and not of the call as a whole."""


class ScriptWriter:
    """Writes the script of one subject. Raises NoScriptError where none can be written."""

    def __init__(self, subject: ScriptSubject, *, poison: bool) -> None:
        self._subject, self._poison = subject, poison
        self._example, self._case = subject.example, subject.case
        self._resolved = resolve_example(self._case, self._example)
        self.tensors = [tensor for tensor in self._resolved.tensors if tensor.shape is not None]
        self._has_counterpart = bool(subject.tensor) and tensor_name.kind_of(subject.tensor) in _BESIDE
        self._tensor = tensor_name.parse(subject.tensor).of if self._has_counterpart else subject.tensor
        self._kind = tensor_name.kind_of(self._tensor) if self._tensor else TensorKind.EVERY
        self._is_own = self._case.call.partition(".")[0] in {path.stem for path in subject.preload} or (
            bool(subject.preload) and self._case.call.startswith("torch.ops.")
        )
        for refusal in self._refusals():
            raise NoScriptError(refusal)

    def may_draw(self, tensor: ResolvedTensor) -> bool:
        """Whether its numbers may be others than the example's."""
        return is_drawable(tensor, self._resolved) and count_elements(tensor) > 1

    def text(self, drawn: Collection[str]) -> str:
        """The script, in which the numbers of the tensors of these names are drawn."""
        drawn = {*drawn, *(tensor.name for tensor in self.tensors if count_elements(tensor) > MOST_LITERALS)}
        fields = {**self._head_fields(), **self._call_fields(drawn), **self._check_fields()}
        body = TEMPLATES.get_template("fault_script.py.jinja").render(fields) + "\n"
        needed = [name for name in ("inf", "nan") if re.search(rf"(?<![\w.]){name}\b(?!\()", body)]
        names = f"import torch\nfrom torch import {', '.join(needed)}\n"
        return body.replace("import torch\n", names, 1) if needed else body

    def _head_fields(self) -> dict[str, object]:
        """What stands before the call: the environment, and the files that are imported."""
        preload = self._subject.preload
        return {
            "title": _line(self._subject.title),
            "caps": ", ".join(f'{name}="{value}"' for name, value in _caps(self._subject.level).items()),
            "poison": POISON if self._poison else {},
            "threads": 4 if self._example.setting == "four_threads" else self._example.threads,
            "setting": _SETTINGS.get(self._example.setting, ""),
            "folders": list(dict.fromkeys(str(path.resolve().parent) for path in preload)),
            "imports": _import_text([path.stem for path in preload]),
            "is_own": self._is_own,
            "stock": STOCK,
            "earlier": self._earlier_lines(),
        }

    def _call_fields(self, drawn: Collection[str]) -> dict[str, object]:
        """The tensors and the call on them, forward and backward."""
        path, is_plain = self._example.path, self._example.path == "plain"
        return {
            "decorator": _DECORATORS.get(path, "@torch.no_grad()"),
            "what": f"{self._tensor} of" if self._kind in _COMPARED else "the call on",
            "tensors": [self._tensor_line(tensor, drawn) for tensor in self.tensors],
            "conversion": self._conversion,
            "tangents": [self._tangent_line(tensor) for tensor in self._leaves] if path == "jvp" else [],
            "leaves": [tensor.name for tensor in self._leaves] if is_plain else [],
            "differentiated": [tensor.name for tensor in self._leaves],
            "module": module_text(self._case, self._resolved),
            "call": self._call_lines(),
            "path": path,
            "inplace": self._overwritten_text() if self._example.inplace else "",
            "first": self.tensors[0].name if self.tensors else "",
            "out_layout": self._companion_layout("torch.full_like(y, 77)"),
            "grad_output": grad_output_text(self._resolved),
            "grad_layout": self._companion_layout("g"),
            "result": self._result_text(),
            "returns_gradient": self._kind is TensorKind.GRADIENT and is_plain,
            "index": self._result_text().removeprefix("gradients"),
            "draws": bool(drawn) or self._runs_backward or path == "per_sample",
            "runs_backward": self._runs_backward,
            "seeds": SEEDS if self._kind is TensorKind.GRADIENT and is_plain else 1,
        }

    def _check_fields(self) -> dict[str, object]:
        """What is asked of what comes back."""
        example, oracle = self._example, self._subject.oracle
        half = "bfloat16" if example.path == "autocast" else example.dtype
        return {
            "oracle": oracle,
            "is_exact": not self._has_counterpart
            and (oracle == "values" or (oracle == "shape" and self._due_shape is None)),
            "shape": self._due_shape,
            "has_counterpart": self._has_counterpart,
            "tensor": self._subject.tensor,
            "format": self._due_format(),
            "strides": self._own_strides,
            "below": self._below(),
            "must_refuse": example.dtype in self._case.unsupported,
            "repeats": REPEATS if self._subject.is_fickle or oracle == "repeat" else 1,
            "attempts": ATTEMPTS if oracle == "crash" else 1,
            "fill": example.fill,
            "dtype": example.dtype,
            "tolerance": _TOLERANCE.get(COMPLEX.get(half, half), 0.0),
            "half": half,
            "is_half": half in ("float16", "bfloat16"),
            "is_floating": example.dtype in FLOATING or example.dtype in COMPLEX,
            "only_as_laid_out": self._subject.only_as_laid_out and oracle == "values",
            "fault_is_here": FAULT_IS_HERE,
        }

    def _refusals(self) -> Iterator[str]:
        """What keeps a script from being written."""
        case, subject = self._case, self._subject
        roots = {"torch", *(path.stem for path in subject.preload)}
        functions = {case.call, case.reference or case.call} if self._is_own else {case.call}
        if case.requires:
            yield f"it needs {' and '.join(case.requires)}"
        yield from (f"{name} is not PyTorch's own" for name in functions if name.partition(".")[0] not in roots)
        if self._example.path == "double_backward":
            yield "a script makes no double backward"
        if self._kind not in _COMPARED and subject.oracle in _ABOUT_A_TENSOR:
            yield f"a script does not look at {subject.tensor}"
        if any(not _may_be_written(tensor, self._resolved) for tensor in self.tensors):
            yield "its numbers can neither be written out nor drawn"
        layout = self._example.layouts.get(GRAD_OUTPUT, "contiguous")
        if self._example.path in ("plain", "out", "per_sample") and not rearrangement_text(layout, "g", self._rank):
            yield f"no short expression lays grad_output out as {layout}"

    @property
    def _rank(self) -> int:
        """The dimensions of the output, taken to be those of the first tensor."""
        return len(self.tensors[0].shape or ()) if self.tensors else 4

    @property
    def _leaves(self) -> list[ResolvedTensor]:
        return [tensor for tensor in self.tensors if tensor.gradient and is_differentiable(tensor.dtype)]

    @property
    def _runs_backward(self) -> bool:
        """Whether the fault is in the backward, or may be; a call that must be refused is so before."""
        may_be = self._kind is TensorKind.GRADIENT or self._kind not in _COMPARED
        is_refused = self._example.dtype in self._case.unsupported
        return may_be and self._example.path == "plain" and bool(self._leaves) and not is_refused

    @property
    def _conversion(self) -> str:
        """What makes the tensor `x` float64."""
        if any(tensor.dtype in COMPLEX for tensor in self.tensors):
            wide = "x.to(torch.promote_types(x.dtype, torch.float64))"
            return f"{wide} if exact and (x.is_floating_point() or x.is_complex()) else x"
        return "x.double() if exact and x.is_floating_point() else x"

    def _tensor_line(
        self, tensor: ResolvedTensor, drawn: Collection[str], resolved: ResolvedExample | None = None
    ) -> str:
        return tensor_text(tensor, resolved or self._resolved, drawn=tensor.name in drawn, indent=" " * 8).lstrip()

    def _tangent_line(self, tensor: ResolvedTensor) -> str:
        return tangent_text(tensor, self._resolved, " " * 8).lstrip()

    def _call_lines(self) -> str:
        """The call, without the indent of its first line."""
        function, more = inplace_form(self._case) if self._example.inplace else (self._case.call, ())
        head, parts = call_parts(self._case, self._resolved, function, more)
        if self._is_own and self._case.reference is not None:
            head = f"({self._case.reference} if exact else {head})"
        return fill_lines(f"{head}(", parts, ")", "    ").lstrip()

    def _earlier_lines(self) -> str:
        """The statement that makes the earlier call; empty where there is none."""
        earlier = self._subject.earlier
        if earlier is None:
            return ""
        resolved = resolve_example(self._case, earlier)
        tensors = [tensor for tensor in resolved.tensors if tensor.shape is not None]
        if any(not _may_be_written(tensor, resolved) for tensor in tensors):
            raise NoScriptError("the numbers of the earlier call can neither be written out nor drawn")
        drawn = {tensor.name for tensor in tensors if count_elements(tensor) > MOST_LITERALS}
        lines = [f"    {self._tensor_line(tensor, drawn, resolved)}," for tensor in tensors]
        head, parts = call_parts(self._case, resolved, self._case.call)
        return "\n".join(["t = {", *lines, "}", fill_lines(f"{head}(", parts, ")", "").lstrip()])

    def _overwritten_text(self) -> str:
        """The memory that an in-place call overwrites: strides as the first tensor's."""
        first = self.tensors[0]
        assert first.shape is not None  # noqa: S101 - absent ones are left out
        strides, offset, length = layouts.placement(first.layout, first.shape)
        if length == count_elements(first):
            return "x.clone()"
        view = f"as_strided({first.shape}, {strides}, {offset})"
        return f"x.clone() if contiguous else torch.zeros({length}, dtype=x.dtype).{view}.copy_(x)"

    def _companion_layout(self, tensor: str) -> str:
        """The layout of grad_output, or of what ``out=`` gets; empty where it is contiguous."""
        layout = self._example.layouts.get(GRAD_OUTPUT, "contiguous")
        return "" if layout == "contiguous" else rearrangement_text(layout, tensor, self._rank)

    def _result_text(self) -> str:
        """What the function that makes the call returns, of `outputs`, `gradients` or the tensors `t`."""
        name = tensor_name.parse(self._tensor)
        if self._subject.oracle == "written":
            return f'before["{name.of}"], t["{name.of}"].detach()'
        if name.kind is TensorKind.GRADIENT:
            order = [tensor.name for tensor in self._leaves]
            if name.of not in order:
                raise NoScriptError(f"there is no {self._subject.tensor} in it")
            return f"gradients[{order.index(name.of)}]"
        if name.kind is TensorKind.BUFFER:
            return f't["{name.of}"]'
        index = tensor_name.parse(name.of).of if name.kind is TensorKind.TANGENT else name.of
        return f"{'tangents' if name.kind is TensorKind.TANGENT else 'outputs'}{index or '[0]'}"

    def _due_format(self) -> str:
        """The format that the tensor must have."""
        last = "torch.channels_last_3d" if self._rank == 5 else "torch.channels_last"
        laid_out = [layout for name, layout in self._example.layouts.items() if name != GRAD_OUTPUT]
        is_last = any(layout.startswith("channels_last") for layout in laid_out) and self._case.preserves is not None
        is_drawn = "drawn" in self._subject.layouts
        return last if self._case.channels_last or (is_last and is_drawn) else "torch.contiguous_format"

    @property
    def _due_shape(self) -> tuple[int, ...] | None:
        """The shape that the case gives its outputs; None where it is that of float64."""
        if self._case.result is None or self._kind is not TensorKind.OUTPUT:
            return None
        return tuple(int(extent.evaluate(dict(self._example.sizes))) for extent in self._case.result)

    @property
    def _own_strides(self) -> tuple[int, ...] | None:
        """The strides that an in-place call must keep."""
        first = self.tensors[0] if self.tensors else None
        if first is None or first.shape is None or not self._example.inplace:
            return None
        return layouts.placement(first.layout, first.shape)[0]

    def _below(self) -> int | None:
        """Where the range of indices ends; None for a tensor that holds none."""
        below = self._case.numerics.of(self._subject.tensor).below
        return None if below is None else int(below.evaluate(dict(self._example.sizes)))


def count_elements(tensor: ResolvedTensor) -> int:
    """How many elements a tensor has; 0 for an absent one."""
    return 0 if tensor.shape is None else math.prod(tensor.shape)


def _may_be_written(tensor: ResolvedTensor, resolved: ResolvedExample) -> bool:
    """Whether a script can have the numbers of the tensor, or others like them."""
    return count_elements(tensor) <= MOST_LITERALS or is_drawable(tensor, resolved)


def _caps(level: Level) -> dict[str, str]:
    """The variables that cap instructions."""
    caps = {"ONEDNN_MAX_CPU_ISA": level.onednn, "ATEN_CPU_CAPABILITY": level.aten}
    return {name: value for name, value in caps.items() if value is not None}


def _import_text(modules: Sequence[str]) -> str:
    """The statement that imports modules of these names, which need not be names of Python."""
    if all(name.isidentifier() and not keyword.iskeyword(name) for name in modules):
        return f"import {', '.join(modules)}" if modules else ""
    return f"any(map(__import__, {list(modules)}))"


def _line(text: str) -> str:
    """The text as a comment may have it: in one line, of printable ASCII, cut where it is long."""
    plain = "".join(character if " " <= character <= "~" else "?" for character in text)
    return plain if len(plain) <= 100 else f"{plain[:97]}..."
