"""What is measured: cases of suites that have a memory format, and torchvision's networks."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from harness.core import Case, Expression
from harness.errors import UserError, did_you_mean
from harness.models import InputSpec, Model

CASES: Final[Mapping[str, Mapping[str, Any]]] = {
    "convolution::conv2d": {},
    "convolution::conv2d_1x1": {},
    "convolution::conv2d_depthwise": {},
    "normalization::batch_norm_evaluation": {},
    "normalization::group_norm": {"groups": 4, "Cg": 16},
    "pooling::max_pool2d": {},
    "pooling::avg_pool2d": {},
    "pooling::adaptive_avg_pool2d": {},
    "resampling::bilinear": {"P": 112, "Q": 112},
    "activation::silu": {},
    "activation::prelu": {},
    "rearrangement::channel_shuffle": {"groups": 4, "C": 16},
}
"""One of each kind of operator whose kernels PyTorch's article of 2022 describes, with sizes that are not typical."""

MODELS: Final = ("resnet50", "mobilenet_v3_large", "convnext_tiny")
"""Torchvision's, each of another kind of convolution: plain, depthwise with squeeze and excitation, with LayerNorm."""

HOME: Final = "the command line"


def chosen_cases(names: Iterable[str], cases: Mapping[str, Case]) -> list[Case]:
    """The cases of these names, ``suite::case`` or the case alone; `cases` are all there are, by id.

    Where a name alone is that of cases of several suites it is the one that has float32, in which speed is measured.
    Raises UserError for a name that no case has, and for a case in which nothing has a memory format.
    """
    ordered = sorted(cases.values(), key=lambda case: "float32" in case.dtypes)
    by_name = {name: case for case in ordered for name in (case.name, f"{case.suite}::{case.name}", case.id)}
    chosen = [_case_of(name, by_name) for name in dict.fromkeys(names)]
    for case in chosen:
        if not any(spec.channels_last for spec in case.tensors):
            raise UserError(f"{case.id} has no tensor in channels-last: it is the same in both formats")
    return chosen


def _case_of(name: str, by_name: Mapping[str, Case]) -> Case:
    if name not in by_name:
        raise UserError(f"there is no case {name!r}{did_you_mean(name, by_name)}")
    return by_name[name]


def torchvision_model(name: str, shape: Sequence[int], *, trains: bool, has_bfloat16: bool) -> Model:
    """The network as a suite would declare it, or, with a dot or a colon in its name, a factory of somebody's own.

    `has_bfloat16`: under autocast to bfloat16 too.
    """
    factory = name.replace(":", ".") if {".", ":"} & {*name} else f"torchvision.models.{name}"
    spec = InputSpec("input", tuple(Expression.parse(str(size)) for size in shape), len(shape) in (4, 5))
    return Model(
        f"{HOME}::{name}",
        name,
        HOME,
        1,
        factory,
        (),
        (spec,),
        steps=("eval", "train") if trains else ("eval",),
        precisions=("float32", "bfloat16") if has_bfloat16 else ("float32",),
        requires=("torchvision",) if factory.startswith("torchvision.") else (),
    )
