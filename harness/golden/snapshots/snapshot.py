"""Reading `golden/snapshots/<suite>.yaml`: snapshots, and what exactly came out of them."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.core import Case, Example
from harness.core.text_file import is_there
from harness.golden.release import EVERY_RELEASE, ReleaseRange, SeenReleases, release_mistakes, sort_releases
from harness.golden.suite_document import SuiteFileSchema, read_suite_document
from harness.suites import DeclarationError, Items, Mistake

EXAMPLE: Final = "example"
RELEASES: Final = "torch"
PER_CASE: Final = 4
"""At least as many snapshots for a case whose values can be exact, over all its dtypes."""

_EXACT: Final = frozenset({"exact", "multilinear", "selection"})
_DIGITS: Final = 16
_NUMBERS: Final = r"(?:[0-9]{1,18}(?:, [0-9]{1,18})*)?"
"""Sizes as Python writes a list of them, each of at most 64 bits."""

_NOT_A_TENSOR: Final = (EXAMPLE, RELEASES)
_RESULT: Final = re.compile(
    rf"(?P<dtype>\w+) \[(?P<shape>{_NUMBERS})\](?: strides \[(?P<strides>{_NUMBERS})\])?"
    r" sha256 (?P<sha256>[0-9a-f]{16})"
)


class SnapshotsSchema(SuiteFileSchema):
    """The whole file: case → list of examples, each with the results by tensor, and the releases they were seen in."""

    verified: Items[str]
    cases: dict[str, Items[dict[str, Any]]]


@dataclass(frozen=True)
class Digest:
    """One tensor: dtype, shape, strides in elements (None where levels differ in them), and a hash of its bytes.

    The bytes are those of the values in C order and in the dtype, little endian, with 0 for negative zero; bfloat16's
    are those of the same values in float32.
    """

    dtype: str
    shape: tuple[int, ...]
    strides: tuple[int, ...] | None
    sha256: str

    @property
    def text(self) -> str:
        """As the file has it."""
        strides = "" if self.strides is None else f" strides {list(self.strides)}"
        return f"{self.dtype} {list(self.shape)}{strides} sha256 {self.sha256}"

    @classmethod
    def parse(cls, text: str) -> Digest | None:
        """Read `text` again; None where it is no digest."""
        match = _RESULT.fullmatch(text)
        if match is None:
            return None
        strides = None if match["strides"] is None else _numbers(match["strides"])
        return cls(match["dtype"], _numbers(match["shape"]), strides, match["sha256"])


@dataclass(frozen=True)
class Snapshot:
    """A snapshot with the digest of each result; `place` is its line.

    `releases` are those of which the values are true: every one, but where one was seen to give others.
    """

    example: Example
    results: Mapping[str, Digest]
    place: int = 0
    releases: ReleaseRange = EVERY_RELEASE


@dataclass(frozen=True)
class Snapshots:
    """The snapshots of one suite by case. `file` is what messages call it, empty where there is none.

    `verified` are the releases (``2.15``) that gave dtypes, shapes and strides; the values are those of any.
    """

    file: str = ""
    verified: tuple[str, ...] = ()
    cases: Mapping[str, tuple[Snapshot, ...]] = field(default_factory=dict)

    def snapshots(self, case: str, dtype: str) -> tuple[Snapshot, ...]:
        """Those of one case, by its name, in one dtype; of one example there may be several, each for its releases."""
        return tuple(snapshot for snapshot in self.cases.get(case, ()) if snapshot.example.dtype == dtype)

    @property
    def releases(self) -> list[str]:
        """All releases in which something was observed, the oldest first."""
        bounds = (snapshot.releases.bounds for snapshots in self.cases.values() for snapshot in snapshots)
        return sort_releases({*self.verified}.union(*bounds))

    def is_verified(self, snapshot: Snapshot, release: str) -> bool:
        """Whether the snapshot was observed in that release, and not only its values are said of it."""
        return SeenReleases(snapshot.releases, self.verified).is_seen(release)


def can_be_exact(case: Case) -> bool:
    """Whether the rules of a case allow results that every order of summation gives alike.

    One with nothing in it has no results, and those of an image without a batch axis are those of a batch of one.
    """
    rules = (case.numerics, *case.numerics.each.values())
    return not (case.is_empty or case.has_unbatched_results) and all(
        {numerics.output, numerics.gradient} <= _EXACT for numerics in rules
    )


def fingerprint(raw: bytes) -> str:
    """The hash of a digest: the first 64 bits of SHA-256, in hexadecimal."""
    return hashlib.sha256(raw).hexdigest()[:_DIGITS]


def load_snapshots(path: Path, suite: str, shown: str) -> Snapshots:
    """Read the file of a suite; none has no snapshots. `shown` names it in messages.

    Raises DeclarationError with all that does not parse.
    """
    if not is_there(path):
        return Snapshots()
    schema, positions, mistakes = read_suite_document(path, shown, suite, SnapshotsSchema, "list of snapshots")
    mistakes += [Mistake(shown, *positions.at(location), text) for location, text in release_mistakes(schema.verified)]
    cases: dict[str, tuple[Snapshot, ...]] = {}
    for case, items in schema.cases.items():
        snapshots = []
        for index, item in enumerate(items):
            location = ("cases", case, index)
            snapshots.append(_snapshot(item, positions.at(location)[0]))
            mistakes += [
                Mistake(shown, *positions.at((*location, key)), text)
                for key, text in _mistakes(item, f"{suite}::{case}")
            ]
        cases[case] = tuple(snapshot for snapshot in snapshots if snapshot is not None)
    if mistakes:
        raise DeclarationError(mistakes)
    return Snapshots(shown, tuple(sort_releases(schema.verified)), cases)


def _snapshot(item: Mapping[str, Any], place: int) -> Snapshot | None:
    """The snapshot of an item that has no mistake."""
    with suppress(ValueError):
        digests = {tensor: Digest.parse(str(text)) for tensor, text in item.items() if tensor not in _NOT_A_TENSOR}
        results = {tensor: digest for tensor, digest in digests.items() if digest is not None}
        releases = ReleaseRange.parse(str(item.get(RELEASES, ""))) or EVERY_RELEASE
        return Snapshot(Example.from_json(item.get(EXAMPLE, {})), results, place, releases)
    return None


def _mistakes(item: Mapping[str, Any], case: str) -> Iterator[tuple[str, str]]:
    """The key and what is wrong with its value."""
    for tensor, text in item.items():
        if tensor == RELEASES and ReleaseRange.parse(str(text)) is None:
            yield tensor, f"{text!r} is not a range of releases such as '<=2.11' or '>=2.13,<=2.15'"
        if tensor not in _NOT_A_TENSOR and Digest.parse(str(text)) is None:
            yield tensor, f"{text!r} is not '<dtype> [<shape>] [strides [<strides>]] sha256 <16 digits>'"
    try:
        example = Example.from_json(item.get(EXAMPLE, {}))
    except ValueError as error:
        yield EXAMPLE, f"the example does not parse: {error}"
    else:
        if example.case != case:
            yield EXAMPLE, f"this is an example of {example.case}, not of {case}"


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(", ")) if text else ()
