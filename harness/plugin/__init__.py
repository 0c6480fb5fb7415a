"""The pytest plugin: glue between pytest's hooks and the gate, and nothing else."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError, system_refusal
from harness.golden import ItemObservation
from harness.models import model_summary
from harness.plugin.items import CaseItem, ModelItem, SuiteFile, SuiteItem
from harness.plugin.options import SHARED, add_options, read_settings
from harness.plugin.processes import distribute
from harness.plugin.progress_printer import progress_printer
from harness.plugin.run_plan import shard_members, starved_items
from harness.plugin.session import KEY, Session, is_suite, suite_files
from harness.plugin.step_summary import append_step_summary
from harness.reporting import (
    ItemRecord,
    Record,
    WrittenRecord,
    against_summary,
    fault_summary,
    item_text,
    parse_item,
    release_summary,
    terminal_summary,
)
from harness.resources import shipped_name
from harness.settings import INCOMPLETE
from harness.trial import Outcome


def pytest_addoption(parser: pytest.Parser) -> None:
    """Register the options."""
    add_options(parser)


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> Generator[None, object, object]:
    """Before xdist looks at it, choose how many processes share the run."""
    distribute(config)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_sessionstart(session: pytest.Session) -> None:
    """Before anything is collected: read the suites named, start the workers, ask them about every callable.

    Raises pytest.UsageError for a mistake in any of it.
    """
    config = session.config
    try:
        config.stash[KEY] = run = Session(config, read_settings(config))
        if not run.is_xdist_worker:
            config.pluginmanager.register(_ControllerHooks(run), "equivalence-controller")
        if files := suite_files(config):
            run.start(files)
            if not run.is_xdist_worker and (printer := progress_printer(config, run)) is not None:
                config.pluginmanager.register(printer, "equivalence-progress")
    except UserError as error:
        raise pytest.UsageError(str(error)) from None
    except OSError as error:
        raise pytest.UsageError(str(system_refusal(error))) from None


def pytest_report_header(config: pytest.Config) -> list[str]:
    """What is tested, and the proof of each level."""
    return config.stash[KEY].header() if KEY in config.stash else []


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> SuiteFile | None:
    """A suite below ``suites/``, or any YAML file that is named on the command line."""
    named = file_path in (parent.config.invocation_params.dir / arg.partition("::")[0] for arg in parent.config.args)
    if file_path.suffix == ".yaml" and (named or is_suite(file_path)):
        return SuiteFile.from_parent(parent, path=file_path, nodeid=shipped_name(file_path, parent.config.rootpath))
    return None


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Take this run's part of the items, turn their order under a time budget, and note how many share it.

    Raises pytest.UsageError for a selection that selects nothing.
    """
    run = Session.of(config)
    is_empty = not items
    take_part(config, items)
    tried = (item for item in items if isinstance(item, (CaseItem, ModelItem)))
    run.share_budget(sum(item.nodeid not in run.plan.ended for item in tried))
    if is_empty and selects_cases(config) and not run.is_xdist_worker:
        raise pytest.UsageError(no_match_message(config))


def take_part(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the items of the suites to which this run comes, in its order; what others collect stays in its place."""
    run = Session.of(config)
    own = {item.nodeid: item for item in items if isinstance(item, SuiteItem)}
    ids = run.plan.arrange(list(own)) if run.settings.budget is not None else run.plan.longest_first(list(own))
    if run.settings.shard is not None:
        members = shard_members(ids, run.plan.seconds, run.settings.shard)
        config.hook.pytest_deselected(items=[own[name] for name in ids if name not in members])
        ids = [name for name in ids if name in members]
        items[:] = [item for item in items if not isinstance(item, SuiteItem) or item.nodeid in members]
    in_order = iter(ids)
    items[:] = [own[next(in_order)] if isinstance(item, SuiteItem) else item for item in items]


def selects_cases(config: pytest.Config) -> bool:
    """Whether this run is one over suites, and a ``-k`` chooses among their cases."""
    session = Session.of(config)
    return bool(config.option.keyword and (session.cases or session.models))


def no_match_message(config: pytest.Config) -> str:
    """The message for a ``-k`` that matches no item."""
    return f"-k {config.option.keyword!r} matches no case; `pytest --collect-only -q` lists them"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Send what the item came to along with the report: xdist carries it to the controller."""
    report = yield
    if call.when == "call" and isinstance(item, SuiteItem) and (record := item.item_record()) is not None:
        attach_record(report, record, call)
        if isinstance(item, CaseItem) and item.outcome is not None:
            attach_observation(report, item.outcome)
    return report


def attach_record(report: pytest.TestReport, record: ItemRecord, call: pytest.CallInfo[None]) -> None:
    """Put what an item came to on its report, as plain data: extra attributes of a report are serialised."""
    reason = call.excinfo.value if call.excinfo is not None else None
    text = reason.msg if isinstance(reason, pytest.skip.Exception) else report.longreprtext
    report.equivalence_item = item_text(record)  # type: ignore[attr-defined] # extra attribute
    report.equivalence_reason = text or ""  # type: ignore[attr-defined] # the same


def attach_observation(report: pytest.TestReport, outcome: Outcome) -> None:
    """Put what an item has observed for an update of golden/ on its report."""
    if (observation := outcome.golden.observed) is not None:
        observed = (outcome.case, outcome.dtype, outcome.golden.deaths, observation.as_json())
        report.equivalence_observed = observed  # type: ignore[attr-defined] # extra attribute


def summaries(record: Record) -> tuple[str, str, str, str, str]:
    """The faults, the tables of operators and of models, what differs in this release and from another build.

    What has no row is empty.
    """
    return (
        fault_summary(record),
        terminal_summary(record),
        model_summary(record),
        release_summary(record),
        against_summary(record),
    )


class _ControllerHooks:
    """Hooks that only the process that prints has."""

    def __init__(self, run: Session) -> None:
        self.run = run
        self.golden_lines: list[str] = []
        self.written: WrittenRecord | None = None

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        """Give xdist's workers what each of them would else choose for itself."""
        node.workerinput[SHARED] = {"seed": self.run.settings.seed, "plan": self.run.plan.as_plain()}

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what is to be run."""
        self._choose(item.nodeid for item in session.items if isinstance(item, SuiteItem))

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self, ids: Sequence[str]) -> None:
        """Note what is to be run: all processes of xdist have collected the same."""
        self._choose(ids)

    def _choose(self, ids: Iterable[str]) -> None:
        """Note the items. Raises pytest.UsageError where those of a run that is resumed are not among them."""
        try:
            self.run.choose(ids)
        except UserError as error:
            raise pytest.UsageError(str(error)) from None

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Gather the outcomes into the record."""
        if (text := getattr(report, "equivalence_item", None)) is not None:
            self.run.receive(parse_item(text), report)
        if (observed := getattr(report, "equivalence_observed", None)) is not None:
            case, dtype, deaths, observation = observed
            self.run.receive_observation(case, dtype, deaths, ItemObservation.read(observation))

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        """Write the record; a ``-k`` that matched nothing is a usage error under xdist too."""
        self.written = self.run.close_record()
        if exitstatus == pytest.ExitCode.OK:
            session.exitstatus = self._exit_status()
        if not session.config.option.collectonly:
            self.golden_lines = self._update_golden(session)
        if exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and selects_cases(session.config):
            session.exitstatus = pytest.ExitCode.USAGE_ERROR

    def _exit_status(self) -> int:
        """That of a run in which no item has failed."""
        if self.written is not None and self.written.problem:  # whoever reads the file has no record
            return pytest.ExitCode.USAGE_ERROR
        items = self.run.recorder.items
        is_lacking = bool(starved_items(items)) or any(item.lost_levels for item in items.values())
        return INCOMPLETE if is_lacking and not self.run.settings.allow_incomplete else pytest.ExitCode.OK

    def _update_golden(self, session: pytest.Session) -> list[str]:
        """The lines to print of an update, or of why there is none."""
        try:
            return self.run.update_golden()
        except (UserError, OSError) as error:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
            return [f"ERROR: {system_refusal(error) if isinstance(error, OSError) else error}"]

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
        """Print the views of the record, or what an update has written."""
        if self.golden_lines:
            terminalreporter.section("golden")
            terminalreporter.write_line("\n".join(self.golden_lines))
        if self.run.recorder.items:
            terminalreporter.section("equivalence")
            record = self.run.recorder.record()
            terminalreporter.write_line("\n\n".join(filter(None, summaries(record))))
            for line in self.run.incomplete_lines():
                terminalreporter.write_line(line, red=True)
            terminalreporter.write_line(str(self.written), red=bool(self.written and self.written.problem))
            if problem := append_step_summary(record):
                terminalreporter.write_line(problem, red=True)
        elif exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and selects_cases(terminalreporter.config):
            terminalreporter.write_line(f"ERROR: {no_match_message(terminalreporter.config)}", red=True)


@pytest.hookimpl(trylast=True)
def pytest_configure(config: pytest.Config) -> None:
    """Nothing runs yet: only make sure that closing comes last."""
    config.add_cleanup(lambda: config.stash[KEY].finish() if KEY in config.stash else None)
