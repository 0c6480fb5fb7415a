"""In how many processes a run goes, in which order they take its items, and what is said of how long that takes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.plugin.last_run import LastRun, read_last_run
from harness.plugin.processes import MEMORY_OF_PROCESS, Machine, distribute, process_count
from harness.plugin.run_files import RunFiles
from harness.plugin.run_plan import RunPlan
from harness.plugin.selection import matching_items, selected_cases
from harness.profiles import PROFILES
from harness.reporting import put_aside, write_record
from harness.settings import Settings
from tests.execution.stand import case
from tests.plugin.project import SUITE, Project, needs_workers, timeless
from tests.reporting.records import node_id, operator_item, record

SUITE_ID = "suites/x/s.yaml"
LARGE = Machine(8, 64 * MEMORY_OF_PROCESS)
TWO_CASES = SUITE + SUITE.partition("cases:\n")[2].replace("relu", "relu6")


@pytest.mark.parametrize(
    ("cores", "processes", "room"), [(16, 64, 16), (16, 5, 5), (1, 64, 1), (16, 0, 1)], ids=str
)  # fmt: skip
def test_the_room_of_a_machine_is_what_cores_and_memory_allow(cores: int, processes: int, room: int) -> None:
    """Whichever there is less of decides; one process runs on any machine."""
    assert Machine(cores, processes * MEMORY_OF_PROCESS + 1).room == room


def test_this_machine_has_cores_and_memory() -> None:
    """What is asked of the system comes in cores and bytes."""
    here = Machine.here()
    assert here.cores >= 1
    assert here.memory > 2**28


@pytest.mark.parametrize(
    ("seconds", "is_narrowed", "count"),
    [(600.0, False, 8), (600.0, True, 8), (20.0, False, 0), (20.0, True, 0), (None, False, 8), (None, True, 0)],
)
def test_a_long_run_takes_the_whole_machine(seconds: float | None, is_narrowed: bool, count: int) -> None:
    """What takes seconds is done before other processes would have begun; what nobody knows is told by a selection."""
    assert process_count(LARGE, seconds, is_narrowed) == count
    assert process_count(Machine(1, LARGE.memory), seconds, is_narrowed) == 0


@pytest.mark.parametrize(
    ("keyword", "matches"),
    [
        ("max_pool2d and not float32", [f"{SUITE_ID}::max_pool2d[bfloat16]"]),
        (
            "RELU or (max_pool2d and float32)",
            [f"{SUITE_ID}::max_pool2d[float32]", f"{SUITE_ID}::relu[float32]"],
        ),
        ("conv", []),
    ],
)
def test_a_keyword_selects_items_of_the_last_run(keyword: str, matches: list[str]) -> None:
    """As pytest selects what it collects: parts of names, in whatever case."""
    items = [f"{SUITE_ID}::{name}" for name in ("max_pool2d[bfloat16]", "max_pool2d[float32]", "relu[float32]")]
    assert matching_items(keyword, items) == matches


def test_no_keyword_and_one_that_pytest_refuses_select_all() -> None:
    """The message comes later, from pytest."""
    assert matching_items("and and", ["a", "b"]) == matching_items("", ["a", "b"]) == ["a", "b"]


def test_a_case_is_selected_with_any_of_its_items() -> None:
    """Where none of its dtypes is, it is not."""
    both, half = (
        case(name, dtypes=dtypes) for name, dtypes in (("a.relu", ("float32", "float16")), ("a.abs", ("float16",)))
    )
    assert selected_cases("float32", [both, half]) == [both]
    assert selected_cases("", [both, half]) == [both, half]


def chosen_processes(pytester: pytest.Pytester, *arguments: str) -> object:
    """What ``-n`` is after the choice in a run over a suite; None where there is no xdist."""
    config = pytester.parseconfig("suites", *arguments)
    distribute(config)
    return getattr(config.option, "numprocesses", None)


@pytest.fixture
def suites(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    """A project on a machine that has room for eight processes."""
    Project(pytester.path).suite()
    monkeypatch.setattr(Machine, "here", lambda: LARGE)
    for name in ("EQUIVALENCE_DISTRIBUTE", "PYTEST_ADDOPTS", "PYTEST_XDIST_AUTO_NUM_WORKERS"):
        monkeypatch.delenv(name, raising=False)
    return pytester


@pytest.mark.parametrize(
    ("arguments", "count"),
    [
        ((), 8),
        (("-n", "2"), 2),
        (("-n", "0"), 0),
        (("-n", "auto"), "auto"),
        (("--pdb",), None),
        (("--trace",), None),
        (("--collect-only",), None),
        (("--eq-in-process",), None),
        (("--eq-seed", "x"), None),
        (("-k", "relu"), 0),
        (("suites/x/s.yaml::relu[float32]",), 0),
        (("--lf",), 0),
        (("-p", "no:xdist"), None),
    ],
    ids=str,
)
def test_who_says_it_is_obeyed(suites: pytest.Pytester, arguments: tuple[str, ...], count: object) -> None:
    """``-n`` goes first, a debugger needs this process, and a selection is short as long as nobody knows."""
    assert chosen_processes(suites, "--eq-distribute", *arguments) == count


def test_a_run_that_is_not_to_be_distributed_is_not(suites: pytest.Pytester) -> None:
    """By itself pytest does as pytest does."""
    assert chosen_processes(suites) is None


def write_last_record(root: Path, seconds: float, profile: str = "gate", name: str = "relu") -> None:
    """The record of a run in which one item of the suite took so long."""
    run = {key: getattr(PROFILES[profile], key) for key in ("strength", "rows", "random", "saved_only")}
    text = json.dumps({"run": run, "levels": {}, "items": {f"suites/x/s.yaml::{name}[float32]": {"seconds": seconds}}})
    Project(root).write(".equivalence/record.json", text)


@pytest.mark.parametrize(
    ("seconds", "arguments", "count"),
    [
        (300.0, ("-k", "relu"), 8),
        (5.0, ("-k", "relu"), 0),
        (5.0, (), 0),
        (300.0, ("-k", "sigmoid"), 0),
        (300.0, ("-k", "relu", "--eq-profile", "quick"), 0),
        (5.0, ("--eq-profile", "nightly"), 8),
    ],
    ids=str,
)
def test_the_last_run_says_how_long_a_selection_is(
    suites: pytest.Pytester, seconds: float, arguments: tuple[str, ...], count: int
) -> None:
    """Where it ran the same items, with as many examples."""
    write_last_record(suites.path, seconds)
    assert chosen_processes(suites, "--eq-distribute", *arguments) == count


def test_an_argument_selects_among_the_items_of_the_last_run(suites: pytest.Pytester) -> None:
    """Another suite took long, and this run is of one that is not in the record."""
    write_last_record(suites.path, 300.0)
    Project(suites.path).write("suites/y/t.yaml", SUITE)
    config = suites.parseconfig("suites/y", "--eq-distribute", "-k", "relu")
    distribute(config)
    assert config.option.numprocesses == 0


@pytest.mark.parametrize(
    ("arguments", "chunk"), [(("-n", "2"), 1), (("-n", "2", "--maxschedchunk", "7"), 7), ((), None)]
)
def test_processes_take_one_item_after_another(
    suites: pytest.Pytester, arguments: tuple[str, ...], chunk: int | None
) -> None:
    """By themselves xdist's would begin with a quarter of them each, and one would have all of the longest."""
    config = suites.parseconfig("suites", *arguments)
    distribute(config)
    assert config.option.maxschedchunk == chunk


def test_what_is_no_suite_is_distributed_as_ever(pytester: pytest.Pytester) -> None:
    """Tests in Python are xdist's affair."""
    pytester.makepyfile("def test_nothing(): pass")
    config = pytester.parseconfig("-n", "2")
    distribute(config)
    assert config.option.maxschedchunk is None


def test_the_longest_go_first() -> None:
    """Those that nobody has timed are among them as the mean is; where nothing was timed the order is as declared."""
    ids = ["short", "new", "long", "longest"]
    plan = RunPlan(lengths={"short": 1.0, "long": 5.0, "longest": 9.0})
    assert plan.longest_first(ids) == ["longest", "new", "long", "short"]
    assert RunPlan().longest_first(ids) == ids


@pytest.mark.parametrize("is_shared", [True, False])
def test_only_processes_that_share_a_run_need_lengths(tmp_path: Path, is_shared: bool) -> None:
    """One process keeps the order in which items are declared; both know the last run."""
    item = operator_item(seconds=1.5)
    settings = Settings(tmp_path, PROFILES["gate"], 0, record=tmp_path / "r.json")
    write_record(record(item), settings.record)
    files = RunFiles(settings)
    plan = files.plan("2026-11-27", is_shared=is_shared)
    put_aside(settings.record)
    assert plan.lengths == ({node_id(item): 1.5} if is_shared else {})
    assert files.last_run().seconds == {node_id(item): 1.5}


def test_a_last_run_is_like_one_of_as_many_examples_at_the_same_levels(tmp_path: Path) -> None:
    """What is read of a record's text and of the record itself is the same."""
    written = record(operator_item(seconds=1.5))
    write_record(written, tmp_path / "r.json")
    last = read_last_run(tmp_path / "r.json")
    assert last == LastRun.of(written)
    run = written.run
    profile = PROFILES["gate"].with_examples(run.rows + run.random)
    same = LastRun(last.seconds, {**last.depth, "rows": profile.rows, "random": profile.random}, last.levels)
    assert same.is_like(profile, [])
    assert same.is_like(profile, [*last.levels])
    assert not same.is_like(profile, ["another"])
    assert not same.is_like(profile.with_examples(999), [])


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"items": 3, "run": 4}', '{"items": {"a": {"seconds": "x"}, "b": 1}}']
)
def test_of_what_is_no_record_nothing_is_known(tmp_path: Path, text: str) -> None:
    """A file that somebody else has written there, or half a one, is no reason to end the run."""
    path = tmp_path / "record.json"
    path.write_text(text)
    assert read_last_run(path).seconds == read_last_run(tmp_path / "none.json").seconds == {}


@needs_workers
def test_a_shared_run_comes_to_the_same_and_the_next_says_how_long_it_will_take(project: Project) -> None:
    """The record but for its date and seconds; what is expected is said once there is a record of a run like it."""
    project.suite(TWO_CASES)
    alone = project.briefly("--eq-distribute", "-n", "0")
    assert alone.code == 0, alone.output
    assert "expected: " not in alone.output
    alone_record = timeless(project.record)
    (project.root / ".equivalence/record.json").unlink()
    shared = project.briefly("--eq-distribute")
    assert shared.code == 0, shared.output
    assert ("workers [2 items]" in shared.output) == (Machine.here().room > 1)
    assert timeless(project.record) == alone_record
    again = project.briefly("--eq-distribute", "-p", "no:xdist")
    assert again.code == 0, again.output
    assert again.output.count("expected: about ") == 1
    assert again.output.index("expected: about ") < again.output.index("suites/x/s.yaml .")
