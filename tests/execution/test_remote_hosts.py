"""A real sshd on the loopback address, and interpreters behind it; none of them imports PyTorch."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.execution import Executor
from harness.execution.host import probe_host, probe_remote_host
from harness.execution.host_address import parse_host_address
from harness.execution.workers import bundle, environment
from harness.portable import leftovers
from harness.portable.watched_end import DISCONNECTED
from tests.execution import stand
from tests.ssh_server import SshServer, running_server

BARE = f"{sys.executable} -S"
"""An interpreter that has the standard library alone."""

SOON = 30.0
"""Seconds in which a process is gone that nobody needs."""

SLEEP = "sys.stdout.write(str(os.getpid()) + '\\n'); sys.stdout.flush(); time.sleep(600)"

pytestmark = pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="finds processes under /proc")


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshServer]:
    """A server for all of these tests."""
    with running_server(tmp_path_factory.mktemp("sshd")) as running:
        yield running


@contextlib.contextmanager
def watched(
    server: SshServer, work: str, settings: Mapping[str, str], mark: str = "a-mark"
) -> Iterator[subprocess.Popen[str]]:
    """A watched process on the other machine that does this, with ssh's end of it."""
    source = bundle.watchdog_source(settings, environment.SCRUBBED, mark)
    command = parse_host_address(server.host(BARE)).command(source)
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdin is not None
        process.stdin.write(repr(f"import os, sys, time\n{work}") + "\n")
        process.stdin.flush()
        yield process
        process.kill()


def is_gone(pid: int) -> bool:
    """Whether the process ends soon."""
    deadline = time.monotonic() + SOON
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    return not Path(f"/proc/{pid}").exists()


def test_the_cpu_of_another_machine_is_asked_for(server: SshServer) -> None:
    """The interpreter there answers what one here answers; here both have the same CPU."""
    address = parse_host_address(server.host(os.environ.get("EQUIVALENCE_PYTHON", sys.executable)))
    remote, here = probe_remote_host(address), probe_host(None)
    assert (remote.machine, remote.cpu, remote.flags) == (here.machine, here.cpu, here.flags)
    assert remote.name == server.name


def test_a_host_that_cannot_be_reached(server: SshServer) -> None:
    """Ssh's own words, and the command that has to work."""
    closed = f"ssh=-oConnectTimeout=5 -p 1 {server.name}"
    with pytest.raises(UserError) as caught:
        probe_remote_host(parse_host_address(closed))
    message = str(caught.value)
    assert message.startswith(f"host {server.name}: ssh cannot reach it: ssh: connect to host 127.0.0.1 port 1: ")
    assert message.endswith(f"`ssh -oConnectTimeout=5 -p 1 {server.name} true` has to work without a question")


def test_a_host_that_does_not_know_the_key(server: SshServer) -> None:
    """It is refused; a password is not asked for."""
    words = server.words.replace(f"-i {server.folder}/key ", f"-i {server.folder}/host_key -oIdentityAgent=none ")
    with pytest.raises(UserError, match=r"ssh cannot reach it: .*Permission denied"):
        probe_remote_host(parse_host_address(f"ssh={words}"))


def test_an_interpreter_that_is_not_there(server: SshServer) -> None:
    """Where, what, and what to give instead."""
    with pytest.raises(UserError) as caught:
        probe_remote_host(parse_host_address(server.host("/no/python")))
    assert str(caught.value).startswith(f"{server.name}:/no/python is not a working Python interpreter: ")
    assert str(caught.value).endswith("; name the one that has the PyTorch to test by //python=/path")


def test_a_host_without_torch(server: SshServer) -> None:
    """What is missing is named, and where."""
    with pytest.raises(UserError) as caught:
        probe_remote_host(parse_host_address(server.host(BARE)))
    assert str(caught.value) == f"{server.name}:{BARE} has no torch and no numpy; a worker needs torch and numpy"


def test_a_shell_that_greets(tmp_path: Path) -> None:
    """Its words would stand where those of a worker are expected."""
    greeting = 'ForceCommand echo Good day; eval "$SSH_ORIGINAL_COMMAND"'
    with running_server(tmp_path, greeting) as server, pytest.raises(UserError) as caught:
        probe_remote_host(parse_host_address(server.host(sys.executable)))
    assert str(caught.value).startswith(f"host {server.name}: its shell prints 'Good day' before it runs a command")


def test_ssh_may_have_a_configuration(server: SshServer, tmp_path: Path) -> None:
    """Port, key and name are then those of the file."""
    known = f"UserKnownHostsFile {server.folder}/known_hosts\nHostKeyAlias [127.0.0.1]:{server.port}"
    login = f"HostName 127.0.0.1\nPort {server.port}\nIdentityFile {server.folder}/key\nIdentitiesOnly yes\n{known}"
    (tmp_path / "config").write_text(f"Host large\n{login}\n")
    with pytest.raises(UserError, match=r"^large:.* has no torch and no numpy"):
        probe_remote_host(parse_host_address(f"ssh=large//ssh_config={tmp_path}/config//python={BARE}"))


def test_a_host_is_named_once(server: SshServer) -> None:
    """Two of one name could not be told apart."""
    with pytest.raises(UserError, match=f"host {server.name} is named twice"):
        Executor([stand.SSE41], hosts=[server.host("python"), server.host("python3")]).start()


def test_preload_files_are_not_sent(server: SshServer) -> None:
    """One sentence says it, and what to do instead."""
    with pytest.raises(UserError, match=r"preload files are of this machine, and are not sent to .*; leave out either"):
        Executor([stand.SSE41], preload=[stand.PRELOAD], hosts=[server.host("python")]).start()


def test_the_environment_is_that_of_the_level(server: SshServer, tmp_path: Path) -> None:
    """What steers a kernel in the environment of the other machine is not inherited, and what the level sets is."""
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nONEDNN_MAX_CPU_ISA=ALL KMP_BLOCKTIME=0 KEPT=1 exec {BARE} "$@"\n')
    wrapper.chmod(0o755)
    settings = environment.variables("AVX2", "avx2", tmp_path, traced=True)
    source = bundle.watchdog_source(settings, environment.SCRUBBED, "a-mark")
    command = parse_host_address(server.host(str(wrapper))).command(source)
    line = repr("import os\nfor item in os.environ.items(): print(*item, sep='=')") + "\n"
    printed = subprocess.run(command, input=line, capture_output=True, text=True, check=True).stdout
    variables = dict(item.split("=", 1) for item in printed.splitlines())
    assert variables.items() >= {**settings, "KEPT": "1", leftovers.MARK: "a-mark"}.items()
    assert "KMP_BLOCKTIME" not in variables


@pytest.mark.parametrize(
    ("work", "code"), [("os.kill(os.getpid(), 11)", 128 + 11), ("sys.exit(3)", 3), ("sys.exit(255)", 254)]
)
def test_how_a_worker_ends_is_handed_on(server: SshServer, work: str, code: int) -> None:
    """A signal can be told, and nothing looks like a lost connection."""
    with watched(server, work, {}) as process:
        assert process.wait(SOON) == code != DISCONNECTED


def test_a_lost_connection_ends_the_worker_and_its_children(server: SshServer) -> None:
    """Nothing lives on there when the session ends, though it never looks at its connection."""
    child = "child = __import__('subprocess').Popen(['sleep', '600'], start_new_session=True)"
    with watched(server, f"{child}\nprint(child.pid, flush=True)\n{SLEEP}", {}) as process:
        assert process.stdout is not None
        child_pid, pid = (int(process.stdout.readline()) for _ in range(2))
        assert Path(f"/proc/{pid}").exists()
        assert Path(f"/proc/{child_pid}").exists()
        process.kill()
        assert is_gone(pid)
        assert is_gone(child_pid)


def test_a_session_that_the_server_ends_is_a_lost_connection(server: SshServer) -> None:
    """Ssh says so by its exit status, and the worker goes."""
    before = set(server.connections())
    with watched(server, SLEEP, {}) as process:
        assert process.stdout is not None
        pid = int(process.stdout.readline())
        (session,) = set(server.connections()) - before
        os.kill(session, 9)
        assert process.wait(SOON) == DISCONNECTED
        assert is_gone(pid)


def test_memory_is_limited_there_too(server: SshServer) -> None:
    """The limit is that of the other machine, and where memory runs out the worker goes first."""
    ask = "import resource\nprint(resource.getrlimit(resource.RLIMIT_DATA)[0], open('/proc/self/oom_score_adj').read())"
    with watched(server, ask, {}) as process:
        assert process.stdout is not None
        limit, adjustment = process.stdout.readline().split()
    assert int(limit) == environment.memory_limit()
    assert int(adjustment) == environment.LEAVES_FIRST
