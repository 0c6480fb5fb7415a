"""Reading `golden/models.yaml`: what is known of networks and accepted for now."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from pydantic import Field

from harness.declaration import DeclarationError, Items, Mistake, Strict, read_model
from harness.nouns import Expression, ExpressionError, NetworkDeviation


class NetworkDeviationModel(Strict):
    """One accepted finding about networks."""

    models: Items[str] = Field(min_length=1, description="Ids of models, or patterns: suites/models/*.yaml::shuffle*")
    items: Items[str] = Field(("*",), min_length=1, description="Patterns of step-runner-precision: eval-*")
    tensors: Items[str] = Field(min_length=1, description="Patterns: module:stage2.*, grad:*.bias, output*")
    oracle: Literal["values", "strides", "shape", "error", "crash", "hang"]
    cells: Items[str] = Field(("*",), min_length=1, description="ISA levels, or patterns")
    when: str = Field("True", description="A condition over the model's sizes and threads")
    reason: str = Field(min_length=20)
    link: str = Field(min_length=1, description="The PyTorch or oneDNN thread, or 'no thread found'")
    torch: str = Field(default="", description="PEP 440 specifier of the PyTorch versions that have it")


class NetworkDeviationsFile(Strict):
    """The whole file."""

    deviations: dict[str, NetworkDeviationModel] = Field(default_factory=dict)


def load_network_deviations(path: Path) -> tuple[NetworkDeviation, ...]:
    """Read the file. Raises DeclarationError with all mistakes: YAML, types, conditions, versions."""
    model, positions = read_model(path, NetworkDeviationsFile, "list of deviations of models")
    mistakes: list[Mistake] = []
    entries: list[NetworkDeviation] = []
    for name, entry in model.deviations.items():
        at = ("deviations", name)
        try:
            SpecifierSet(entry.torch)
            when = Expression.parse(entry.when)
        except InvalidSpecifier:
            message = f"{entry.torch!r} is not a version specifier such as '>=2.13,<2.16'"
            mistakes.append(Mistake(path.as_posix(), *positions.at((*at, "torch")), message))
        except ExpressionError as error:
            mistakes.append(Mistake(path.as_posix(), *positions.at((*at, "when")), error.message))
        else:
            fields = {field: value for field, value in entry if field != "when"}
            entries.append(NetworkDeviation(id=name, when=when, line=positions.key(at)[0], **fields))
    if mistakes:
        raise DeclarationError(mistakes)
    return tuple(entries)
