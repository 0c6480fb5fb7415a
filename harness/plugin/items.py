"""What pytest collects: a suite file, and in it one item for each case and dtype."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.nouns import Case
from harness.plugin.session import Session
from harness.reporting import failure_text
from harness.verdict import Outcome


class EquivalenceFailure(Exception):  # noqa: N818 - a verdict, not an error of the harness
    """A trial failed; the outcome holds what to print."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__(f"{outcome.case}[{outcome.dtype}] {outcome.status}")
        self.outcome = outcome


class SuiteFile(pytest.File):
    """A YAML suite."""

    def collect(self) -> Iterator[CaseItem]:
        """One item for each case and dtype, in declared order: the same on every xdist worker."""
        session = Session.of(self.config)
        for case in session.cases_of(self.path):
            for dtype in case.every_dtype:
                yield CaseItem.from_parent(self, name=f"{case.name}[{dtype}]", case=case, dtype=dtype)


class CaseItem(pytest.Item):
    """One case in one dtype; the cells are inside."""

    def __init__(self, *, case: Case, dtype: str, **options: Any) -> None:
        super().__init__(**options)
        self.case = case
        self.dtype = dtype
        self.outcome: Outcome | None = None

    def runtest(self) -> None:
        """Try the case. Raises EquivalenceFailure for a failure, a stale deviation, or where nothing was checked."""
        self.outcome = Session.of(self.config).try_case(self.case, self.dtype)
        for name, value in self._properties(self.outcome):
            self.user_properties.append((name, value))
        if self.outcome.status in ("failed", "untrusted"):
            raise EquivalenceFailure(self.outcome)
        if self.outcome.status == "not run":
            pytest.skip("; ".join(self.outcome.notes) or "no example to run")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The failure story instead of a traceback."""
        if isinstance(excinfo.value, EquivalenceFailure):
            return failure_text(excinfo.value.outcome, Session.of(self.config).settings.replay_options)
        if isinstance(excinfo.value, UserError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line (from 0) and name, as pytest prints them."""
        return self.path, self.case.line - 1, self.name

    def _properties(self, outcome: Outcome) -> Iterator[tuple[str, object]]:
        yield "status", outcome.status
        yield "examples", outcome.examples.total()
        yield "worst_ratio", max(outcome.ratios.values(), default=0.0)
        yield "deviations", " ".join(sorted(outcome.deviations))
