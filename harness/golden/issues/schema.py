"""The pydantic models of a file of `golden/issues/`."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from harness.core.finding import Oracle
from harness.golden.issues.notes import AcceptanceSchema
from harness.portable.dtypes import Dtype
from harness.suites import Items, StrictSchema

Accumulator = Literal["float32", "float64", "bfloat16", "float16", "same"]


def _several(value: Any) -> Any:
    """One case stands for a list of one."""
    return [value] if isinstance(value, str) else value


class KnownIssueSchema(AcceptanceSchema):
    """One accepted Finding: where exactly it shows, why, and an Example that shows it."""

    case: Annotated[Items[str], BeforeValidator(_several)] = Field(
        min_length=1, description="Ids of cases: suites/operators/pooling.yaml::max_pool2d, or a list of such"
    )
    dtypes: Items[Dtype] = Field(min_length=1)
    tensors: Items[str] = Field(min_length=1, description="output[0], grad:weight; '*' for an error, crash or hang")
    oracle: Oracle
    cells: Items[str] = Field(min_length=1, description="ISA levels by name; each must be declared in isa.yaml")
    when: str = Field(description="A condition over sizes, dtype, fill, threads, layout_<tensor>, has_<tensor>")
    accumulates_in: Accumulator | None = Field(
        default=None, description="Widens the bound instead of dropping the check; 'same' is the example's own dtype"
    )
    reproducer: dict[str, Any] = Field(description="The shrunk Example, as the failure message prints it")


class KnownIssuesSchema(StrictSchema):
    """The whole file."""

    issues: dict[str, KnownIssueSchema] = Field(default_factory=dict)
