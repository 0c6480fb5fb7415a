"""Reading `golden/coverage.yaml`: which ATen operators the suites must reach, and what functions need no case."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field

from harness.errors import did_you_mean
from harness.suites import (
    MOST_MISTAKES,
    DeclarationError,
    Items,
    Location,
    Mistake,
    Positions,
    StrictSchema,
    read_validated,
)


class OperatorListSchema(StrictSchema):
    """One published list of operators. `written` gives the ATen name where the list has another."""

    about: str = Field(min_length=1)
    link: str = Field(min_length=1, description="Where the list is published")
    names: Items[str] = Field(min_length=1, description="ATen operators without 'aten::'")
    written: dict[str, str] = Field(default_factory=dict, description="name in the list: name in ATen")

    def operators(self) -> dict[str, str]:
        """The name in the list → the operator as a trace shows it."""
        return {name: "aten::" + self.written.get(name, name) for name in self.names}


class FunctionGroupSchema(StrictSchema):
    """Functions that share a reason."""

    names: Items[str] = Field(min_length=1)
    reason: str = Field(min_length=10)


class FunctionsSchema(StrictSchema):
    """What is known about functions of one module or class that no case calls by name. Names may be patterns."""

    through: dict[str, str] = Field(default_factory=dict, description="function: id of the case that runs it")
    not_on_maps: Items[FunctionGroupSchema] = Field(default=(), description="take no image or volume")
    left_out: Items[FunctionGroupSchema] = Field(default=(), description="take one, and have no case")

    def reasons(self) -> dict[str, str]:
        """Function, or a pattern of functions → why it has no case."""
        return {name: group.reason for group in (*self.not_on_maps, *self.left_out) for name in group.names}


class ArgumentGroupSchema(StrictSchema):
    """Kinds of arguments that no case draws, for one reason."""

    names: Items[str] = Field(min_length=1, description="Patterns of <operator>/<argument>: aten::add.Tensor/alpha")
    kinds: Items[str] = Field((), description="The kinds that are not drawn; left out: any")
    inner: bool = Field(default=False, description="Of operators alone that no case calls: they run inside others")
    reason: str = Field(min_length=10)


class CoverageSchema(StrictSchema):
    """The whole file."""

    operators: dict[str, OperatorListSchema]
    functions: dict[str, FunctionsSchema] = Field(description="module or class: what is known of its functions")
    arguments: Items[ArgumentGroupSchema] = ()


@dataclass(frozen=True)
class CoverageTargets:
    """What the file says, with the place of everything for messages."""

    path: Path
    positions: Positions
    operators: dict[str, OperatorListSchema]
    functions: dict[str, FunctionsSchema]
    arguments: tuple[ArgumentGroupSchema, ...] = ()

    def check(self, cases: Collection[str], root: Path) -> None:
        """Raise DeclarationError for every function given twice, and every case that does not exist.

        A file from elsewhere than below `root`, as it is shipped, is of other suites and is not checked against these.
        """
        is_ours = self.path.resolve().is_relative_to(root.resolve())
        every = itertools.chain(self._repeated_names(), self._unknown_names(cases) if is_ours else ())
        problems = list(itertools.islice(every, MOST_MISTAKES))
        if problems:
            path = self.path.as_posix()
            raise DeclarationError([Mistake(path, *self.positions.at(where), text) for where, text in problems])

    def _repeated_names(self) -> Iterator[tuple[Location, str]]:
        for namespace, functions in self.functions.items():
            names = set(functions.through)
            for key in ("not_on_maps", "left_out"):
                groups: tuple[FunctionGroupSchema, ...] = getattr(functions, key)
                for index, group in enumerate(groups):
                    for place, name in enumerate(group.names):
                        if name in names:
                            yield ("functions", namespace, key, index, "names", place), f"{name!r} is given twice"
                        names.add(name)

    def _unknown_names(self, cases: Collection[str]) -> Iterator[tuple[Location, str]]:
        for namespace, functions in self.functions.items():
            for name, case in functions.through.items():
                if case not in cases:
                    message = f"there is no case {case!r}{did_you_mean(case, sorted(cases))}"
                    yield ("functions", namespace, "through", name), message
        for name, listed in self.operators.items():
            for operator in sorted(set(listed.written) - set(listed.names)):
                yield ("operators", name, "written", operator), f"{operator!r} is not one of the list's names"


def load_coverage_targets(path: Path) -> CoverageTargets:
    """Read the file. Raises DeclarationError with all mistakes of YAML and form."""
    schema, positions = read_validated(path, CoverageSchema, "list of wanted operators")
    return CoverageTargets(path, positions, schema.operators, schema.functions, tuple(schema.arguments))
