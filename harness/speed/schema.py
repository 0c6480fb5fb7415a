"""SpeedReport: what one run of `equivalence speed` measured, of which text and JSON are views."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import ConfigDict, Field

from harness.models import FormatTimes
from harness.suites import StrictSchema

SCHEMA: Final = 1
"""Raised by one whenever a field changes its meaning, its name or goes away."""


class SpeedRow(StrictSchema):
    """One operator or model at one level."""

    kind: Literal["operator", "model"]
    name: str = Field(description="suite::case, or the model's name")
    sizes: str = Field(description="Those of the operator's example, or the shape of the model's input")
    step: Literal["eval", "train"] = Field(description="train: forward and backward, of a model the optimiser too")
    precision: str = Field(description="The dtype of an operator; a model runs in float32, or autocast to bfloat16")
    level: str
    times: FormatTimes | None = Field(description="Null where nothing could be measured")
    problem: str = Field(description="Why nothing could be measured; empty where it was")


class SpeedReport(StrictSchema):
    """The whole document."""

    model_config = ConfigDict(populate_by_name=True, serialize_by_alias=True)

    version: Literal[1] = Field(default=SCHEMA, alias="schema", description="The version of this schema")
    torch: str
    onednn: str
    cpu: str
    rows: tuple[SpeedRow, ...] = Field(description="Level by level, from the lowest")
