"""The options: one table from which come the flags, their names in ini files and their environment variables."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from harness.settings import Folders, Settings, settings

if TYPE_CHECKING:
    import pytest

PREFIX: Final = "--eq-"
SHARED: Final = "equivalence"
"""Under this name xdist's workers get what must be the same in all of them: a fresh seed, and the plan of the run."""


@dataclass(frozen=True)
class Option:
    """``--eq-<name>``, ini ``eq_<name>``, environment ``EQUIVALENCE_<NAME>``: the first that is set wins.

    `once`: to give it twice is a mistake, where of others the last one counts.
    """

    name: str
    help: str
    metavar: str = "VALUE"
    repeated: bool = False
    once: bool = False
    flag: bool = False

    @property
    def ini(self) -> str:
        """The name in an ini file."""
        return f"eq_{self.name}"


OPTIONS: Final = (
    Option("profile", "quick, gate (default), nightly or replay", "NAME"),
    Option("examples", "about this many examples for each case and dtype", "N"),
    Option("levels", "ISA levels to run, by name, separated by commas (default: those isa.yaml runs)", "A,B"),
    Option("python", "the interpreter whose PyTorch is tested (default: this one)", "PATH", once=True),
    Option(
        "against",
        "the interpreter of a build to compare with, example by example: only what is new fails. `stock`: the "
        "interpreter under test without its preload files",
        "PATH",
        once=True,
    ),
    Option(
        "preload", "a Python file that each worker runs first: a kernel library; may be repeated", "FILE", repeated=True
    ),
    Option(
        "host",
        "another machine for the levels that this CPU lacks, as pytest-xdist spells it: "
        "ssh=user@host//python=/path; may be repeated",
        "SPEC",
        repeated=True,
    ),
    Option("seed", "of the random phase (default: 0 in the gate; fresh and printed in the nightly profile)", "N"),
    Option("budget", "seconds the whole run may take; what was not reached is reported", "SECONDS"),
    Option("allow_incomplete", "exit with 0 although the time budget left items that did not begin", flag=True),
    Option("resume", "go on with a run that was ended: what its journal has is not run again", flag=True),
    Option("shard", "run one part of the items, the second of five; `equivalence merge` joins their records", "2/5"),
    Option(
        "distribute",
        "where -n is not given, share a run that is long enough among as many processes as cores and memory allow",
        flag=True,
    ),
    Option("record", "where the JSON record goes (default: .equivalence/record.json)", "FILE"),
    Option(
        "update_golden", "write to golden/ what the cases of this run give, for review; nothing is judged", flag=True
    ),
    Option(
        "rediscover",
        "say which example met each known fault first, with no reproducer run and no known crash kept from running",
        flag=True,
    ),
    Option("in_process", "run everything in this process, for a debugger: no ISA levels, no protection", flag=True),
)


def add_options(parser: pytest.Parser) -> None:
    """Register every option, as a flag and for ini files."""
    group = parser.getgroup("equivalence", "numerical equivalence of memory formats")
    for option in OPTIONS:
        flag = PREFIX + option.name.replace("_", "-")
        if option.flag:
            group.addoption(flag, action="store_true", default=None, help=option.help)
        else:
            action = "append" if option.repeated or option.once else "store"
            group.addoption(flag, action=action, default=None, metavar=option.metavar, help=option.help)
        kind: Any = "args" if option.repeated else "string"
        parser.addini(option.ini, f"{option.help} (as {flag})", type=kind, default=None)


def read_settings(config: pytest.Config) -> Settings:
    """The settings of this run. Raises UserError that names the wrong option."""
    values = {option.name: config.getoption(option.ini, default=None) for option in OPTIONS}
    ini = {option.name: config.getini(option.ini) for option in OPTIONS}
    shared = getattr(config, "workerinput", {}).get(SHARED, {})
    ini_folder = config.rootpath if config.inipath is None else config.inipath.parent
    folders = Folders(config.invocation_params.dir, ini_folder)
    return settings(config.rootpath, values | shared, ini, folders=folders)
