"""What a run was asked for: the options of pytest and of the command line end up here, checked."""

from __future__ import annotations

import difflib
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.profiles import PROFILES, Profile


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

    @property
    def replay_options(self) -> str:
        """The options with which `equivalence replay` sees the same build and kernels; a space before each."""
        python = [f"--python {self.python}"] if self.python else []
        return "".join(f" {option}" for option in [*python, *(f"--preload {path}" for path in self.preload)])


def settings(root: Path, options: Mapping[str, Any]) -> Settings:
    """Check the options by name (`profile`, `examples`, `levels`, …). Raises UserError that names the option."""
    profile = profile_named(options.get("profile") or "gate").with_examples(
        _number("examples", options.get("examples"), least=2)
    )
    seed = _number("seed", options.get("seed"), least=0)
    return Settings(
        root=root,
        profile=profile,
        seed=(secrets.randbits(32) if profile.fresh else 0) if seed is None else seed,
        levels=tuple(_names(options.get("levels"))),
        python=options.get("python") or None,
        preload=tuple(_file(root, name) for name in options.get("preload") or ()),
        budget=_number("budget", options.get("budget"), least=1),
        record=root / (options.get("record") or ".equivalence/record.json"),
        in_process=bool(options.get("in_process")),
    )


def profile_named(name: str) -> Profile:
    """The profile of that name. Raises UserError with a suggestion."""
    if name in PROFILES:
        return PROFILES[name]
    close = difflib.get_close_matches(name, PROFILES, 1)
    hint = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(PROFILES)}"
    raise UserError(f"--eq-profile: there is no profile {name!r}; {hint}")


def _number(option: str, text: str | int | None, least: int) -> int | None:
    if text is None or text == "":
        return None
    try:
        number = int(text)
    except ValueError:
        raise UserError(f"--eq-{option}: {text!r} is not a whole number") from None
    if number < least:
        raise UserError(f"--eq-{option}: {number} is less than {least}")
    return number


def _names(text: str | None) -> list[str]:
    return [name.strip() for name in (text or "").split(",") if name.strip()]


def _file(root: Path, name: str) -> Path:
    path = root / name
    if not path.is_file():
        raise UserError(f"--eq-preload: there is no file {name}")
    return path
