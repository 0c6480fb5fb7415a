"""The catalogue of mutants: kernels that are wrong on purpose, as data."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from pydantic import Field

from harness.errors import UserError
from harness.suites import Items, StrictSchema, read_validated

CATALOGUE: Final = Path(__file__).with_name("catalogue")
"""A file for each suite of operators, named as it is."""


class FaultClass(enum.StrEnum):
    """What a kernel does wrong, or on which path. The text is what a catalogue file says."""

    TAIL = "tail"
    """Behind the last whole block or vector."""
    BORDER = "border"
    """The last row, column or window; padding; a degenerate side."""
    BATCH = "batch"
    """One image of several, or none at all."""
    GROUPS = "groups"
    DILATION = "dilation"
    CEIL = "ceil"
    RATIO = "ratio"
    """One relation of two sizes: scales, output to input."""
    TIES = "ties"
    """Which of equal numbers is taken."""
    INDEX = "index"
    """An index that is computed, ignored or out of its range."""
    BROADCASTING = "broadcasting"
    ARGUMENT = "argument"
    """An argument that is not looked at."""
    PRECISION = "precision"
    """An intermediate in fewer digits."""
    SPECIAL_VALUES = "special values"
    IN_PLACE = "in place"
    OUT = "out"
    AUTOCAST = "autocast"
    VMAP = "vmap"
    THREADS = "threads"
    GRAIN_SIZE = "grain size"
    """More elements than one thread takes: 32,768."""
    UNALIGNED = "unaligned"
    STRIDES = "strides"
    """A view by whose strides the kernel does not go."""
    FORMAT = "format"
    """The memory format of a result."""
    DTYPE = "dtype"
    """The dtype of a result."""
    MIXED_FORMATS = "mixed formats"
    """Operands that differ in format."""
    PURITY = "purity"
    """What is written that must not be; what is left unwritten."""
    REPEATABILITY = "repeatability"
    CRASH = "crash"
    HANG = "hang"
    REFUSAL = "refusal"
    """An error in one format alone, or none where there must be one."""
    ONE_LEVEL = "one level"
    """In the kernels of one ISA level."""
    ALL_ALIKE = "all alike"
    """In every dtype, format and level, and in float64 too."""


class MutantSchema(StrictSchema):
    """One entry."""

    fault_class: str = Field(alias="class", description="What kernels of its kind do wrong")
    operator: str = Field(description="The ATen operator whose CPU kernel is replaced: relu, add.out")
    items: Items[str] = Field(min_length=1, description="The items of the suite that run it: relu[float32]")
    operand: int = Field(0, description="Which tensor of the call x is, and N, C, D, H and W are the sizes of")
    capability: str = Field("", description="The ATEN_CPU_CAPABILITY at which alone it bites: avx2; left out, any")
    when: str = Field("", description="A Python expression: the calls in which it bites; left out, all of them")
    instead: str = Field("", description="An expression for what is returned instead of the kernel's own result")
    spoil: str = Field("pass", description="Statements that change y, the first result, or the list results")
    shows: str = Field(description="An expression with torch and F: a smallest call that comes out otherwise")


class CatalogueSchema(StrictSchema):
    """A file."""

    mutants: dict[str, MutantSchema] = Field(min_length=1)


@dataclass(frozen=True)
class Mutant:
    """A kernel that is wrong on purpose. `family` is the suite whose `items` (``relu[float32]``) run it.

    The other fields are those of its entry in the catalogue: `when`, `instead`, `spoil` and `shows` are Python, and
    `capability` is empty where it bites at any.
    """

    name: str
    family: str
    fault_class: FaultClass
    operator: str
    items: tuple[str, ...]
    operand: int
    capability: str
    when: str
    instead: str
    spoil: str
    shows: str


def load_catalogue(folder: Path = CATALOGUE) -> dict[str, Mutant]:
    """Every mutant by name, family after family. Raises UserError for a mistake, and for a name that two have."""
    mutants: dict[str, Mutant] = {}
    for path in sorted(folder.glob("*.yaml")):
        schema, _positions = read_validated(path, CatalogueSchema, "catalogue of mutants")
        for name, entry in schema.mutants.items():
            if name in mutants:
                raise UserError(f"{path}: {name} is a mutant of {mutants[name].family} already")
            mutants[name] = _mutant(name, path, entry)
    return mutants


def _mutant(name: str, path: Path, entry: MutantSchema) -> Mutant:
    classes = [member.value for member in FaultClass]
    if entry.fault_class not in classes:
        raise UserError(f"{path}: {name}: there is no class {entry.fault_class!r}; there are {', '.join(classes)}")
    fields = entry.model_dump(exclude={"fault_class"})
    return Mutant(name, path.stem, FaultClass(entry.fault_class), **fields)
