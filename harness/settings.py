"""What a run was asked for: the options of pytest and of the command line end up here, checked."""

from __future__ import annotations

import os
import re
import secrets
import shlex
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.errors import UserError, did_you_mean
from harness.profiles import PROFILES, Profile

_FLAG_WORDS: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


STOCK: Final = "stock"
"""In place of an interpreter to compare with: the one under test, without its preload files."""

NOT_UNDER_CI: Final = "not under CI: what nobody has reviewed is not golden; run it by hand, review, commit"


INCOMPLETE: Final = 6
"""Exit code where nothing has failed, and items did not begin for want of time, or are missing; pytest has 0 to 5."""


def under_ci() -> bool:
    """Whether a machine runs this, where nothing may be written to golden/."""
    return _FLAG_WORDS.get((os.environ.get("CI") or "0").lower(), True)


@dataclass(frozen=True)
class Shard:
    """One of `count` parts of a run; `index` is from 1."""

    index: int
    count: int


@dataclass(frozen=True)
class Settings:
    """One run. `levels` empty: the defaults of `isa.yaml`; `budget` in seconds, None: no limit.

    `seed_is_fresh`: nobody has named the seed, and the next run would have another one. `shard` None: all of the run.
    `against` is the interpreter of a build that the one under test is compared with, `STOCK`, or None. `hosts` are
    other machines, in execnet's words, on which levels run that are lacking here. `rediscover`: the examples are to
    meet by themselves what is known. `distribute`: the run takes as many processes as the machine has room for, where
    nobody says how many.
    """

    root: Path
    profile: Profile
    seed: int
    levels: tuple[str, ...] = ()
    python: str | None = None
    preload: tuple[Path, ...] = ()
    budget: float | None = None
    record: Path = Path(".equivalence/record.json")
    in_process: bool = False
    update_golden: bool = False
    seed_is_fresh: bool = False
    resume: bool = False
    shard: Shard | None = None
    allow_incomplete: bool = False
    against: str | None = None
    hosts: tuple[str, ...] = ()
    rediscover: bool = False
    distribute: bool = False

    @property
    def baseline_python(self) -> str | None:
        """The interpreter of the build that the one under test is compared with; None is this one."""
        return self.python if self.against == STOCK else self.against

    def check_against(self) -> None:
        """Raise UserError where two builds are asked for and there is nothing to compare."""
        if self.against is None:
            return
        for name, is_set in (("in-process", self.in_process), ("update-golden", self.update_golden)):
            if is_set:
                raise UserError(f"--eq-against compares two builds in workers; leave out --eq-{name}")
        if self.preload:
            return
        interpreters = {Path(path or sys.executable).absolute() for path in (self.python, self.baseline_python)}
        if len(interpreters) == 1:
            raise UserError(
                "--eq-against: both builds are the same interpreter; name another one, or give --eq-preload, "
                "which is loaded in the build under test alone"
            )

    @property
    def _other_than_gate(self) -> list[str]:
        """The options that are set by which something else is run than the gate, in processes of this machine."""
        others = {
            "in-process": self.in_process,
            "update-golden": self.update_golden,
            "against": self.against is not None,
        }
        return [name for name, is_set in others.items() if is_set]

    def check_what_is_for_a_gate(self) -> None:
        """Raise UserError for other machines, and for rediscovery, where something else is run than the gate."""
        for name in self._other_than_gate:
            if self.hosts:
                raise UserError(
                    f"--eq-host: with --eq-{name} everything runs on this machine; leave one of the two out"
                )
            if self.rediscover:
                what = f"--eq-{name} runs something else than the gate"
                raise UserError(f"--eq-rediscover: {what}; leave one of the two out")

    @property
    def replay_options(self) -> str:
        """The options with which `equivalence replay` sees the same build and kernels; a space before each."""
        options = [("--python", self.python), ("--levels", ",".join(self.levels))]
        options += [("--preload", str(path)) for path in self.preload]
        options += [("--host", host) for host in self.hosts]
        return "".join(f" {name} {shlex.quote(value)}" for name, value in options if value)


@dataclass(frozen=True)
class Folders:
    """What relative paths are relative to: those of a person to where he stands, those of an ini file to its folder."""

    invocation: Path
    ini: Path


@dataclass(frozen=True)
class _Option:
    """The value of one option, and where it comes from.

    `source` is for messages (``--eq-seed``, ``EQUIVALENCE_SEED``), `folder` is what relative paths are relative to.
    """

    value: Any
    source: str
    folder: Path

    def error(self, message: str) -> UserError:
        """The error that names the source."""
        return UserError(f"{self.source}: {message}")

    def number(self, least: int) -> int | None:
        """A whole number, None where the option has no value. Raises UserError for anything else, and below `least`."""
        if self.value is None:
            return None
        try:
            number = int(self.value)
        except ValueError:
            raise self.error(f"{self.value!r} is not a whole number") from None
        if number < least:
            raise self.error(f"{number} is less than {least}")
        return number

    def names(self) -> tuple[str, ...]:
        """Names between commas, each once. Raises UserError for a text that holds none."""
        names = tuple(dict.fromkeys(name.strip() for name in (self.value or "").split(",") if name.strip()))
        if self.value and not names:
            raise self.error(f"{self.value!r} names nothing; give names separated by commas")
        return names

    def files(self) -> tuple[Path, ...]:
        """Files; a text has several as in ``PATH``. Raises UserError for one that is not there."""
        names = self.value.split(os.pathsep) if isinstance(self.value, str) else self.value or ()
        for name in names:
            if not (self.folder / name).is_file():
                raise self.error(f"there is no file {name}")
        return tuple(self.folder / name for name in names)

    def lines(self) -> tuple[str, ...]:
        """Texts, of which one text has each on a line of its own."""
        texts = self.value.splitlines() if isinstance(self.value, str) else self.value or ()
        return tuple(text.strip() for text in texts if text.strip())

    def once(self, why: str) -> str | None:
        """A text that may be given once. Raises UserError, which says why, where there are several."""
        if not isinstance(self.value, list):
            return None if self.value is None else str(self.value)
        if len(self.value) > 1:
            raise self.error(f"given {len(self.value)} times; {why}")
        return str(self.value[0])

    def flag(self) -> bool:
        """True or false, in the words of ini files and environments. Raises UserError for any other word."""
        if isinstance(self.value, str) and self.value.lower() not in _FLAG_WORDS:
            raise self.error(f"{self.value!r} is neither true nor false")
        return _FLAG_WORDS[self.value.lower()] if isinstance(self.value, str) else bool(self.value)

    def flag_by_hand(self) -> bool:
        """A flag that a machine may not set. Raises UserError under CI."""
        is_set = self.flag()
        if is_set and under_ci():
            raise self.error(NOT_UNDER_CI)
        return is_set

    def shard(self) -> Shard | None:
        """A part of a run, such as ``2/5``. Raises UserError for anything else."""
        if self.value is None:
            return None
        parts = re.fullmatch(r"([1-9][0-9]{0,5})/([1-9][0-9]{0,5})", self.value)
        if parts is None or int(parts[1]) > int(parts[2]):
            raise self.error(f"{self.value!r} is no part of a run; the second of five is 2/5")
        return Shard(int(parts[1]), int(parts[2]))

    def profile(self) -> Profile:
        """The profile of that name, else the gate. Raises UserError, with the closest name, where there is none."""
        name = self.value or "gate"
        if name not in PROFILES:
            hint = did_you_mean(name, PROFILES) or f"; there are {', '.join(PROFILES)}"
            raise self.error(f"there is no profile {name!r}{hint}")
        return PROFILES[name]

    def target(self, default: Path) -> Path:
        """The file to write. Raises UserError for a directory."""
        path = self.folder / self.value if self.value else default
        if path.is_dir():
            raise self.error(f"{self.value} is a directory; give the name of a file")
        return path


def settings(
    root: Path,
    options: Mapping[str, Any],
    ini: Mapping[str, Any] | None = None,
    prefix: str = "--eq-",
    folders: Folders | None = None,
) -> Settings:
    """Check the options by name (`profile`, `examples`, `levels`, …). Raises UserError that names the option.

    An option that is not given is taken from the environment (``EQUIVALENCE_SEED``), then from `ini` (``eq_seed``).
    `prefix` is that of the flags, for messages. Several files in one text are separated as in ``PATH``. Without
    `folders` all relative paths are relative to `root`.
    """

    def option(name: str) -> _Option:
        """One option, from the first place that has it."""
        return _first_set(name, options, ini or {}, prefix, folders or Folders(root, root))

    profile = option("profile").profile().with_examples(option("examples").number(least=2))
    seed = option("seed").number(least=0)
    chosen = Settings(
        root=root,
        profile=profile,
        seed=(secrets.randbits(32) if profile.fresh else 0) if seed is None else seed,
        levels=option("levels").names(),
        python=option("python").once("a run tests one build, and compares it with another by --eq-against"),
        preload=option("preload").files(),
        budget=option("budget").number(least=1),
        record=option("record").target(root / ".equivalence/record.json"),
        in_process=option("in_process").flag(),
        update_golden=option("update_golden").flag_by_hand(),
        seed_is_fresh=profile.fresh and seed is None,
        resume=option("resume").flag(),
        shard=option("shard").shard(),
        allow_incomplete=option("allow_incomplete").flag(),
        against=option("against").once("a run compares with one build"),
        hosts=option("host").lines(),
        rediscover=option("rediscover").flag(),
        distribute=option("distribute").flag(),
    )
    chosen.check_against()
    chosen.check_what_is_for_a_gate()
    return chosen


def _first_set(name: str, options: Mapping[str, Any], ini: Mapping[str, Any], prefix: str, folders: Folders) -> _Option:
    variable = f"EQUIVALENCE_{name.upper()}"
    places = (
        _Option(options.get(name), prefix + name.replace("_", "-"), folders.invocation),
        _Option(os.environ.get(variable), variable, folders.invocation),
        _Option(ini.get(name), f"eq_{name} in the ini file", folders.ini),
    )
    present = (option for option in places if option.value not in (None, "", []))
    return next(present, _Option(None, "", folders.invocation))
