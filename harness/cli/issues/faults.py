"""The faults that a command of `equivalence issues` is about, and the cases of each of their places."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from harness.core import Case, KnownFault, KnownIssue
from harness.errors import UserError, did_you_mean
from harness.project import Project
from harness.settings import NOT_UNDER_CI, under_ci


def select_faults(project: Project, names: Sequence[str]) -> tuple[KnownFault, ...]:
    """The faults of these ids, all where no id is named. Raises UserError for an id that no fault has."""
    faults = {fault.id: fault for fault in project.known_issues.faults}
    if unknown := [name for name in names if name not in faults]:
        hint = did_you_mean(unknown[0], faults) or "; `equivalence issues list` lists them"
        raise UserError(f"there is no known issue {unknown[0]!r}{hint}")
    return tuple(faults[name] for name in dict.fromkeys(names)) if names else tuple(faults.values())


def require_own_files(project: Project, option: str) -> None:
    """Raise UserError where the known issues are an installed package's, or a machine would write them."""
    if under_ci():
        raise UserError(f"{option}: {NOT_UNDER_CI}")
    for file in project.known_issues.files:
        if not file.path.resolve().is_relative_to(project.root.resolve()):
            raise UserError(f"{option}: {file.path} is shipped, and not written from elsewhere; run it in a checkout")


def place_cases(place: KnownIssue, cases: Mapping[str, Case]) -> tuple[Case, ...]:
    """The cases that a place of a fault covers in one of its dtypes at least."""
    return tuple(case for case in cases.values() if any(place.is_of(case.id, dtype) for dtype in case.every_dtype))


def align_columns(rows: Iterable[Sequence[str]]) -> list[str]:
    """The rows as lines whose columns stand below one another, two spaces apart."""
    table = [tuple(row) for row in rows]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in table]
