"""Which kinds each argument of the operators that were reached has had, against those that its schema asks for."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Final

from harness.golden import ArgumentGroupSchema
from harness.portable.operator_protocol import ArgumentData, SchemaData
from harness.reporting.argument_kinds import ArgumentKindsRecord

LEFT_OUT: Final = "left out"
GIVEN: Final = "given"
"""Wanted of an argument that may be left out: any other kind."""

ANOTHER: Final = "another kind"
"""Wanted of an argument that has always been of one kind, where no kind in particular is asked for."""

OPERAND_KINDS: Final = ("full", "part", "scalar")
"""Of a tensor that is broadcast: the size of the result, smaller, of no dimension."""

MEMORY_FORMATS: Final = ("contiguous", "channels-last")

POSITIONS: Final = ("first", "second", "later")

ENUMERATIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "reduction": ("0", "1", "2"),
    "interpolation_mode": ("0", "1", "2"),
    "padding_mode": ("0", "1", "2"),
}
"""Integers that stand for words: at::Reduction, GridSamplerInterpolation and GridSamplerPadding."""

TEXTS: Final[Mapping[str, tuple[str, ...]]] = {
    "approximate": ("none", "tanh"),
    "padding": ("same", "valid"),
    "rounding_mode": ("floor", "trunc"),
    "mode": ("constant", "reflect", "replicate", "circular"),
}
"""The words that an argument of that name takes."""

RATIOS: Final = ("fraction", "fractions"), ("1.0", "ones", "whole", "alike", "uneven")
"""Kinds of a scale factor: a fractional one, and an integral one; a list without fractions is of integral ones."""


@dataclass(frozen=True)
class ArgumentReach:
    """One argument: the kinds that it had, those that it had not with the reason for each, and those without one."""

    operator: str
    argument: str
    kinds: tuple[str, ...]
    reasons: Mapping[str, str]
    missing: tuple[str, ...]


@dataclass(frozen=True)
class ArgumentsReach:
    """All arguments. `needless` are the patterns of golden/coverage.yaml that explain nothing; `unknown` has operators.

    The latter are in the record and not in the build that was asked for the schemas.
    """

    arguments: tuple[ArgumentReach, ...]
    needless: tuple[str, ...]
    unknown: tuple[str, ...]

    @property
    def holes(self) -> tuple[ArgumentReach, ...]:
        """Those that lack a kind without a reason."""
        return tuple(argument for argument in self.arguments if argument.missing)

    @property
    def missing_count(self) -> int:
        """How many kinds are missing without a reason."""
        return sum(len(argument.missing) for argument in self.arguments)

    @property
    def explained_count(self) -> int:
        """How many kinds are missing with a reason."""
        return sum(len(argument.reasons) for argument in self.arguments)

    @property
    def drawn_count(self) -> int:
        """How many kinds were drawn."""
        return sum(len(argument.kinds) for argument in self.arguments)

    def by_reason(self) -> Mapping[str, tuple[str, ...]]:
        """Reason: ``operator/argument: kinds`` for each argument that it explains something of."""
        explained: dict[str, list[str]] = {}
        for reach in self.arguments:
            for reason in dict.fromkeys(reach.reasons.values()):
                kinds = ", ".join(kind for kind, words in reach.reasons.items() if words == reason)
                explained.setdefault(reason, []).append(f"{reach.operator}/{reach.argument} ({kinds})")
        return {reason: tuple(places) for reason, places in explained.items()}


def arguments_reach(
    named: ArgumentKindsRecord,
    inner: ArgumentKindsRecord,
    schemas: Mapping[str, SchemaData],
    groups: Sequence[ArgumentGroupSchema],
) -> ArgumentsReach:
    """What became of each argument. Of an operator that calls of the suites name, those calls alone count.

    What other operators hand to it inside, or a backward formula, is no choice of a case.
    """
    reached = {**inner, **named}
    arguments: list[ArgumentReach] = []
    used: set[str] = set()
    for operator in sorted(set(reached) & set(schemas)):
        schema = schemas[operator]
        holding = [group for group in groups if operator not in named or not group.inner]
        for argument in schema["arguments"]:
            kinds = tuple(reached[operator].get(argument["name"], ()))
            name = f"{operator}/{argument['name']}"
            explained = {kind: _reason(name, kind, holding) for kind in missing_kinds(argument, kinds, schema)}
            used.update(pattern for pattern, _words in explained.values())
            reasons = {kind: reason for kind, (_pattern, reason) in explained.items() if reason}
            missing = tuple(kind for kind in explained if kind not in reasons)
            arguments.append(ArgumentReach(operator, argument["name"], kinds, reasons, missing))
    patterns = [pattern for group in groups for pattern in group.names]
    return ArgumentsReach(
        tuple(arguments),
        needless=tuple(pattern for pattern in patterns if pattern not in used),
        unknown=tuple(sorted(set(reached) - set(schemas))),
    )


def _reason(name: str, kind: str, groups: Sequence[ArgumentGroupSchema]) -> tuple[str, str]:
    """The pattern that explains why the kind was not drawn, and the reason; the first that does."""
    for group in groups:
        for pattern in group.names:
            if fnmatchcase(name, pattern) and (not group.kinds or kind in group.kinds):
                return pattern, group.reason
    return "", ""


def missing_kinds(argument: ArgumentData, kinds: Collection[str], schema: SchemaData) -> tuple[str, ...]:
    """The kinds that the schema asks for and that the argument has not had."""
    return tuple(dict.fromkeys(_missing_kinds(argument, frozenset(kinds), schema)))


def _missing_kinds(argument: ArgumentData, kinds: frozenset[str], schema: SchemaData) -> Iterator[str]:
    declared, name = argument["type"], argument["name"]
    if declared.startswith("Optional["):
        if LEFT_OUT not in kinds:
            yield LEFT_OUT
        declared = declared.removeprefix("Optional[").removesuffix("]")
        if not kinds - {LEFT_OUT}:
            yield GIVEN
            return
    if declared == "Tensor":
        yield from _missing_tensor_kinds(argument, kinds, schema)
    elif declared in ("List[Tensor]", "List[Optional[Tensor]]"):
        wanted = ("of one", "of several", *(f"{place} {layout}" for place in POSITIONS for layout in MEMORY_FORMATS))
        yield from (kind for kind in wanted if kind not in kinds)
    elif declared == "bool":
        yield from (kind for kind in ("false", "true") if kind not in kinds)
    else:
        yield from _missing_number_kinds(name, declared, kinds)
    if argument["default"] == "[]" and "empty" not in kinds:  # such as the stride of a pool, which is then its kernel
        yield "empty"


def _missing_tensor_kinds(argument: ArgumentData, kinds: frozenset[str], schema: SchemaData) -> Iterator[str]:
    tensors = [each for each in schema["arguments"] if "Tensor" in each["type"] and not each["written"]]
    if schema["pointwise"] and not argument["written"] and kinds & set(OPERAND_KINDS) and len(tensors) > 1:
        yield from (kind for kind in OPERAND_KINDS if kind not in kinds)


def _missing_number_kinds(name: str, declared: str, kinds: frozenset[str]) -> Iterator[str]:
    enumeration = ENUMERATIONS.get(name, ()) if declared == "int" else TEXTS.get(name, ()) if declared == "str" else ()
    if enumeration:
        yield from (kind for kind in enumeration if kind not in kinds)
    elif name.startswith("scale") and declared in ("float", "List[float]"):
        yield from (ratio[0] for ratio in RATIOS if not kinds & set(ratio))
    elif len(kinds - {LEFT_OUT}) <= 1 and LEFT_OUT not in kinds:
        yield ANOTHER
