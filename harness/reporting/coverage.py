"""What the suites reach, read from the record of a run, against what they should."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness.errors import UserError
from harness.reporting.record import SCHEMA
from harness.reporting.templating import TEMPLATES

CHECKED = ("passed", "known issue", "failed")
"""What an item came to when at least one of its checks could have failed."""


@dataclass(frozen=True)
class Share:
    """How much of one published list of operators ran. `missing` are the list's own names."""

    name: str
    about: str
    link: str
    total: int
    missing: tuple[str, ...]

    @property
    def percent(self) -> float:
        """100 only where nothing is missing."""
        return 100.0 * (self.total - len(self.missing)) / self.total


@dataclass(frozen=True)
class Functions:
    """What the functions of torch.nn.functional in the build under test come to.

    `cases` names the cases of those that are covered, `unchecked` the cases of those that no item of the record
    checked, `reasons` why others have no case; `missing` are in neither. `unknown` are named in the file and not in
    the build, `needless` have a reason and a case.
    """

    cases: Mapping[str, tuple[str, ...]]
    unchecked: Mapping[str, tuple[str, ...]]
    reasons: Mapping[str, str]
    missing: tuple[str, ...]
    unknown: tuple[str, ...]
    needless: tuple[str, ...]


@dataclass(frozen=True)
class Coverage:
    """The whole of it. `operators` counts the items that reached each; `absent` are items the record lacks."""

    record: str
    torch: str
    items: int
    absent: tuple[str, ...]
    operators: Mapping[str, int]
    shares: tuple[Share, ...]
    functions: Functions
    notes: tuple[str, ...] = field(default=())

    @property
    def complete(self) -> bool:
        """Whether every listed operator ran, and every function has a case that was checked, or a reason."""
        functions = self.functions
        return not any(share.missing for share in self.shares) and not functions.missing and not functions.unchecked

    def text(self) -> str:
        """For a terminal."""
        return TEMPLATES.get_template("coverage.txt").render(coverage=self, functions=self.functions)


def read_record(path: Path) -> dict[str, Any]:
    """The document of a record. Raises UserError where there is none, and for one of another schema."""
    how = "run the whole gate (`pytest suites`, or `tox -e equivalence`), or name its record with --record"
    try:
        data = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise UserError(f"there is no record {path}; {how}") from None
    except (OSError, ValueError) as error:
        raise UserError(f"the record {path} cannot be read: {error}; {how}") from None
    if not isinstance(data, dict) or data.get("schema") != SCHEMA:
        found = data.get("schema") if isinstance(data, dict) else None
        raise UserError(f"{path} is no record of schema {SCHEMA} (its schema: {found!r}); {how}")
    # models reach operators too, and not as cases of them
    data["items"] = {name: item for name, item in data["items"].items() if "case" in item}
    if not data["items"]:
        raise UserError(f"the record {path} holds no item; {how}")
    return data


def operators_reached(items: Mapping[str, Any]) -> Counter[str]:
    """Operator → the number of items that reached it."""
    return Counter(name for item in items.values() for name in item["operators"] if name.startswith("aten::"))


def share(name: str, listed: Any, reached: Collection[str]) -> Share:
    """One list (with `about`, `link` and `operators()`) against what ran."""
    wanted: Mapping[str, str] = listed.operators()
    missing = tuple(given for given, operator in wanted.items() if operator not in reached)
    return Share(name, listed.about, listed.link, len(wanted), missing)


def judge_functions(
    offered: Collection[str],
    cases: Mapping[str, Iterable[str]],
    reasons: Mapping[str, str],
    items: Mapping[str, Any],
    named: Collection[str] = (),
) -> Functions:
    """The functions that the build offers, with the `cases` that call each and the `reasons` of those without.

    A case counts as covering where at least one of its items was checked. `named` are names that a person wrote, which
    may be wrong as those with reasons may.
    """
    checked = {item["case"] for item in items.values() if item["status"] in CHECKED}
    called = {name: tuple(sorted(cases[name])) for name in sorted(offered) if cases.get(name)}
    return Functions(
        cases={name: ran for name, of in called.items() if (ran := tuple(one for one in of if one in checked))},
        unchecked={name: of for name, of in called.items() if not checked.intersection(of)},
        reasons={name: reasons[name] for name in sorted(offered) if name in reasons and name not in called},
        missing=tuple(name for name in sorted(offered) if name not in called and name not in reasons),
        unknown=tuple(sorted({*named, *reasons} - set(offered))),
        needless=tuple(name for name in called if name in reasons),
    )
