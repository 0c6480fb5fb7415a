"""Which weights a model is judged with: the harness's own, unless little can be judged with them."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import numpy as np
import pytest

from harness.models import Model, ModelExample, ModelExecutor, choose_weights
from harness.models.model import ModelReference, Problem, WayToRun
from harness.models.weights import judgeable_share

WAY = WayToRun("eval", "eager", "bfloat16")
MODEL = Model("a.yaml::m", "m", "a", 1, "a.b", (), ())


def reference(*sensitivities: float) -> ModelReference:
    """Tensors with largest element 1 that move by these when modules round."""
    values = {str(index): np.float64([1, -1]) for index in range(len(sensitivities))}
    return ModelReference("ok", values, {str(index): moved for index, moved in enumerate(sensitivities)})


@dataclass
class References:
    """Has a reference for each kind of weights, and notes those that were asked for."""

    fill: ModelReference
    keep: ModelReference
    requests: list[str] = field(default_factory=list)

    def reference(self, model: Model, example: ModelExample) -> ModelReference:
        """The one for the model's weights."""
        del example
        self.requests.append(model.weights)
        return {"fill": self.fill, "keep": self.keep}[model.weights]


def test_a_tensor_counts_if_it_moves_by_less_than_a_quarter_of_itself() -> None:
    """One that is zero throughout says nothing, and a model without a reference has no share."""
    assert judgeable_share(reference(0.1, 0.3), WAY) == 0.5
    zero = ModelReference("ok", {"0": np.zeros(3)}, {"0": 0.0})
    assert judgeable_share(zero, WAY) == 0.0
    assert judgeable_share(ModelReference("raised", problem=Problem("no")), WAY) is None


@pytest.mark.parametrize(
    ("fill", "keep", "chosen", "requests"),
    [
        (reference(0.1), reference(0.0), "fill", ["fill"]),
        (reference(2.0), reference(0.1), "keep", ["fill", "keep"]),
        (reference(2.0), reference(2.0), "fill", ["fill", "keep"]),
        (ModelReference("raised", problem=Problem("no")), reference(0.1), "fill", ["fill"]),
    ],
)
def test_the_weights_of_the_factory_are_tried_where_little_can_be_judged(
    fill: ModelReference, keep: ModelReference, chosen: str, requests: list[str]
) -> None:
    """They are taken where more can be judged with them."""
    references = References(fill, keep)
    assert choose_weights(cast("ModelExecutor", references), MODEL, WAY, 0).weights == chosen
    assert references.requests == requests
