"""Another machine in execnet's words: how it is read, and what ssh is told."""

from __future__ import annotations

import subprocess
import sys

import pytest

from harness.errors import UserError
from harness.execution.host_address import HostAddress, parse_host_address


def test_an_address_has_ssh_options_and_an_interpreter() -> None:
    """The words of ssh are options, then the destination; the interpreter may be left out, as in execnet."""
    address = parse_host_address("ssh=-p 2222 -i /k me@there//python=/opt/python//ssh_config=/c")
    assert address == HostAddress(("-p", "2222", "-i", "/k", "me@there"), "/opt/python", "/c")
    assert address.name == "me@there"
    assert address.interpreter == "me@there:/opt/python"
    assert address.login == ["ssh", "-F", "/c", "-p", "2222", "-i", "/k", "me@there"]
    assert parse_host_address("ssh=there").python == "python"


@pytest.mark.parametrize(
    "text",
    ["", "there", "popen", "ssh=", "ssh", "ssh=-p", "ssh=a//ssh=b", "ssh=a//", "ssh=a//python", "ssh=a//_x=1",
     "ssh=a//chdir=/tmp", "ssh=a//env:OMP_NUM_THREADS=4", "socket=a:1"],
)  # fmt: skip
def test_what_is_no_address_says_what_one_is_like(text: str) -> None:
    """What would be set in the worker's environment beside its level is refused too."""
    with pytest.raises(UserError) as caught:
        parse_host_address(text)
    assert str(caught.value).startswith(f"{text!r} is no host; give ssh=user@host//python=/path/to/python")


def test_the_options_of_a_person_come_first() -> None:
    """Ssh takes the first value of an option, and asks no question in a run."""
    words = parse_host_address("ssh=-oConnectTimeout=1 there//python=py").command("pass")
    assert words.index("-oConnectTimeout=1") < words.index("-oConnectTimeout=20") < words.index("there")
    assert "-oBatchMode=yes" in words


def test_the_source_passes_through_a_shell_unchanged() -> None:
    """Quotes, newlines and dollars of it are none of the shell's."""
    source = 'import sys\nsys.stdout.write(\'$HOME `x` "y" \\\\n\' + "\'")'
    remote = parse_host_address(f"ssh=there//python={sys.executable}").command(source)[-1]
    done = subprocess.run(["/bin/sh", "-c", remote], capture_output=True, text=True, check=True)
    assert done.stdout == '$HOME `x` "y" \\n\''
