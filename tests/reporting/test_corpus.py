"""The corpus that records make."""

from __future__ import annotations

from harness.core import Example
from harness.reporting import corpus_of
from harness.reporting.novelty_record import NoveltyRecord, ReachedRecord
from harness.trial import MOST_KEPT
from tests.reporting.records import operator_item, record


def reached(width: int, *ways: int, dtype: str = "float32") -> ReachedRecord:
    """An example of that width with the ways that it was the first to reach."""
    return ReachedRecord(
        example=Example("s.yaml::x", dtype, {"W": width}, {}), ways="".join(f"{way:08x}" for way in ways)
    )


def widths(*novelties: NoveltyRecord) -> list[int]:
    """The widths of what is kept of the case."""
    records = [record(operator_item(novelty=novelty)) for novelty in novelties]
    (kept,) = corpus_of(records).values()
    return [example["sizes"]["W"] for example in kept.examples]


def test_what_adds_nothing_to_the_others_is_not_kept() -> None:
    """The example that reaches the most comes first, and one whose ways others have is left out."""
    novelty = NoveltyRecord(reached=(reached(1, 1), reached(2, 1, 2, 3), reached(3, 4), reached(4, 3, 4)))
    assert widths(novelty) == [2, 3]


def test_the_same_example_in_two_items_is_one() -> None:
    """What it reaches in one dtype and in another counts together."""
    first = NoveltyRecord(reached=(reached(1, 1), reached(2, 5, 6)))
    other = NoveltyRecord(reached=(reached(1, 2, 3, dtype="float64"),))
    assert widths(first, other) == [1, 2]


def test_there_are_never_more_than_a_gate_can_run() -> None:
    """Each of them runs in every dtype of its case."""
    assert len(widths(NoveltyRecord(reached=tuple(reached(width, width) for width in range(50))))) == MOST_KEPT


def test_kernels_are_those_of_onednn() -> None:
    """ATen's have no names, and those of all items are together."""
    records = [
        record(operator_item(novelty=NoveltyRecord(kernels=kernels))) for kernels in (("ATen", "b:jit"), ("a:jit",))
    ]
    (kept,) = corpus_of(records).values()
    assert kept.kernels == ("a:jit", "b:jit")
