"""The plan of a run: parts of it, and whose turn it is to be first."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from harness.core import ItemStatus
from harness.plugin.run_files import RunFiles
from harness.plugin.run_plan import EndedItem, RunPlan, seconds_of, shard_members, starved_items
from harness.profiles import PROFILES
from harness.reporting import ShardRecord, previous_path, put_aside, read_record, write_record
from harness.settings import Settings, Shard
from tests.reporting.records import node_id, operator_item, record

IDS = [f"suites/x/s.yaml::case{number}[float32]" for number in range(10)]


@pytest.mark.parametrize("count", [1, 2, 3, 7, 10, 12])
@pytest.mark.parametrize("seconds", [{}, {name: 2.0**number for number, name in enumerate(IDS)}, {IDS[3]: 9.0}])
def test_parts_have_every_item_once(count: int, seconds: dict[str, float]) -> None:
    """The parts together are the whole, whatever is known of the items, and their order does not matter."""
    parts = [shard_members(IDS, seconds, Shard(index, count)) for index in range(1, count + 1)]
    assert sorted(name for part in parts for name in part) == IDS
    shuffled = random.Random(3).sample(IDS, len(IDS))  # noqa: S311 - no secret
    assert parts == [shard_members(shuffled, seconds, Shard(index, count)) for index in range(1, count + 1)]


def test_parts_are_of_equal_numbers_without_a_record() -> None:
    """Neighbours, which take about as long as each other, go to different parts."""
    parts = [shard_members(IDS, {}, Shard(index, 4)) for index in (1, 2, 3, 4)]
    assert [len(part) for part in parts] == [3, 3, 2, 2]
    assert parts[0] == {IDS[0], IDS[4], IDS[8]}


def test_parts_are_of_equal_seconds() -> None:
    """One long item is as much as all the others; one that the last run had not counts as much as their mean."""
    seconds = dict.fromkeys(IDS[:9], 1.0) | {IDS[0]: 8.0}
    assert shard_members(IDS[:9], seconds, Shard(1, 2)) == {IDS[0]}
    first, second = (shard_members(IDS, seconds, Shard(index, 2)) for index in (1, 2))
    assert first == {IDS[0], IDS[8]}
    assert IDS[9] in second


def test_only_a_whole_run_says_how_long_items_take() -> None:
    """Of a part of one the machine with another part knows nothing, and the parts would not fit together."""
    item = operator_item(seconds=1.5)
    whole = record(item)
    assert seconds_of(whole) == {node_id(item): 1.5}
    part = whole.model_copy(update={"shard": ShardRecord(index=1, count=2, basis="")})
    assert seconds_of(part) == seconds_of(None) == {}


def test_the_basis_of_parts_is_a_digest_of_the_seconds() -> None:
    """The same seconds have the same, in whatever order; none have none."""
    assert RunPlan(seconds={"a": 1.0, "b": 2.0}).basis == RunPlan(seconds={"b": 2.0, "a": 1.0}).basis
    assert RunPlan(seconds={"a": 1.0}).basis != RunPlan(seconds={"a": 2.0}).basis
    assert RunPlan().basis == ""


def test_what_was_starved_is_first_the_next_time() -> None:
    """Night after night a run that has time for four items begins with the fifth of the last one."""
    runs, starved = [], []
    for _ in range(5):
        order = RunPlan(starved=starved).arrange(IDS)
        assert sorted(order) == IDS
        runs.append(order[:4])
        starved = [name for name in IDS if name not in order[:4]]
    assert [run[0] for run in runs] == [IDS[0], IDS[4], IDS[8], IDS[2], IDS[6]]
    assert runs[2] == [IDS[8], IDS[9], IDS[0], IDS[1]]


def test_without_a_last_run_the_order_turns_with_seed_and_date() -> None:
    """So it does where all items were starved; no items have no order."""
    assert RunPlan(turn=13).arrange(IDS) == [*IDS[3:], *IDS[:3]]
    assert RunPlan(turn=13, starved=IDS).arrange(IDS) == [*IDS[3:], *IDS[:3]]
    assert RunPlan(turn=20).arrange(IDS) == IDS
    assert RunPlan(turn=5).arrange([]) == []


def test_the_record_before_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What a plan has read of it is at hand when the first item begins; without a plan of it the seconds alone are."""
    item = operator_item(seconds=1.5)
    paths: list[Path] = []
    monkeypatch.setattr("harness.plugin.run_files.read_record", lambda path: [paths.append(path), read_record(path)][1])
    for budget, reads in ((60.0, [tmp_path / "r.json"]), (None, [])):
        write_record(record(item), tmp_path / "r.json")
        files = RunFiles(Settings(tmp_path, PROFILES["gate"], 0, budget=budget, record=tmp_path / "r.json"))
        files.plan("2026-11-27")
        put_aside(tmp_path / "r.json")
        if budget:
            previous_path(tmp_path / "r.json").unlink()
        assert files.last_run().seconds == {node_id(item): 1.5}
        assert paths == reads
        paths.clear()


def test_an_item_without_an_example_is_starved_only_by_time() -> None:
    """Of a profile that has nothing to run for it, it does not run either, and another night will not change that."""
    late = operator_item(dtype="float64", status=ItemStatus.NOT_RUN, complete=False)
    nothing_to_run = operator_item(dtype="float32", status=ItemStatus.NOT_RUN)
    in_part = operator_item(dtype="bfloat16", status=ItemStatus.PASSED, complete=False)
    assert starved_items(record(late, nothing_to_run, in_part).items) == [node_id(late)]


def test_a_plan_travels() -> None:
    """What xdist sends of it are dicts, lists and plain values, and the plan is the same there."""
    plan = RunPlan({"x": EndedItem("failed", "why", [("examples", 3)])}, {"x": 1.0}, ["y"], 5, {"z": 2.0})
    sent = json.loads(json.dumps(plan.as_plain()))
    assert sent == plan.as_plain()
    arrived = RunPlan.read(sent)
    assert (arrived.ended["x"].outcome, arrived.ended["x"].reason) == ("failed", "why")
    assert [tuple(pair) for pair in arrived.ended["x"].properties] == [("examples", 3)]
    assert (arrived.seconds, arrived.starved, arrived.turn, arrived.lengths) == ({"x": 1.0}, ["y"], 5, {"z": 2.0})
    assert RunPlan.read({}) == RunPlan()
