"""Another machine and an interpreter on it, as pytest-xdist and execnet spell them: ``ssh=user@host//python=/path``."""

from __future__ import annotations

import base64
import zlib
from dataclasses import dataclass
from typing import Final

import execnet

from harness.errors import UserError

KEYS: Final = frozenset({"ssh", "ssh_config", "python"})
"""Those of execnet's keys that say where a worker runs; what is in its environment follows from its level."""

SSH_OPTIONS: Final = (
    "-oBatchMode=yes",  # a question of ssh's would wait for an answer in the middle of a run
    "-oConnectTimeout=20",
    "-oServerAliveInterval=5",  # a machine that has gone without a word is missed after 15 seconds
    "-oServerAliveCountMax=3",
    "-oControlMaster=no",  # each worker can then be ended without another's connection
)
"""What ssh is given behind the person's own options, which win: ssh takes the first value of each."""

LOST_AFTER: Final = 15.0
"""Seconds without a word after which ssh takes a connection for lost."""


@dataclass(frozen=True)
class HostAddress:
    """How a machine is reached, and the command that is the interpreter there.

    `ssh` are the words between ``ssh`` and the remote command: options, then the destination.
    """

    ssh: tuple[str, ...]
    python: str
    ssh_config: str | None = None

    @property
    def name(self) -> str:
        """The destination, such as ``user@host``."""
        return self.ssh[-1]

    @property
    def interpreter(self) -> str:
        """The interpreter as scp would spell it, such as ``user@host:/path/python``."""
        return f"{self.name}:{self.python}"

    @property
    def login(self) -> list[str]:
        """The words of the command with which a person gets there."""
        config = [] if self.ssh_config is None else ["-F", self.ssh_config]
        return ["ssh", *config, *self.ssh]

    def command(self, source: str) -> list[str]:
        """The words of a command that runs this source there, which stays what it is in any shell."""
        code = base64.urlsafe_b64encode(zlib.compress(source.encode())).decode()
        script = f"import base64,zlib;exec(zlib.decompress(base64.urlsafe_b64decode('{code}')))"
        return [*self.login[:-1], *SSH_OPTIONS, self.name, f'{self.python} -c "{script}"']


def parse_host_address(text: str) -> HostAddress:
    """The address in a text. Raises UserError for what is none, and says what one is like."""
    try:
        spec = execnet.XSpec(text)
    except (AttributeError, IndexError, ValueError):  # an empty key, one twice, one that begins with an underscore
        raise _not_an_address(text) from None
    keys = {key: value for key, value in vars(spec).items() if not key.startswith("_") and (key != "env" or value)}
    ssh, python = str(keys.get("ssh", "")).split(), keys.get("python", "python")
    is_text = all(isinstance(value, str) and value for value in keys.values())
    if not (keys.keys() <= KEYS and is_text and ssh) or ssh[-1].startswith("-"):
        raise _not_an_address(text)
    return HostAddress(tuple(ssh), python, keys.get("ssh_config"))


def _not_an_address(text: str) -> UserError:
    return UserError(
        f"{text!r} is no host; give ssh=user@host//python=/path/to/python, options of ssh before its name "
        "(ssh=-p 2222 -i /path/to/key user@host) or in a file of ssh's (//ssh_config=/path)"
    )
