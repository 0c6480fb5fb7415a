"""Rules of the layout contract, as they are read off what probes return."""

from __future__ import annotations

import numpy as np

from harness.core import Observation, TensorRecord
from harness.golden import LayoutRule, RuleKind
from harness.trial import contract
from tests.trial.toy import CASE

SHAPE, STRIDES = (2, 3, 4, 5), (60, 20, 5, 1)


def test_what_a_scalar_is_says_nothing_of_a_map() -> None:
    """Dense is said of ranks with one format; a contiguous map beside an ordinary scalar has a format of its own."""
    record = TensorRecord("float32", SHAPE, STRIDES, np.zeros(SHAPE, np.float32))
    observations = {frozenset[str](): Observation("low", "drawn", "ok", {"output[0]": record})}
    rule = contract._layout_rule(CASE, "output[0]", observations, LayoutRule(RuleKind.DENSE))  # noqa: SLF001 - the choice alone
    assert rule.text == "contiguous"
