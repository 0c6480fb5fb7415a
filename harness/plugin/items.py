"""What pytest collects: a suite file, and in it one item for each case and dtype."""

from __future__ import annotations

import abc
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.core import Case, ItemStatus
from harness.errors import UserError
from harness.models import Model, ModelOutcome, WayToRun, model_failure_text, model_item_record
from harness.plugin.session import Session
from harness.reporting import GoldenItemRecord, ItemRecord, failure_text, item_properties, operator_item_record
from harness.trial import Outcome


class EquivalenceFailure(Exception):  # noqa: N818 - a verdict, not an error of the harness
    """A trial failed; the outcome holds what to print."""

    def __init__(self, outcome: Outcome | ModelOutcome) -> None:
        super().__init__(outcome.status)
        self.outcome = outcome


class GoldenMisfit(Exception):  # noqa: N818 - a verdict, not an error of the harness
    """golden/ and a suite do not have the same cases; the text says in what, and what would be right."""


class EarlierFailure(Exception):  # noqa: N818 - a verdict, not an error of the harness
    """The item failed in the run that is resumed; the text is what was printed then."""


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
            yield GoldenItem.from_parent(self, name="golden", suite=self.nodeid)
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


class SuiteItem(pytest.Item):
    """An item of a suite. What the run that is resumed has done of it is not done again."""

    def runtest(self) -> None:
        """Run the item, or let it end as it did before."""
        ended = Session.of(self.config).plan.ended.get(self.nodeid)
        if ended is None:
            self.run_item()
            return
        self.user_properties.extend((name, value) for name, value in ended.properties)
        if ended.outcome == "skipped":
            pytest.skip(ended.reason)
        if ended.outcome == "failed":
            raise EarlierFailure(ended.reason)

    @abc.abstractmethod
    def run_item(self) -> None:
        """Run the item. Raises what is the verdict, where it is not that it passes."""

    @abc.abstractmethod
    def item_record(self) -> ItemRecord | None:
        """What this run has come to in the item; None where it has not run it."""

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """The sentences of a verdict instead of a traceback."""
        is_verdict = isinstance(excinfo.value, (EarlierFailure, GoldenMisfit))
        return str(excinfo.value) if is_verdict else super().repr_failure(excinfo, style)


class GoldenItem(SuiteItem):
    """Whether golden/ has the cases of the suite, and no others. Their facts are compared by the cases' own items."""

    def __init__(self, *, suite: str, **options: Any) -> None:
        super().__init__(**options)
        self.suite = suite
        self._record: GoldenItemRecord | None = None

    def run_item(self) -> None:
        """Raise GoldenMisfit with all that is missing or unknown."""
        started = time.monotonic()
        misfits = Session.of(self.config).golden_misfits(self.path)
        self._record = GoldenItemRecord(
            suite=self.suite,
            status=ItemStatus.FAILED if misfits else ItemStatus.PASSED,
            misfits=tuple(misfits),
            seconds=round(time.monotonic() - started, 1),
        )
        if misfits:
            raise GoldenMisfit("\n".join(misfits))

    def item_record(self) -> ItemRecord | None:
        """Whether the two have the same cases."""
        return self._record

    def reportinfo(self) -> tuple[Path, int, str]:
        """The suite, at its first line."""
        return self.path, 0, self.name


class CaseItem(SuiteItem):
    """One case in one dtype; the cells are inside."""

    def __init__(self, *, case: Case, dtype: str, **options: Any) -> None:
        super().__init__(**options)
        self.case = case
        self.dtype = dtype
        self.outcome: Outcome | None = None

    def item_record(self) -> ItemRecord | None:
        """What the trial came to."""
        return None if self.outcome is None else operator_item_record(self.outcome)

    def run_item(self) -> None:
        """Try the case. Raises EquivalenceFailure for a failure, a stale known issue, or where nothing was checked."""
        session = Session.of(self.config)
        self.outcome = session.try_case(self.case, self.dtype)
        record, options = operator_item_record(self.outcome), session.settings
        self.user_properties += item_properties(record, self.nodeid, options.seed, options.replay_options)
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


class ModelItem(SuiteItem):
    """One model in one way to run it: step, runner, precision."""

    def __init__(self, *, model: Model, way: WayToRun, **options: Any) -> None:
        super().__init__(**options)
        self.model = model
        self.way = way
        self.outcome: ModelOutcome | None = None

    def item_record(self) -> ItemRecord | None:
        """What the trial came to."""
        return None if self.outcome is None else model_item_record(self.outcome)

    def run_item(self) -> None:
        """Try the model. Raises EquivalenceFailure for a failure, a stale known issue, or where nothing was checked."""
        session = Session.of(self.config)
        if session.settings.update_golden:
            pytest.skip("golden/ holds no facts of models")
        self.outcome = outcome = session.try_model(self.model, self.way)
        record, options = model_item_record(outcome), session.settings
        self.user_properties += item_properties(record, self.nodeid, options.seed, options.replay_options)
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
