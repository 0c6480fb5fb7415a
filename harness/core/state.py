"""What a cell, an item, a reproducer and a double backward come to: the words that are printed and recorded."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class CellState(enum.StrEnum):
    """What was said of one example in one cell. The text is what the record and the summary have."""

    PASSED = "passed"
    FAILED = "failed"
    """A property is broken there, and no known issue accepts it."""
    KNOWN_ISSUE = "known issue"
    """A known issue accepts what is broken there, or keeps the example, or a part of it, from running there."""
    UNTRUSTED = "untrusted"
    """Nothing is broken, and no check could have failed."""
    NOT_RUN = "not run"
    """No example ran there."""


class ItemStatus(enum.StrEnum):
    """What an item of pytest came to: a case in a dtype, or a model in one way to run it. The text is the record's."""

    PASSED = "passed"
    FAILED = "failed"
    KNOWN_ISSUE = "known issue"
    """What failed is accepted by known issues."""
    UNTRUSTED = "untrusted"
    """Examples ran, and no check could have failed."""
    NOT_AVAILABLE = "not available"
    """The build lacks what the item needs."""
    NOT_RUN = "not run"
    """No example ran, or the time budget ended before anything could be checked."""

    @property
    def is_checked(self) -> bool:
        """Whether at least one check of the item could have failed."""
        return self in (ItemStatus.PASSED, ItemStatus.FAILED, ItemStatus.KNOWN_ISSUE)


class ReproducerState(enum.StrEnum):
    """Whether a known issue's reproducer shows today what the entry says."""

    STILL_FAILS = "still fails"
    STALE = "stale"
    """It ran, and does not fail that way any more: the entry has to go or to be corrected."""
    OF_ANOTHER_ITEM = "of another item"
    """It is an example of another case or dtype, whose item runs it."""
    NOT_CHECKED = "not checked"
    """No cell of the entry is on this machine."""


@dataclass(frozen=True)
class ReproducerCheck:
    """What became of one reproducer in one item; `detail` says more in a few words, and may be empty.

    `ends_worker`: a stale one has at least once crashed or hung in place of what its entry says.
    """

    state: ReproducerState
    detail: str = ""
    ends_worker: bool = False

    def __str__(self) -> str:
        """As it is printed: ``stale: it passes``."""
        return f"{self.state}: {self.detail}" if self.detail else str(self.state)


class DoubleBackwardState(enum.StrEnum):
    """What the double backward of one example came to in one layout. The text is the worker's and the record's."""

    AGREES = "agrees"
    """Autograd's derivative of the gradients is that of finite differences (torch.autograd.gradgradcheck)."""
    REFUSED = "refused"
    """It is not implemented; the message is autograd's."""
    CONSTANT = "constant"
    """No gradient depends on anything, so that there is nothing to differentiate again."""
    RAISED = "raised"
    """Already the call or its gradient raises: the error oracle judges that."""
    COARSE = "coarse"
    """Something is not in float64, and finite differences tell nothing."""
    DIFFERS = "differs"
    """Autograd and finite differences disagree; the message is gradgradcheck's."""
    DIED = "died"
    """The worker ended. The harness says it, as nobody else is left to."""
    HUNG = "hung"
    """The worker outlasted its time limit. The harness says it."""
    NOT_RUN = "not run"
    """No example was asked about."""


class PlaceState(enum.StrEnum):
    """Whether one build of PyTorch has a fault at one place. The text is what the matrix of builds has."""

    FAILS = "fails"
    DOES_NOT_FAIL = "does not fail"
    NOT_AVAILABLE = "not available"
    """The build lacks the operator, the argument or the dtype: the call raises, and the fault is not that it does."""
    NOT_CHECKED = "not checked"
    """No cell of the place is on the machine, or the reproducer crashed or hung in place of what the entry says."""


@dataclass(frozen=True)
class PlaceReplay:
    """What became of the reproducer of one place of a fault in one build; `detail` says more, and may be empty."""

    state: PlaceState
    detail: str = ""
