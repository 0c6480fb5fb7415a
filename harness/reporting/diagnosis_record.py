"""What a record keeps of where and why an operator fails."""

from __future__ import annotations

from pydantic import Field

from harness.suites import StrictSchema
from harness.trial import Diagnosis, Variation, VariedAspect


class MismatchedElementRecord(StrictSchema):
    """One element that differs."""

    index: tuple[int, ...]
    got: str = Field(description="The number that came back, as text: JSON has no NaN")
    expected: str = Field(description="The reference rounded to the dtype, as text")
    ulps: int | None = Field(description="How many numbers of the dtype lie between; null where that says nothing")


class VariationRecord(StrictSchema):
    """The minimal example with one thing changed."""

    aspect: VariedAspect = Field(description="What was changed")
    words: str = Field(description="Into what: grad_output in channels_last")


class UndecidedRecord(VariationRecord):
    """A variation of which it is not known whether the failure stays."""

    reason: str


class DiagnosisRecord(StrictSchema):
    """What makes a failure go away. All empty where nothing was tried."""

    goes_away: tuple[VariationRecord, ...] = Field((), description="With each of these it passes")
    stays: tuple[VariationRecord, ...] = Field((), description="With each of these it fails all the same")
    undecided: tuple[UndecidedRecord, ...] = Field((), description="Not run, or said nothing, and why")


def diagnosis_record(diagnosis: Diagnosis) -> DiagnosisRecord:
    """The diagnosis as a record keeps it."""
    return DiagnosisRecord(
        goes_away=tuple(map(_variation_record, diagnosis.goes_away)),
        stays=tuple(map(_variation_record, diagnosis.stays)),
        undecided=tuple(
            UndecidedRecord(aspect=each.variation.aspect, words=each.variation.words, reason=each.reason)
            for each in diagnosis.undecided
        ),
    )


def _variation_record(variation: Variation) -> VariationRecord:
    return VariationRecord(aspect=variation.aspect, words=variation.words)
