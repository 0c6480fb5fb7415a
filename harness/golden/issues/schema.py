"""The pydantic models of a file of `golden/issues/`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import ConfigDict, Field

from harness.core import Severity
from harness.core.finding import Oracle
from harness.golden.issues.notes import AcceptanceSchema, ReleasesSchema
from harness.portable.dtypes import Dtype
from harness.portable.settings import USUAL
from harness.suites import Items, StrictSchema

Accumulator = Literal["float32", "float64", "bfloat16", "float16", "same"]


class ReproducerSchema(StrictSchema):
    """The shrunk Example: what differs from the place's first case and dtype, and from contiguous integers."""

    case: str | None = Field(default=None, description="Its case, where the first of `cases` is a pattern or another")
    dtype: Dtype | None = Field(default=None, description="Its dtype, where it is not the first of `dtypes`")
    sizes: dict[str, Any]
    layouts: dict[str, str] = Field(default_factory=dict, description="The tensors that are not contiguous")
    absent: list[str] = Field(default_factory=list)
    fill: str = "integers"
    seed: int = 0
    threads: int = 1
    inplace: bool = False
    path: str = "plain"
    setting: str = USUAL


class PlaceSchema(ReleasesSchema):
    """One place where a fault shows, and an Example that shows it."""

    model_config = ConfigDict(strict=True, frozen=True, extra="forbid", validate_by_alias=True)

    cases: Items[str] = Field(
        min_length=1,
        description="Cases of the suite of the file's name, or patterns: conv2d*; of another suite: modules::Conv2d*",
    )
    dtypes: Items[Dtype] = Field(min_length=1)
    levels: str | Items[str] = Field(
        default="all", description="ISA levels by the order of isa.yaml: all; >= avx2, not >= avx512_core; or a list"
    )
    tensors: Items[str] = Field(default=("*",), min_length=1, description="output[0], grad:weight; '*' for all")
    when: str = Field(
        default="True", description="A condition over sizes, dtype, fill, threads, layout_<tensor>, has_<tensor>"
    )
    aliases: dict[str, str | int] = Field(
        default_factory=dict,
        alias="as",
        description="What a name in `when` is in cases that have no size of that name: {Cg: C, kernel: '(1, 1)'}",
    )
    oracle: Oracle | None = Field(default=None, description="Where it is another than the fault's")
    accumulates_in: Accumulator | None = Field(default=None, description="Where it is another than the fault's")
    note: str = Field(default="", description="What is particular to this place, in a sentence")
    reproducer: ReproducerSchema


class VerificationSchema(StrictSchema):
    """Where all reproducers were last seen to fail. `equivalence issues check --update` writes it."""

    torch: str
    cpu: str
    date: str = Field(pattern=r"^\d{4}-\d{2}-\d{2}$")


class FaultSchema(AcceptanceSchema):
    """One fault: what it is, how bad, why, and every place where it shows."""

    summary: str = Field(min_length=20, description="One sentence that a user of the operator understands")
    severity: Severity = Field(strict=False)
    related: Items[str] = Field(default=(), description="Threads about neighbours: the same cause, its origin")
    oracle: Oracle
    accumulates_in: Accumulator | None = Field(
        default=None, description="Widens the bound instead of dropping the check; 'same' is the example's own dtype"
    )
    verified: VerificationSchema | None = None
    where: Items[PlaceSchema] = Field(min_length=1)


class KnownIssuesSchema(StrictSchema):
    """The whole file."""

    issues: dict[str, FaultSchema] = Field(default_factory=dict)
