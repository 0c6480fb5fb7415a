"""What the suites reach, read from the record of a run, against what they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from harness.golden import OperatorListSchema
from harness.reporting.argument_reach import ArgumentsReach
from harness.reporting.operator_item import OperatorItemRecord
from harness.reporting.templating import TEMPLATES


@dataclass(frozen=True)
class ListReach:
    """How much of one published list of operators ran. `missing` are the list's own names."""

    name: str
    about: str
    link: str
    total: int
    missing: tuple[str, ...]

    @property
    def percent(self) -> float:
        """100 only where nothing is missing."""
        return 100.0 * (self.total - len(self.missing)) / self.total


@dataclass(frozen=True)
class FunctionReach:
    """What the functions of torch.nn.functional in the build under test come to.

    `cases` names the cases of those that are covered, `unchecked` the cases of those that no item of the record
    checked, `reasons` why others have no case; `missing` are in neither. `unknown` are named in the file and not in
    the build, `needless` have a reason and a case.
    """

    cases: Mapping[str, tuple[str, ...]]
    unchecked: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    needless: tuple[str, ...]


@dataclass(frozen=True)
class ReachReport:
    """The whole of it. `operators` counts the items that reached each; `absent` are items the record lacks."""

    record: str
    torch: str
    items: int
    absent: tuple[str, ...]
    operators: Mapping[str, int]
    lists: tuple[ListReach, ...]
    functions: FunctionReach
    arguments: ArgumentsReach
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is missing.

        Every listed operator ran, every function has a case that was checked or a reason, and every argument has had
        all its kinds or has a reason.
        """
        functions = self.functions
        is_missing = any(entry.missing for entry in self.lists) or functions.missing or functions.unchecked
        return not is_missing and bool(self.arguments.arguments) and not self.arguments.holes

    def text(self, *, every_argument: bool = False) -> str:
        """For a terminal; with `every_argument` also what each argument has been, and not only what it has not."""
        return TEMPLATES.get_template("reach.txt").render(
            report=self, functions=self.functions, arguments=self.arguments, every_argument=every_argument
        )


def count_operators(items: Iterable[OperatorItemRecord]) -> Counter[str]:
    """ATen operator → the number of items that reached it."""
    return Counter(name for item in items for name in item.operators if name.startswith("aten::"))


def list_reach(name: str, published: OperatorListSchema, reached: Collection[str]) -> ListReach:
    """One published list against the ATen operators that ran."""
    operators = published.operators()
    missing = tuple(listed for listed, operator in operators.items() if operator not in reached)
    return ListReach(name, published.about, published.link, len(operators), missing)


def function_reach(
    offered: Collection[str],
    cases: Mapping[str, Iterable[str]],
    reasons: Mapping[str, str],
    items: Iterable[OperatorItemRecord],
    named: Collection[str] = (),
) -> FunctionReach:
    """The functions that the build offers, with the `cases` that call each and the `reasons` of those without.

    A case counts as covering where at least one of its items was checked. `named` are names that a person wrote, which
    may be wrong as those with reasons may.
    """
    checked = {item.case for item in items if item.status.is_checked}
    called = {name: tuple(sorted(cases[name])) for name in sorted(offered) if cases.get(name)}
    covering = {name: tuple(case for case in callers if case in checked) for name, callers in called.items()}
    return FunctionReach(
        cases={name: callers for name, callers in covering.items() if callers},
        unchecked={name: callers for name, callers in called.items() if not covering[name]},
        reasons={name: reasons[name] for name in sorted(offered) if name in reasons and name not in called},
        missing=tuple(name for name in sorted(offered) if name not in called and name not in reasons),
        unknown=tuple(sorted({*named, *reasons} - set(offered))),
        needless=tuple(name for name in called if name in reasons),
    )
