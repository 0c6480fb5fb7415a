"""What an item reached, as a record keeps it: from the records of nights the corpus is made."""

from __future__ import annotations

import zlib

from pydantic import Field

from harness.reporting.example_record import OperatorExample
from harness.suites import StrictSchema
from harness.trial import Novelty


class ReachedRecord(StrictSchema):
    """An example that reached something new."""

    example: OperatorExample
    ways: str = Field(
        pattern="^([0-9a-f]{8})*$",
        description="What was new: CRC-32 of the words for each kernel and the state it was in, in eight digits",
    )


class NoveltyRecord(StrictSchema):
    """What the examples of an item reached, and how much of it was new to the end."""

    kernels: tuple[str, ...] = Field((), description="oneDNN's implementations with their direction, or ATen")
    corpus_kernels: tuple[str, ...] = Field((), description="Those that golden/corpus has of the case, in any dtype")
    ways: int = Field(0, description="How many kernels in how many states of sizes, formats and tensors")
    recent: int = Field(0, description="The last examples, 100 at most")
    recently_new: int = Field(0, description="How many of these reached something new")
    reached: tuple[ReachedRecord, ...] = Field(
        (), description="Of a night, the examples that were the first to reach something, those that reached the most"
    )


def novelty_record(novelty: Novelty) -> NoveltyRecord:
    """What a trial reached as a record keeps it."""
    return NoveltyRecord(
        kernels=novelty.kernels,
        corpus_kernels=novelty.corpus_kernels,
        ways=novelty.ways,
        recent=novelty.recent,
        recently_new=novelty.recently_new,
        reached=tuple(
            ReachedRecord(example=each.example, ways="".join(sorted(map(_digest, each.ways))))
            for each in novelty.reached
        ),
    )


def _digest(way: str) -> str:
    return f"{zlib.crc32(way.encode()):08x}"
