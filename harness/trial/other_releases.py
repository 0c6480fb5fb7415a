"""Facts that golden/ says of other releases of PyTorch than the one under test: they are not compared, and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from harness.core import FactKind, KnownIssue, NotCompared
from harness.golden import DOUBLE_BACKWARD_FILE, MissingDoubleBackwards, release_of
from harness.trial.known_issues import covers_version


def known_issues_of_other_releases(
    known_issues: Iterable[KnownIssue], case: str, dtype: str, torch: str
) -> Iterator[NotCompared]:
    """The known issues of the case and dtype that this version of PyTorch is not said to have."""
    for issue in known_issues:
        if issue.is_of(case, dtype) and not covers_version(issue.torch, torch):
            reason = f"{issue.id} is of PyTorch {issue.torch}, this is {release_of(torch)}"
            yield NotCompared(FactKind.KNOWN_ISSUE, 1, reason)


def double_backward_of_other_releases(missing: MissingDoubleBackwards, case: str, torch: str) -> Iterator[NotCompared]:
    """What is said of the double backward of the case in releases that this version of PyTorch is not of."""
    release = release_of(torch)
    for releases in missing.releases(case):
        if not releases.is_seen(release):
            reason = f"{DOUBLE_BACKWARD_FILE} is of PyTorch {releases}, this is {release}"
            yield NotCompared(FactKind.DOUBLE_BACKWARD, 1, reason)
