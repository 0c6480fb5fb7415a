"""What a file of models may say, as pydantic classes; the editors' JSON Schema is made from them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from harness.models.model import Conversion, Precision, Runner, Step
from harness.suites import Argument, Arithmetic, Items, SizeEntry, StrictSchema

SCHEMA_FILE: Final = Path(__file__).resolve().parents[2] / "suites" / "models.schema.json"
"""What editors read of a file of models, in a checkout or shipped; `python -m harness.models` writes it."""


class InputSchema(StrictSchema):
    """One tensor that the model is called with."""

    shape: Items[Arithmetic] = Field(description="One expression for each dimension: [N, 3, H, W]")
    layout: Literal["contiguous", "channels_last"] = Field(
        "channels_last", description="contiguous: never converted; such an input is no image"
    )
    dtype: Literal["float32", "int64"] = Field("float32", description="int64 holds whole numbers from 0")
    most: int = Field(3, ge=1, description="int64: the largest number")


class ModelDefaultsSchema(StrictSchema):
    """What the models of a file share. A model overrides it key by key."""

    sizes: dict[str, SizeEntry] = Field(default_factory=dict, description="Choices and ranges, in the order of drawing")
    inputs: dict[str, InputSchema] = Field(default_factory=dict, description="Tensors the model gets, in this order")
    arguments: dict[str, Argument] = Field(default_factory=dict, description="Keyword arguments of the factory")
    steps: Items[Step] = Field(("eval", "train"), min_length=1, description="Evaluation, a step of training")
    runners: Items[Runner] = Field(("eager",), min_length=1, description="The ways to run it")
    precisions: Items[Precision] = Field(("float32",), min_length=1, description="bfloat16 is by autocast")
    conversions: Items[Conversion] = Field(
        ("both", "model", "input"), min_length=1, description="What is put in channels-last"
    )
    frozen: Items[str] = Field((), description="Classes of modules that stay in evaluation mode: [Dropout]")
    watch: Items[str] = Field((), description="Paths of modules whose outputs are judged as well")
    requires: Items[str] = Field((), description="Packages without which the models are skipped")
    seeded: bool = Field(default=False, description="It draws random numbers, and is the same from the same seed")
    profile: Literal["quick", "gate", "nightly"] = Field(
        "gate", description="quick: in every run; gate: not where --eq-examples makes it short; nightly: only there"
    )
    draws: int = Field(1, ge=1, le=1000, description="Examples of each item in the gate")


class ModelSchema(ModelDefaultsSchema):
    """One model, or with `names` one family of models that differ in a name."""

    factory: str = Field(description="Dotted name of what makes the module: torchvision.models.resnet18")
    names: Items[str] | None = Field(None, min_length=1, description="One model for each; replaces {name} in `factory`")


class ModelSuiteSchema(StrictSchema):
    """A file of models."""

    suite: str = Field(min_length=1, description="The name of the suite")
    about: str = Field("", description="What these models have in common")
    defaults: ModelDefaultsSchema = Field(default_factory=ModelDefaultsSchema, description="Keys that the models share")
    models: Annotated[dict[str, ModelSchema], Field(min_length=1)] = Field(description="Models by name")
