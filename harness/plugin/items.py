"""What pytest collects: a suite file, and in it one item for each case and dtype."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core import Case, ItemStatus
from harness.errors import UserError
from harness.models import Model, ModelOutcome, WayToRun, model_failure_text
from harness.plugin.session import Session
from harness.reporting import failure_text
from harness.trial import Outcome


class EquivalenceFailure(Exception):  # noqa: N818 - a verdict, not an error of the harness
    """A trial failed; the outcome holds what to print."""

    def __init__(self, outcome: Outcome | ModelOutcome) -> None:
        super().__init__(outcome.status)
        self.outcome = outcome


class GoldenMisfit(Exception):  # noqa: N818 - a verdict, not an error of the harness
    """golden/ and a suite do not have the same cases; the text says in what, and what would be right."""


class SuiteFile(pytest.File):
    """A YAML suite."""

    def collect(self) -> Iterator[pytest.Item]:
        """One item for each case and dtype, or model and way to run it, in declared order; golden/ comes first."""
        session = Session.of(self.config)
        for model in session.models_of(self.path):
            for way in model.ways:
                name = f"{model.name}[{way}]"
                yield ModelItem.from_parent(self, name=name, nodeid=self._id_of(name), model=model, way=way)
        if session.keeps_golden(self.path):
            yield GoldenItem.from_parent(self, name="golden")
        for case in session.cases_of(self.path):
            for dtype in case.every_dtype:
                name = f"{case.name}[{dtype}]"
                yield CaseItem.from_parent(self, name=name, nodeid=self._id_of(name), case=case, dtype=dtype)

    def _id_of(self, name: str) -> str:
        """The text that pytest would make itself, given as text.

        A pytest that compares ids by their parts (9.2) takes what is in brackets for a part of its own where it reads
        an id from its cache, but not where it makes one of a name: `--lf` would find no item that it knows.
        """
        return f"{self.nodeid}::{name}"


class GoldenItem(pytest.Item):
    """Whether golden/ has the cases of the suite, and no others. Their facts are compared by the cases' own items."""

    def runtest(self) -> None:
        """Raise GoldenMisfit with all that is missing or unknown."""
        if problems := Session.of(self.config).golden_misfits(self.path):
            raise GoldenMisfit("\n".join(problems))

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The sentences instead of a traceback."""
        return str(excinfo.value) if isinstance(excinfo.value, GoldenMisfit) else super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """The suite, at its first line."""
        return self.path, 0, self.name


class CaseItem(pytest.Item):
    """One case in one dtype; the cells are inside."""

    def __init__(self, *, case: Case, dtype: str, **options: Any) -> None:
        super().__init__(**options)
        self.case = case
        self.dtype = dtype
        self.outcome: Outcome | None = None

    def runtest(self) -> None:
        """Try the case. Raises EquivalenceFailure for a failure, a stale known issue, or where nothing was checked."""
        self.outcome = Session.of(self.config).try_case(self.case, self.dtype)
        for name, value in self._properties(self.outcome):
            self.user_properties.append((name, value))
        if self.outcome.status in (ItemStatus.FAILED, ItemStatus.UNTRUSTED):
            raise EquivalenceFailure(self.outcome)
        if self.outcome.status is ItemStatus.NOT_AVAILABLE:
            pytest.skip(f"not available: {self.outcome.lack}")
        if self.outcome.status is ItemStatus.NOT_RUN:
            pytest.skip("; ".join(self.outcome.notes) or "no example to run")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The failure story instead of a traceback."""
        return _failure_story(self, excinfo) or super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line (from 0) and name, as pytest prints them."""
        return self.path, self.case.line - 1, self.name

    def _properties(self, outcome: Outcome) -> Iterator[tuple[str, object]]:
        yield "status", str(outcome.status)  # a worker of xdist sends plain text, and no enum
        yield "examples", outcome.examples.total()
        yield "worst_ratio", max(outcome.ratios.values(), default=0.0)
        yield "known_issues", " ".join(sorted(outcome.known_issues))


class ModelItem(pytest.Item):
    """One model in one way to run it: step, runner, precision."""

    def __init__(self, *, model: Model, way: WayToRun, **options: Any) -> None:
        super().__init__(**options)
        self.model = model
        self.way = way
        self.outcome: ModelOutcome | None = None

    def runtest(self) -> None:
        """Try the model. Raises EquivalenceFailure for a failure, a stale known issue, or where nothing was checked."""
        session = Session.of(self.config)
        if session.settings.update_golden:
            pytest.skip("golden/ holds no facts of models")
        self.outcome = outcome = session.try_model(self.model, self.way)
        self.user_properties.append(("status", str(outcome.status)))
        self.user_properties.append(("worst_ratio", max(outcome.ratios.values(), default=0.0)))
        if outcome.status in (ItemStatus.FAILED, ItemStatus.UNTRUSTED):
            raise EquivalenceFailure(outcome)
        if outcome.status in (ItemStatus.NOT_AVAILABLE, ItemStatus.NOT_RUN):
            pytest.skip("; ".join(outcome.reasons_not_run) or "no example to run")

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The failure story instead of a traceback."""
        return _failure_story(self, excinfo) or super().repr_failure(excinfo, style)

    def reportinfo(self) -> tuple[Path, int, str]:
        """File, line (from 0) and name, as pytest prints them."""
        return self.path, self.model.line - 1, self.name


def _failure_story(item: pytest.Item, excinfo: pytest.ExceptionInfo[BaseException]) -> str:
    """What a failed item says in place of a traceback; nothing for what is neither a verdict nor the user's mistake."""
    if isinstance(excinfo.value, UserError):
        return str(excinfo.value)
    if not isinstance(excinfo.value, EquivalenceFailure):
        return ""
    outcome, options = excinfo.value.outcome, Session.of(item.config).settings
    if isinstance(outcome, ModelOutcome):
        return model_failure_text(outcome, item.nodeid, options.seed)
    return failure_text(outcome, options.replay_options)
