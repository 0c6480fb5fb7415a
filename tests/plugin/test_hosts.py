"""Whole runs with a level on another machine, behind a real sshd on the loopback address.

That machine is this one: a level is lacking here because `python_without` leaves a flag out of the CPU's. What the runs
do with the connection is real.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from harness.execution.host import probe_host
from tests.plugin.project import SUITE, Project, Run, needs_workers
from tests.ssh_server import SshServer, listening_server, python_without, running_server, write_server

PYTHON = os.environ.get("EQUIVALENCE_PYTHON") or sys.executable
LEVELS = "sse41,avx2"
NAMES = ("relu", "relu6", "hardtanh", "hardshrink")

pytestmark = [
    needs_workers,
    pytest.mark.skipif("avx2" not in probe_host(None).flags, reason="needs a CPU with AVX2"),
]

EXAMPLE = {
    "case": "suites/x/s.yaml::relu", "dtype": "float32", "sizes": {"N": 2, "C": 3, "H": 4, "W": 5},
    "layouts": {"input": "channels_last", "grad_output": "contiguous"}, "seed": 1,
}  # fmt: skip


@dataclass(frozen=True)
class Site:
    """A project, and the options of a run at two levels of which one is lacking here."""

    project: Project
    python: str

    def options(self, server: SshServer, examples: int = 8) -> list[str]:
        """Of a run with that server."""
        chosen = ["--eq-levels", LEVELS, "--eq-examples", str(examples), "--color=no"]
        return [f"--eq-python={self.python}", f"--eq-host={server.host(PYTHON)}", *chosen]

    def journal(self) -> list[str]:
        """The items that have ended so far."""
        path = self.project.root / ".equivalence" / "record.json.partial"
        lines = path.read_text("utf-8").splitlines(keepends=True) if path.exists() else []
        return [json.loads(line)["item"] for line in lines[1:] if line.endswith("\n")]

    def wait_for_item(self, run: subprocess.Popen[str]) -> None:
        """Until the first item has ended."""
        while not self.journal():
            assert run.poll() is None, run.communicate()[0]
            time.sleep(0.05)


@pytest.fixture
def site(tmp_path: Path) -> Site:
    """Four items, each of some seconds."""
    project = Project(tmp_path)
    cases = SUITE.replace("  relu:\n", f"  quartet:\n    names: [{', '.join(NAMES)}]\n")
    project.suite(cases.replace("functional.relu", "functional.{name}"))
    return Site(project, python_without(tmp_path, "avx2"))


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """A server for the runs that do it no harm."""
    with running_server(tmp_path_factory.mktemp("sshd")) as running:
        yield running


def incidents(record: dict[str, Any]) -> list[str]:
    """What befell the workers of all items."""
    return [incident for item in record["items"].values() for incident in item["incidents"]]


def test_a_level_that_is_lacking_here_runs_there(site: Site, server: SshServer) -> None:
    """With two processes of pytest; header and record say on which CPU, with which build, and prove the level."""
    run = site.project.pytest(*site.options(server), "-n", "2")
    assert run.code == 0, run.output
    record = site.project.record
    cpu = record["build"]["cpu"]
    assert f"\nhost {server.name}: {cpu}; PyTorch {record['build']['torch']}, oneDNN " in run.output
    assert f"\nlevel avx2 on {server.name}: onednn Intel AVX2; aten AVX2\n" in run.output
    why = "onednn Intel AVX2; aten AVX2"
    assert record["levels"]["avx2"] == {"state": "run", "why": why, "host": server.name}
    assert record["levels"]["sse41"]["host"] == ""
    assert record["hosts"] == {server.name: record["build"]}
    assert record["complete"]
    for item in record["items"].values():
        assert item["cells"].keys() == {"sse41", "avx2"}
        assert item["cells"]["avx2"] == item["cells"]["sse41"]
    assert incidents(record) == []


def test_a_replay_runs_there_too(site: Site, server: SshServer) -> None:
    """It takes the same words, as the line of a failure has them."""
    options = ["--python", site.python, "--levels", LEVELS, "--host", server.host(PYTHON)]
    run = site.project.command("replay", json.dumps(EXAMPLE), *options)
    assert run.code == 0, run.output
    assert run.output.startswith("PASSED")
    assert "avx2" in run.output


def test_a_lost_connection_is_an_incident(site: Site, server: SshServer) -> None:
    """The item goes on and says so, and nothing of the record is missing."""
    before = set(server.connections())
    with site.project.start(*site.options(server, examples=60)) as run:
        site.wait_for_item(run)
        for connection in set(server.connections()) - before:
            os.kill(connection, signal.SIGKILL)
        output, _ = run.communicate()
    assert run.returncode == 0, output
    assert "Traceback" not in output
    record = site.project.record
    assert record["complete"]
    (incident,) = incidents(record)
    assert incident.startswith(f"worker cell-avx2: the connection to {server.name} was lost (no connection to ")
    assert incident.endswith("; sent again")
    assert incident in " ".join(output.split())
    for item in record["items"].values():
        assert item["cells"]["avx2"] == item["cells"]["sse41"]
        assert item["lost_levels"] == []


def test_a_machine_that_is_lost_costs_its_levels_alone(site: Site) -> None:
    """The run goes on without them and is incomplete; once the machine is back, it can be resumed."""
    folder = site.project.root / "sshd"
    folder.mkdir()
    port = write_server(folder)
    with site.project.start(*site.options(SshServer(folder, port, 0), examples=60), in_group=True) as run:
        with listening_server(folder, port):
            site.wait_for_item(run)
        output, _ = run.communicate()
    assert run.returncode == 6, output
    assert "Traceback" not in output
    record = site.project.record
    assert not record["complete"]
    lost = [name for name, item in record["items"].items() if item["lost_levels"] == ["avx2"]]
    assert lost
    assert f"INCOMPLETE: of 4 items {len(lost)} not run at all levels, because a host was lost" in output
    assert all(item["status"] == "passed" and item["cells"]["sse41"] for item in record["items"].values())
    (last,) = [incident for incident in incidents(record) if "cannot be run any more" in incident]
    assert "is lost: " in last
    with listening_server(folder, port) as server:
        resumed = site.project.pytest(*site.options(server, examples=60), "--eq-resume")
    assert resumed.code == 0, resumed.output
    assert site.project.record["complete"]
    assert all(item["cells"]["avx2"] == item["cells"]["sse41"] for item in site.project.record["items"].values())


def refusal(site: Site, *options: str) -> str:
    """What is said of a run that does not begin."""
    run: Run = site.project.pytest(f"--eq-python={site.python}", "--eq-levels", LEVELS, *options)
    return run.refusal()


def test_what_cannot_be_run_there_is_refused_at_the_start(site: Site, server: SshServer) -> None:
    """One message for each, with exit code 4: where, what, and what would be right."""
    assert "'there' is no host; give ssh=user@host//python=/path" in refusal(site, "--eq-host=there")
    gone = refusal(site, f"--eq-host=ssh=-oConnectTimeout=5 -p 1 {server.name}")
    assert f"host {server.name}: ssh cannot reach it: ssh: connect to host 127.0.0.1 port 1" in gone
    assert "true` has to work without a question" in gone
    missing = refusal(site, f"--eq-host={server.host('/no/python')}")
    assert f"{server.name}:/no/python is not a working Python interpreter" in missing
    bare = refusal(site, f"--eq-host={server.host(f'{sys.executable} -S')}")
    assert "has no torch and no numpy; a worker needs torch and numpy" in bare
    lone = refusal(site, f"--eq-host={server.host(PYTHON)}", "--eq-levels", "sse41")
    assert f"host {server.name} would run nothing: " in lone
