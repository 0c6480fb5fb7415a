"""A worker on another machine whose connection is lost, in a supervisor without any process."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from harness.errors import UserError
from harness.execution.workers import hosted_supervisor
from harness.execution.workers.hosted_supervisor import MOST_LOSSES, HostedSupervisor, HostLink
from harness.execution.workers.process import Process, ProcessEnd, Setup
from harness.execution.workers.supervisor import HostLost, WorkerLost
from harness.portable import protocol

SETUP = Setup("cell-avx2", "there:python", "cell", {}, Path())
DISCONNECTED = ProcessEnd(0, "no connection", is_disconnected=True)
CRASHED = ProcessEnd(11, "killed by SIGSEGV")
READY = {"problem": "", "build": {}, "proof": {}}


@dataclass
class ScriptedProcess(Process):
    """Answers so many requests, and then ends in that way."""

    answers: int = field(kw_only=True)
    how: ProcessEnd = field(kw_only=True, default=DISCONNECTED)

    def __post_init__(self) -> None:
        super().__post_init__()
        self._deliver(protocol.encode(READY))

    @property
    def pid(self) -> int:
        """None that there is."""
        return 0

    def send(self, message: bytes) -> None:
        """Answer with the request itself, or be gone."""
        self.answers -= 1
        self._deliver(message if self.answers >= 0 else None)

    def wait_for_end(self, seconds: float) -> ProcessEnd:
        """It has ended."""
        del seconds
        return self.how

    def close(self) -> None:
        """There is nothing to close."""


@dataclass
class Stage:
    """A machine whose processes behave like these in turn; one that is a text does not start, and says that."""

    script: deque[Callable[[Setup, int], Process] | str]
    notes: list[str] = field(default_factory=list)
    lost: Mapping[str, str] = field(default_factory=dict)
    has_others: bool = True

    def supervisor(self) -> HostedSupervisor:
        """Its supervisor, with a worker that has answered."""
        link = HostLink("there", ["avx2"], self.lose)
        supervisor = HostedSupervisor(SETUP, self.launch, self.notes.append, link)
        supervisor.start()
        supervisor.wait_until_ready()
        link.is_open = True
        return supervisor

    def launch(self, setup: Setup, generation: int) -> Process:
        """Start the next process. Raises UserError where that is a text."""
        script = self.script.popleft()
        if isinstance(script, str):
            raise UserError(script)
        return script(setup, generation)

    def lose(self, levels: Sequence[str], why: str) -> None:
        """Note the levels. Raises UserError where there are no others."""
        self.lost = dict.fromkeys(levels, why)
        if not self.has_others:
            raise UserError(f"no level is left: {why}")


def process(answers: int, how: ProcessEnd = DISCONNECTED) -> Callable[[Setup, int], Process]:
    """A process that answers so often."""
    return lambda setup, generation: ScriptedProcess(setup, generation, answers=answers, how=how)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many attempts as ever, without the time between them."""
    monkeypatch.setattr(hosted_supervisor, "PAUSES", (0.0,) * len(hosted_supervisor.PAUSES))


def ask(supervisor: HostedSupervisor, *numbers: int) -> list[Any]:
    """The outcomes of requests that are on their way at once."""
    pending = [supervisor.send({"n": number}, about=f"example {number}", limit=5.0) for number in numbers]
    return [each.collect_outcome() for each in pending]


def test_a_lost_connection_costs_no_request() -> None:
    """It connects again and sends what had no answer; an incident says so, and on what."""
    stage = Stage(deque([process(1), process(9)]))
    assert ask(stage.supervisor(), 1, 2, 3) == [{"n": 1}, {"n": 2}, {"n": 3}]
    assert stage.notes == [
        "worker cell-avx2: the connection to there was lost (no connection) on example 2; sent again"
    ]
    assert stage.lost == {}


def test_a_network_that_comes_back_costs_nothing_either() -> None:
    """It is tried several times before the machine is given up."""
    stage = Stage(deque([process(0), "no route", "no route", process(9)]))
    assert ask(stage.supervisor(), 1) == [{"n": 1}]
    assert stage.lost == {}


def test_a_machine_that_stays_away_is_given_up() -> None:
    """What waits and what is sent later is lost, and its levels with it; the requests say nothing of a kernel."""
    stage = Stage(deque([process(1), *["no route"] * 9]))
    supervisor = stage.supervisor()
    first, *others = ask(supervisor, 1, 2, 3)
    assert first == {"n": 1}
    assert stage.lost == {"avx2": "host there is lost: no route"}
    for outcome in (*others, *ask(supervisor, 4)):
        assert isinstance(outcome, HostLost)
        assert outcome.message == "host there is lost: no route"


def test_a_request_that_takes_the_machine_away_is_not_sent_for_ever() -> None:
    """After a few connections the machine is given up, and the example is named."""
    stage = Stage(deque([process(0) for _ in range(9)]))
    (outcome,) = ask(stage.supervisor(), 7)
    assert isinstance(outcome, HostLost)
    assert stage.lost["avx2"].endswith(f"its connection was lost {MOST_LOSSES} times on example 7")
    assert len(stage.notes) == MOST_LOSSES


def test_where_there_is_no_other_level_the_loss_is_an_error() -> None:
    """Nothing could be checked any more."""
    stage = Stage(deque([process(0), *["no route"] * 9]), has_others=False)
    supervisor = stage.supervisor()
    with pytest.raises(UserError, match="no level is left: host there is lost: no route"):
        ask(supervisor, 1)


def test_a_crash_there_is_a_crash() -> None:
    """The worker is replaced, and the request is not sent again: it is the culprit."""
    stage = Stage(deque([process(0, CRASHED), process(9)]))
    crash, after = ask(stage.supervisor(), 1, 2)
    assert isinstance(crash, WorkerLost)
    assert (crash.how, crash.signal) == ("died", 11)
    assert after == {"n": 2}
    assert stage.notes == ["worker cell-avx2 died (killed by SIGSEGV) on example 1; replaced"]


def test_at_the_start_nothing_is_tried_twice() -> None:
    """A worker that does not start is the person's to know, at once."""
    link = HostLink("there", ["avx2"], Stage(deque()).lose)
    stage = Stage(deque(["no route"]))
    with pytest.raises(UserError, match="no route"):
        HostedSupervisor(SETUP, stage.launch, stage.notes.append, link).start()
    assert stage.notes == []
