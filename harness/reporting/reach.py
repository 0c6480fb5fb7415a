"""What the suites reach, read from the record of a run, against what they should."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

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
    """What the functions of a module or class in the build under test come to.

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

    def by_reason(self) -> Mapping[str, tuple[str, ...]]:
        """Reason: the functions that have no case for it."""
        explained: dict[str, list[str]] = {}
        for name, reason in self.reasons.items():
            explained.setdefault(reason, []).append(name)
        return {reason: tuple(names) for reason, names in explained.items()}


@dataclass(frozen=True)
class ReachReport:
    """The whole of it. `operators` counts the items that reached each; `absent` are items the record lacks."""

    record: str
    torch: str
    items: int
    absent: tuple[str, ...]
    operators: Mapping[str, int]
    lists: tuple[ListReach, ...]
    functions: Mapping[str, FunctionReach]
    arguments: ArgumentsReach
    notes: tuple[str, ...] = ()

    @property
    def complete(self) -> bool:
        """Whether nothing is missing.

        Every listed operator ran, every function has a case that was checked or a reason, and every argument has had
        all its kinds or has a reason.
        """
        is_missing = any(entry.missing for entry in self.lists) or any(
            functions.missing or functions.unchecked for functions in self.functions.values()
        )
        return not is_missing and bool(self.arguments.arguments) and not self.arguments.holes

    def text(self, *, every_argument: bool = False) -> str:
        """For a terminal; with `every_argument` also what each argument has been, and not only what it has not."""
        return TEMPLATES.get_template("reach.txt").render(
            report=self, arguments=self.arguments, every_argument=every_argument
        )


def count_operators(items: Iterable[OperatorItemRecord]) -> Counter[str]:
    """ATen operator → the number of items that reached it."""
    return Counter(name for item in items for name in item.operators if name.startswith("aten::"))


def cases_by_operator(items: Iterable[OperatorItemRecord], named: Collection[str]) -> dict[str, set[str]]:
    """ATen operator → the cases in which it ran, of the operators (``aten::add.Tensor``) that calls of cases name.

    torch.add, Tensor.add and torch.ops.aten.add are one operator, by whichever of its names a case calls it.
    """
    wanted = {operator.partition(".")[0] for operator in named}
    cases: dict[str, set[str]] = {}
    for item in items:
        for name in wanted & {operator.partition(".")[0] for operator in item.operators}:
            cases.setdefault(name, set()).add(item.case)
    return cases


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
    may be wrong as those with reasons may. A reason is that of a name or of a pattern; the name's own comes first.
    """
    checked = {item.case for item in items if item.status.is_checked}
    called = {name: tuple(sorted(cases[name])) for name in sorted(offered) if cases.get(name)}
    covering = {name: tuple(case for case in callers if case in checked) for name, callers in called.items()}
    explained = {name: _reason(name, reasons) for name in sorted(offered) if name not in called}
    matches = {pattern: [name for name in offered if fnmatchcase(name, pattern)] for pattern in reasons}
    return FunctionReach(
        cases={name: callers for name, callers in covering.items() if callers},
        unchecked={name: callers for name, callers in called.items() if not covering[name]},
        reasons={name: reason for name, reason in explained.items() if reason},
        missing=tuple(name for name, reason in explained.items() if not reason),
        unknown=tuple(sorted({*named} - set(offered) | {pattern for pattern, names in matches.items() if not names})),
        needless=tuple(sorted(pattern for pattern, names in matches.items() if names and called.keys() >= {*names})),
    )


def _reason(name: str, reasons: Mapping[str, str]) -> str:
    """Why that function has no case; nothing where nobody says."""
    return reasons.get(name) or next((why for pattern, why in reasons.items() if fnmatchcase(name, pattern)), "")
