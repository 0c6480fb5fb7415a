"""A real sshd on the loopback address, for the tests of other machines: its own port, keys and configuration."""

from __future__ import annotations

import getpass
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from harness.settings import under_ci

CONFIGURATION: Final = """\
Port {port}
ListenAddress 127.0.0.1
HostKey {folder}/host_key
PidFile {folder}/sshd.pid
AuthorizedKeysFile {folder}/key.pub
PermitRootLogin prohibit-password
PasswordAuthentication no
KbdInteractiveAuthentication no
StrictModes no
UsePAM no
MaxStartups 100
"""

STARTING_TIME: Final = 20.0
"""Seconds for a server to listen."""


@dataclass(frozen=True)
class SshServer:
    """A server that runs. `pid` is its id; each of its connections is a child of it."""

    folder: Path
    port: int
    pid: int

    @property
    def name(self) -> str:
        """The destination."""
        return f"{getpass.getuser()}@127.0.0.1"

    @property
    def words(self) -> str:
        """What ssh needs to know to get there."""
        known = f"-oUserKnownHostsFile={self.folder}/known_hosts -oIdentitiesOnly=yes"
        return f"-p {self.port} -i {self.folder}/key {known} {self.name}"

    def host(self, python: str) -> str:
        """The value of ``--eq-host``."""
        return f"ssh={self.words}//python={python}"

    def end_connections(self) -> None:
        """End each of its connections, by its id."""
        for pid in self.connections():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def connections(self) -> list[int]:
        """The processes of its connections."""
        return [int(pid) for pid in Path(f"/proc/{self.pid}/task/{self.pid}/children").read_text().split()]


def sshd_path() -> str:
    """Where sshd is. Where there is none a test is skipped, and under CI it fails."""
    path = shutil.which("sshd", path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", "/usr/local/sbin"]))
    if path is None or shutil.which("ssh") is None:
        no_server = "no sshd on PATH: `apt-get install openssh-server`"
        if under_ci():
            pytest.fail(no_server)
        pytest.skip(no_server)
    return path


def write_server(folder: Path, *lines: str) -> int:
    """Write the keys and the configuration of a server into a folder, with these lines beside; its port."""
    sshd_path()
    for name in ("host_key", "key"):
        line = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)]
        subprocess.run(line, check=True, capture_output=True)
    port = _free_port()
    (folder / "known_hosts").write_text(f"[127.0.0.1]:{port} {(folder / 'host_key.pub').read_text()}")
    (folder / "sshd_config").write_text("\n".join([CONFIGURATION.format(port=port, folder=folder), *lines]))
    return port


@contextmanager
def listening_server(folder: Path, port: int) -> Iterator[SshServer]:
    """Start the server that was written into a folder, and end it with all of its connections."""
    if os.geteuid() == 0:  # the one folder that it has to have where it has privileges to give away
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    line = [sshd_path(), "-D", "-e", "-f", str(folder / "sshd_config")]
    with (folder / "log").open("w") as log:
        process = subprocess.Popen(line, stderr=log)
    server = SshServer(folder, port, process.pid)
    try:
        _wait_until_it_listens(server, process)
        yield server
    finally:
        if process.poll() is None:
            server.end_connections()
        process.terminate()
        process.wait()


@contextmanager
def running_server(folder: Path, *lines: str) -> Iterator[SshServer]:
    """A new server whose files are in `folder`; `lines` are put to its configuration."""
    with listening_server(folder, write_server(folder, *lines)) as server:
        yield server


def last_descendant(pid: int) -> int:
    """The process at the end of a chain of only children, such as a worker behind its connection."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return last_descendant(int(children[0])) if children else pid


def python_without(folder: Path, flag: str) -> str:
    """The interpreter under test, in which this machine seems to have a CPU without that flag.

    The machine behind the loopback address is this one, so nothing would be lacking here that is there.
    """
    real = os.environ.get("EQUIVALENCE_PYTHON") or sys.executable
    answer = f"""*equivalence-probe*) "{real}" "$@" | sed 's/"{flag}", //' ;;"""
    python = folder / f"python-without-{flag}"
    python.write_text(f'#!/bin/sh\ncase "$2" in {answer} *) exec "{real}" "$@" ;; esac\n')
    python.chmod(0o755)
    return str(python)


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until_it_listens(server: SshServer, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTING_TIME
    while time.monotonic() < deadline and process.poll() is None:
        with socket.socket() as connection:
            if connection.connect_ex(("127.0.0.1", server.port)) == 0:
                return
        time.sleep(0.05)
    pytest.fail(f"sshd does not listen: {(server.folder / 'log').read_text()}")
