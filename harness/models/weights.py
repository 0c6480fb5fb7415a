"""Which weights a model is judged with: the harness's own, or those that its factory gave."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from harness.models.compare import RELATIVE
from harness.models.examples import model_examples
from harness.models.executor import ModelExecutor
from harness.models.model import Model, ModelReference, WayToRun
from harness.portable.dtypes import finfo

ENOUGH: Final = 0.5
"""The share of a model's tensors that can be judged with the harness's own weights, from which on no others are tried:
each try costs as much as the reference, which is most of the time."""


def choose_weights(model_executor: ModelExecutor, model: Model, way: WayToRun, seed: int) -> Model:
    """The model with the weights under which more of its tensors can be judged in this way to run it.

    The harness's own keep every activation in range and leave no layer at zero, as a factory may; but some networks
    magnify roundings with them until nothing can be judged. So those of the factory are tried where less than `ENOUGH`
    of the tensors can be judged, and taken where these are more.
    """
    example = next(model_examples(model, way, seed, 1))
    filled = judgeable_share(model_executor.reference(model, example), way)
    if filled is None or filled >= ENOUGH:
        return model
    keeping = replace(model, weights="keep")
    kept = judgeable_share(model_executor.reference(keeping, example), way)
    return keeping if kept is not None and kept > filled else model


def judgeable_share(reference: ModelReference, way: WayToRun) -> float | None:
    """The share of floating tensors whose allowance is smaller than their largest element; None without a reference.

    A tensor that is zero throughout, as behind a layer that a factory sets to zero, says nothing.
    """
    if reference.problem is not None or reference.status != "ok":
        return None
    unit = finfo(way.precision).unit_roundoff
    judgeable: list[bool] = []
    for name, value in reference.values.items():
        if value.dtype.kind == "f" and value.size:
            largest = float(np.abs(value).max())
            judgeable.append(RELATIVE * (reference.sensitivity.get(name, 0.0) + unit * largest) < largest)
    return sum(judgeable) / len(judgeable) if judgeable else None
