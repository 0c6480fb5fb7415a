"""The page of a failure, as it is printed."""

from __future__ import annotations

import pytest
from syrupy.assertion import SnapshotAssertion

from harness.core import CellState, Example, Finding, MismatchedElement, Pattern, PatternKind
from harness.reporting import failure_text
from harness.reporting.failure import cell_table, diagnosis_lines
from harness.trial import CellRow, Diagnosis, Failure, Outcome, Undecided, Variation, VariedAspect
from tests.reporting.records import CASE

SIZES = {"N": 1, "C": 17, "kernel": (1, 1), "H": 1, "W": 2}
EXAMPLE = Example(CASE, "bfloat16", SIZES, {"input": "channels_last", "grad_output": "contiguous"})
MESSAGE = "output[0] differs from the float64 reference in 2 of 34 elements, worst 163 times the bound"
DIAGNOSIS = Diagnosis(
    goes_away=(
        Variation(VariedAspect.LEVEL, "sse41"),
        Variation(VariedAspect.LEVEL, "avx512_core"),
        Variation(VariedAspect.FORMAT, "input in contiguous"),
        Variation(VariedAspect.ONEDNN, "oneDNN off"),
    ),
    stays=(
        Variation(VariedAspect.FORMAT, "grad_output in channels_last"),
        Variation(VariedAspect.POISON, "unpoisoned memory"),
    ),
    undecided=(
        Undecided(Variation(VariedAspect.DTYPE, "float32"), "known issue column accepts it"),
        Undecided(Variation(VariedAspect.LEVEL, "avx2_vnni"), "it is not run there"),
    ),
)
VALUES = Failure(
    Finding("values", "output[0]", "layout", {"avx2": 163.0}, ("drawn",), MESSAGE, "channel 16 of 17"),
    EXAMPLE,
    EXAMPLE.but(seed=9),
    (
        CellRow("sse41", CellState.PASSED, 0.25, ()),
        CellRow("avx2", CellState.FAILED, 163.0, ("pooling:jit:avx2",)),
        CellRow("avx512_core", CellState.PASSED, 0.0, ("pooling:jit:avx512_core",)),
    ),
    "again in a fresh worker",
    "pytorch#1: a tail of channels",
    Pattern(
        "channels 16 to 30 of 31, after the last full block of 16: each too large by 1 (with C = 31)",
        (PatternKind.CHANNEL_BLOCK, PatternKind.OFFSET),
    ),
    (
        MismatchedElement((0, 16, 0, 0), "1.734375", "0.73046875", 163),
        MismatchedElement((0, 16, 0, 1), "nan", "0.73046875"),
    ),
    DIAGNOSIS,
)
CRASH = Failure(
    Finding("crash", "", "crash", {"sse41": 1.0}, ("drawn", "contiguous"), "the worker died of SIGSEGV"),
    EXAMPLE.but(threads=2),
    EXAMPLE,
    (CellRow("sse41", CellState.FAILED, 1.0, ()),),
    "again in a fresh worker",
)


def test_the_page_of_a_failure(snapshot: SnapshotAssertion) -> None:
    """The sentence, where, the example, the elements, the cells, what makes it go away, and how to run it again."""
    outcome = Outcome(CASE, "bfloat16", failures=[VALUES, CRASH], notes=["a note"])
    assert failure_text(outcome, " --preload mine.py") == snapshot


def test_nothing_that_was_tried_is_said_as_such() -> None:
    """Where every variation stays, the page does not leave the reader to guess; without a diagnosis it is silent."""
    stays = Diagnosis(stays=(Variation(VariedAspect.THREADS, "one thread"),))
    assert diagnosis_lines(stays) == ["goes away with: nothing that was tried", "stays with: one thread"]
    assert diagnosis_lines(Diagnosis()) == []


@pytest.mark.parametrize(
    ("kernels", "operators", "words"),
    [
        ((), (), "ATen"),
        (("pooling:jit:avx2", "reorder:jit:uni"), (), "pooling:jit:avx2 reorder:jit:uni"),
        ((), ("tutorial::scale",), "tutorial::scale"),
        (("matmul:jit:avx2",), ("tutorial::scale",), "tutorial::scale matmul:jit:avx2"),
    ],
)
def test_the_kernels_of_a_cell_name_what_ran(kernels: tuple[str, ...], operators: tuple[str, ...], words: str) -> None:
    """A preload file's own operator by its name, oneDNN's implementations, and ATen where there is neither."""
    (line,) = cell_table([CellRow("avx2", CellState.FAILED, 2.0, kernels, operators)])
    assert line.kernels == words
