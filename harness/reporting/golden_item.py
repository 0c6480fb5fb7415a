"""The item of a record that compares golden/ with a suite: whether the two have the same cases."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import Field

from harness.core import ItemStatus
from harness.reporting.item_id import SuitePath
from harness.suites import StrictSchema


class GoldenItemRecord(StrictSchema):
    """Whether golden/ has the cases of one suite, and no others. Their facts are in the items of the cases."""

    suite: SuitePath = Field(description="The suite file")
    status: ItemStatus
    misfits: tuple[str, ...] = Field(description="A sentence for each case that is missing or unknown")
    seconds: float

    @property
    def name(self) -> str:
        """What pytest calls the item."""
        return "golden"

    @property
    def examples(self) -> Mapping[str, int]:
        """None: it compares two lists."""
        return {}

    @property
    def hits(self) -> Mapping[str, Mapping[str, int]]:
        """None: no kernel runs."""
        return {}

    @property
    def ratios(self) -> Mapping[str, float]:
        """None: there is no tensor in it."""
        return {}

    @property
    def lost_levels(self) -> tuple[str, ...]:
        """None: it runs at no level."""
        return ()

    @property
    def complete(self) -> bool:
        """True: no time budget ends it."""
        return True
