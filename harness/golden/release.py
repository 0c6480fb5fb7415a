"""Releases of PyTorch: which of them golden data is of, and how a range of them is spelled."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final, TypeVar

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

Fact = TypeVar("Fact")

_RELEASE: Final = re.compile(r"[0-9]{1,4}\.[0-9]{1,4}")


def release_of(version: str) -> str:
    """Major and minor number: ``2.15`` of ``2.15.0+cpu`` and of ``2.15.0a0+git1d2c3b``.

    Within a release formats do not change on purpose; between two they may, and that is no fault.
    """
    match = _RELEASE.match(version)
    return match[0] if match else version


def is_release(text: str) -> bool:
    """Whether the text is a release as `release_of` gives it."""
    return _RELEASE.fullmatch(text) is not None


def release_mistakes(releases: Sequence[str]) -> Iterator[tuple[tuple[str, int], str]]:
    """Where in the `verified` of a file stands what is no release, and what to say of it."""
    for index, release in enumerate(releases):
        if not is_release(release):
            yield ("verified", index), f"{release!r} is not a release of PyTorch such as '2.15'"


def sort_releases(releases: Iterable[str]) -> list[str]:
    """Each release once, the oldest first."""
    return sorted(set(releases), key=Version)


@dataclass(frozen=True)
class ReleaseRange:
    """The releases of which a fact is true, as a PEP 440 specifier over releases: ``<=2.11``. Empty: every release.

    The bounds are inclusive and are releases of which the fact was observed, so that between two ranges lie those that
    nobody has looked at.
    """

    specifier: str = ""

    def covers(self, release: str) -> bool:
        """Whether the release is among them; one that is no version is in the empty range only."""
        if not self.specifier:
            return True
        try:
            return SpecifierSet(self.specifier, prereleases=True).contains(Version(release))
        except InvalidVersion:
            return False

    @property
    def bounds(self) -> frozenset[str]:
        """The releases that the specifier names."""
        return frozenset(_RELEASE.findall(self.specifier))

    @property
    def is_open_below(self) -> bool:
        """Whether every release before the last of them is among them."""
        return not {">=", "=="} & self._operators

    @property
    def is_open_above(self) -> bool:
        """Whether every release after the first of them is among them."""
        return not {"<=", "=="} & self._operators

    @property
    def _operators(self) -> set[str]:
        return {each.operator for each in SpecifierSet(self.specifier)}

    @classmethod
    def parse(cls, text: str) -> ReleaseRange | None:
        """The range of that text; None where it is no specifier of ``==``, ``>=`` and ``<=`` over releases."""
        try:
            specifiers = [*SpecifierSet(text)]
        except InvalidSpecifier:
            return None
        known = all(each.operator in ("==", ">=", "<=") and is_release(each.version) for each in specifiers)
        return cls(text) if known else None


EVERY_RELEASE: Final = ReleaseRange()


@dataclass(frozen=True)
class SeenReleases:
    """The releases in which a fact was seen: those of its range that are verified or that the range names itself."""

    range: ReleaseRange
    verified: tuple[str, ...]

    def is_seen(self, release: str) -> bool:
        """Whether the fact was seen in that release."""
        return self.range.covers(release) and release in {*self.verified, *self.range.bounds}

    def __str__(self) -> str:
        """As messages say it: the range, or the verified releases where there is none."""
        return self.range.specifier or ", ".join(self.verified)


def split_ranges(
    observed: Mapping[str, Fact], *, is_open_below: bool = True, is_open_above: bool = True
) -> Iterator[tuple[ReleaseRange, Fact]]:
    """The fewest ranges over what was observed by release, the oldest first.

    The first and the last are open: a fact is taken to hold until a release shows another. They are not where one did
    whose own answer is not written down.
    """
    releases = sort_releases(observed)
    runs = [[*run] for _, run in groupby(releases, key=lambda release: observed[release])]
    for run in runs:
        has_lower, has_upper = run is not runs[0] or not is_open_below, run is not runs[-1] or not is_open_above
        yield _range_of_run(run, has_lower=has_lower, has_upper=has_upper), observed[run[0]]


def _range_of_run(run: Sequence[str], *, has_lower: bool, has_upper: bool) -> ReleaseRange:
    if has_lower and has_upper and len(run) == 1:
        return ReleaseRange(f"=={run[0]}")
    return ReleaseRange(",".join([f">={run[0]}"] * has_lower + [f"<={run[-1]}"] * has_upper))
