"""What a run was asked for: the options of pytest and of the command line end up here, checked."""

from __future__ import annotations

import os
import secrets
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from harness.errors import UserError, did_you_mean
from harness.profiles import PROFILES, Profile

_FLAGS: Final = {
    "1": True,
    "true": True,
    "yes": True,
    "on": True,
    "0": False,
    "false": False,
    "no": False,
    "off": False,
}


NOT_UNDER_CI: Final = "not under CI: what nobody has reviewed is not golden; run it by hand, review, commit"


def under_ci() -> bool:
    """Whether a machine runs this, where nothing may be written to golden/."""
    return _FLAGS.get((os.environ.get("CI") or "0").lower(), True)


@dataclass(frozen=True)
class Settings:
    """One run. `levels` empty: the defaults of `isa.yaml`; `budget` in seconds, None: no limit."""

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

    @property
    def replay_options(self) -> str:
        """The options with which `equivalence replay` sees the same build and kernels; a space before each."""
        options = [("--python", self.python), ("--levels", ",".join(self.levels))]
        options += [("--preload", str(path)) for path in self.preload]
        return "".join(f" {name} {shlex.quote(value)}" for name, value in options if value)


@dataclass(frozen=True)
class _Given:
    """What was given for one option, and where, for messages: ``--eq-seed``, ``EQUIVALENCE_SEED``, ``eq_seed``."""

    value: Any
    source: str

    def wrong(self, message: str) -> UserError:
        """The error that names the source."""
        return UserError(f"{self.source}: {message}")

    def number(self, least: int) -> int | None:
        """A whole number, None where nothing was given. Raises UserError for anything else, and below `least`."""
        if self.value is None:
            return None
        try:
            number = int(self.value)
        except ValueError:
            raise self.wrong(f"{self.value!r} is not a whole number") from None
        if number < least:
            raise self.wrong(f"{number} is less than {least}")
        return number

    def names(self) -> tuple[str, ...]:
        """Names between commas, each once. Raises UserError for a text that holds none."""
        found = tuple(dict.fromkeys(name.strip() for name in (self.value or "").split(",") if name.strip()))
        if self.value and not found:
            raise self.wrong(f"{self.value!r} names nothing; give names separated by commas")
        return found

    def files(self, root: Path) -> tuple[Path, ...]:
        """Files relative to `root`; a text has several as in ``PATH``. Raises UserError for one that is not there."""
        names = self.value.split(os.pathsep) if isinstance(self.value, str) else self.value or ()
        for name in names:
            if not (root / name).is_file():
                raise self.wrong(f"there is no file {name}")
        return tuple(root / name for name in names)

    def flag(self) -> bool:
        """True or false, in the words of ini files and environments. Raises UserError for any other word."""
        if isinstance(self.value, str) and self.value.lower() not in _FLAGS:
            raise self.wrong(f"{self.value!r} is neither true nor false")
        return _FLAGS[self.value.lower()] if isinstance(self.value, str) else bool(self.value)

    def by_a_person(self) -> bool:
        """A flag that a machine may not set. Raises UserError under CI."""
        wanted = self.flag()
        if wanted and under_ci():
            raise self.wrong(NOT_UNDER_CI)
        return wanted

    def profile(self) -> Profile:
        """The profile of that name, else the gate. Raises UserError, with the closest name, where there is none."""
        name = self.value or "gate"
        if name not in PROFILES:
            hint = did_you_mean(name, PROFILES) or f"; there are {', '.join(PROFILES)}"
            raise self.wrong(f"there is no profile {name!r}{hint}")
        return PROFILES[name]

    def target(self, root: Path) -> Path:
        """The file to write, relative to `root`. Raises UserError for a directory."""
        path = root / (self.value or ".equivalence/record.json")
        if path.is_dir():
            raise self.wrong(f"{self.value} is a directory; give the name of a file")
        return path


def settings(
    root: Path, options: Mapping[str, Any], ini: Mapping[str, Any] | None = None, prefix: str = "--eq-"
) -> Settings:
    """Check the options by name (`profile`, `examples`, `levels`, …). Raises UserError that names the option.

    An option that is not given is taken from the environment (``EQUIVALENCE_SEED``), then from `ini` (``eq_seed``).
    `prefix` is that of the flags, for messages. Several files in one text are separated as in ``PATH``.
    """

    def given(name: str) -> _Given:
        """What was given for one option."""
        return _first(name, options, ini or {}, prefix)

    profile = given("profile").profile().with_examples(given("examples").number(least=2))
    seed = given("seed").number(least=0)
    return Settings(
        root=root,
        profile=profile,
        seed=(secrets.randbits(32) if profile.fresh else 0) if seed is None else seed,
        levels=given("levels").names(),
        python=given("python").value,
        preload=given("preload").files(root),
        budget=given("budget").number(least=1),
        record=given("record").target(root),
        in_process=given("in_process").flag(),
        update_golden=given("update_golden").by_a_person(),
    )


def _first(name: str, options: Mapping[str, Any], ini: Mapping[str, Any], prefix: str) -> _Given:
    variable = f"EQUIVALENCE_{name.upper()}"
    places = (
        (options.get(name), prefix + name.replace("_", "-")),
        (os.environ.get(variable), variable),
        (ini.get(name), f"eq_{name} in the ini file"),
    )
    return next((_Given(value, source) for value, source in places if value not in (None, "", [])), _Given(None, ""))
