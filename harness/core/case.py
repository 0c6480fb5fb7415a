"""Case: one operator or model as a suite file declares it, checked and ready to draw from."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Literal, get_args

from harness.core.expression import Expression
from harness.portable.dtypes import FLOATING, is_differentiable
from harness.portable.layouts import CHANNELS_INNERMOST
from harness.portable.settings import USUAL
from harness.portable.tensor_name import DERIVED, kind_of

SizeKind = Literal["choice", "batch", "channels", "spatial", "range"]
Rule = Literal["exact", "multilinear", "selection", "elementwise", "normwise", "resampling", "unspecified"]
Magnitude = Literal["none", "input", "one", "both", "channels"]
BatchedPathName = Literal["vmap", "vmap_last", "vmap_one", "per_sample"]
DerivingPathName = Literal["double_backward", "jvp"]
PathName = Literal[
    "no_grad", "inference_mode", "autocast", "out", BatchedPathName, DerivingPathName, "meta", "compile", "cached"
]
"""Ways to run a call beside the plain one, which is forward and backward.

Of these ``per_sample`` and ``double_backward`` ask for gradients.
"""

BATCHED_PATHS: Final[tuple[BatchedPathName, ...]] = get_args(BatchedPathName)
"""Ways under vmap, whose batching rules decide how results lie."""

SELDOM_PATHS: Final = ("vmap_last", "vmap_one", "per_sample", "double_backward")
"""Ways that an item goes in two rows, and else as often as others: they are variants of one of these."""

RARE_PATHS: Final = ("compile", "cached")
"""Ways that cost seconds: few rows of an item go them, and of what is drawn one in a hundred is compiled."""


@dataclass(frozen=True)
class Size:
    """One free choice of a case, drawn in declared order; bounds may use the sizes drawn before it.

    `choice` draws from `choices`, simplest first; `batch`, `channels` and `spatial` are the distributions that know
    kernels, at least `low` (and 1 without it; 0 only if `empty`); `range` draws low..high. With `length` > 0 the value
    is a tuple of that many, drawn independently.
    """

    name: str
    kind: SizeKind
    choices: tuple[Any, ...] = ()
    low: Expression | None = None
    high: Expression | None = None
    length: int = 0
    empty: bool = False


@dataclass(frozen=True)
class TensorSpec:
    """One tensor argument: its shape over the sizes, and whether its memory format is a free choice.

    `channels_last`: layouts of both formats are drawn; else it is contiguous or a plain view of contiguous memory.
    `dtype` None is the example's dtype. `grad`: its gradient is asked for when the dtype is floating or complex.
    `between`: the least and the largest number it holds. `buffer`: the operator may write it, and what it then holds
    is judged as ``buffer:name``; it has no gradient. `distinct`: no number occurs twice in that many of its last
    dimensions. `unbatched`: it is an image or a volume without a batch axis, and may lie as it was loaded.
    """

    name: str
    shape: tuple[Expression, ...]
    channels_last: bool = False
    optional: bool = False
    grad: bool = True
    dtype: str | None = None
    between: tuple[Expression, Expression] | None = None
    buffer: bool = False
    distinct: int = 0
    unbatched: bool = False

    @property
    def last_layout(self) -> str:
        """The layout of it in which channels are innermost; nothing where its memory format is no free choice."""
        return CHANNELS_INNERMOST[not self.channels_last] if self.channels_last or self.unbatched else ""


@dataclass(frozen=True)
class TensorArgument:
    """A tensor of the case where a value is expected: among the positional or the keyword arguments."""

    tensor: str


@dataclass(frozen=True)
class TorchName:
    """What torch has under a name, such as ``channels_last`` or ``float32``, where a value is expected."""

    name: str


@dataclass(frozen=True)
class Module:
    """How a module is made and called: keyword arguments of its class, its mode, and what holds its state.

    `state` maps a parameter or buffer (``out_proj.weight``) to the tensor that stands for it. One that is absent in an
    example is None in the module.
    """

    init: Mapping[str, Any] = field(default_factory=dict)
    train: Expression | bool = True
    state: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Numerics:
    r"""How values are judged. `output` and `gradient` name the rules of the design's section 6.

    `below`: the tensor holds indices, whole numbers from 0 to below - 1, whatever the reference says.

    `selection` is `multilinear` with the magnitudes taken from the original inputs and \|grad_output\|. `terms`
    declares n where counting with ones lies (coefficients that sum to one). `ulps` and `magnitude` (the largest
    intermediate: none, \|input\|, 1, 1 + \|input\|, or the largest \|input\| of any channel in the element's place)
    belong to `elementwise`. `each` maps the name of a tensor
    (``output[1]``, ``grad:bias``) to a rule of its own, the same for `output` and `gradient`. `unspecified`: any values
    are right. `constant`: so is an output that is one number throughout, which would be a reason for distrust.
    """

    output: Rule
    gradient: Rule
    terms: Expression | None = None
    ulps: float = 4.0
    magnitude: Magnitude = "none"
    below: Expression | None = None
    constant: bool = False
    each: Mapping[str, Numerics] = field(default_factory=dict)

    def of(self, tensor: str) -> Numerics:
        """What judges the tensor of that name: its own entry of `each`, or these."""
        return self.each.get(tensor, self)

    def rule(self, tensor: str) -> Rule:
        """The rule for the tensor of that name."""
        numerics = self.of(tensor)
        return numerics.gradient if kind_of(tensor) in DERIVED else numerics.output


@dataclass(frozen=True)
class DeclaredExample:
    """A corner that always runs first: what it fixes, and why. What it leaves open takes its simplest value."""

    why: str
    sizes: Mapping[str, Any] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    fill: str | None = None
    threads: int | None = None
    inplace: bool = False


@dataclass(frozen=True)
class Case:
    """One operator, declared. `id` is ``<suite file relative to the root, posix>::<name>``.

    `positional` are the arguments passed by position (None: the tensors that `arguments` does not pass, in order),
    `arguments` those by keyword: each an Expression over the sizes, a TensorArgument, a TorchName, a literal, or a
    tuple of these. `preserves` names the tensors of which one in channels-last makes the output channels-last (empty:
    the output's strides are unspecified; None: always contiguous); with `shared` all of them must be, and
    `channels_last` makes it so always. `inplace` is the keyword to set True, or the dotted callable, of the in-place
    form. In the dtypes of `unsupported` every call must raise, and alike. With `module` the call is the name of a
    class. `reference` is the dotted name of what the float64 reference runs in the place of `call`, with the same
    arguments (None: `call` itself). `result` is the shape that every output must have (None: the reference's). `paths`
    are other ways to run the call, `settings` those of PyTorch under which it is made now and then, `requires` the
    packages without which there is none. `is_empty`: some size is 0 in every example. `line` and `column`, from 1, are
    where it begins.
    """

    id: str
    name: str
    suite: str
    line: int
    call: str
    sizes: tuple[Size, ...]
    tensors: tuple[TensorSpec, ...]
    numerics: Numerics
    positional: tuple[Any, ...] | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)
    require: tuple[Expression, ...] = ()
    dtypes: tuple[str, ...] = tuple(FLOATING)
    unsupported: tuple[str, ...] = ()
    fills: tuple[str, ...] = ("integers", "reals")
    preserves: tuple[str, ...] | None = ()
    channels_last: bool = False
    shared: bool = False
    module: Module | None = None
    inplace: str | None = None
    reference: str | None = None
    result: tuple[Expression, ...] | None = None
    paths: tuple[str, ...] = ()
    settings: tuple[str, ...] = ()
    examples: tuple[DeclaredExample, ...] = ()
    requires: tuple[str, ...] = ()
    column: int = 1
    is_empty: bool = False

    @property
    def has_unbatched_results(self) -> bool:
        """Whether it is called with an image or a volume that has no batch axis, and returns such ones."""
        return bool(self.tensors) and self.tensors[0].unbatched

    def has_grad_output(self, dtype: str) -> bool:
        """Whether examples in that dtype choose a layout for grad_output, which is also that of what ``out=`` gets."""
        is_differentiated = any(spec.grad and is_differentiable(spec.dtype or dtype) for spec in self.tensors)
        return bool(self.tensors) and (is_differentiated or "out" in self.paths)

    @property
    def every_dtype(self) -> tuple[str, ...]:
        """All dtypes in which the case is tried: those that are run, and those that must be refused."""
        return (*self.dtypes, *self.unsupported)

    def paths_in(self, dtype: str) -> tuple[str, ...]:
        """How the case is run in this dtype, plainly first.

        Autocast is for what it casts from or to, what derives for floating dtypes, and what is compiled is so in one.
        """
        fits = {
            "autocast": dtype in ("float32", "bfloat16"),
            **dict.fromkeys(("jvp", "per_sample", "double_backward"), dtype in FLOATING),
            **dict.fromkeys(RARE_PATHS, dtype == "float32"),
        }
        usual = [path for path in self.paths if path not in RARE_PATHS]
        return ("plain", *(path for path in (*usual, *RARE_PATHS) if path in self.paths and fits.get(path, True)))

    @property
    def every_setting(self) -> tuple[str, ...]:
        """The settings under which the case is run, the usual ones first."""
        return (USUAL, *self.settings)

    def tensor(self, name: str) -> TensorSpec:
        """The tensor of that name; raises KeyError."""
        return {spec.name: spec for spec in self.tensors}[name]

    @property
    def by_position(self) -> tuple[Any, ...]:
        """The arguments passed by position, those that are left to the order of the tensors included."""
        if self.positional is not None:
            return self.positional
        named = {*tensors_in(tuple(self.arguments.values())), *(self.module.state.values() if self.module else ())}
        return tuple(TensorArgument(spec.name) for spec in self.tensors if spec.name not in named)


def tensors_in(value: Any) -> Iterator[str]:
    """The names of the tensors in a value of `positional` or `arguments`, however deep."""
    yield from (leaf.tensor for leaf in leaves(value) if isinstance(leaf, TensorArgument))


def leaves(value: Any) -> Iterator[Any]:
    """The values in nested tuples, in order."""
    if isinstance(value, tuple):
        for part in value:
            yield from leaves(part)
    else:
        yield value
