"""A case to write golden data of."""

from __future__ import annotations

from dataclasses import replace

from harness.core import Case, Example
from harness.golden import LEVELS, Digest, ItemObservation, LayoutRule, Snapshot
from tests.trial.toy import CASE

SUITE = CASE.id.partition("::")[0]
DOUBLE = replace(CASE, dtypes=("float32", "bfloat16"))
DOUBLE_3D = replace(DOUBLE, id=DOUBLE.id + "_3d", name="double_3d")


def observation(case: Case, dtype: str, rule: str = "like input", levels: tuple[str, ...] = LEVELS) -> ItemObservation:
    """A run that saw one layout rule everywhere, and chose two snapshots."""
    facts = {("output[0]", shape, level): LayoutRule.parse(rule) for shape in ("ordinary", "empty") for level in levels}
    example = Example(case.id, dtype, {"N": 1}, {"input": "contiguous"})
    digest = Digest(dtype, (1, 2), (2, 1), "0123456789abcdef")
    return ItemObservation(
        "2.15", facts, tuple(Snapshot(example.but(seed=seed), {"output[0]": digest}) for seed in range(2))
    )
