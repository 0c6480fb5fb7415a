"""The pinned examples of this repository: NumPy's own results have the digests that are written there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core import Case
from harness.generation import arguments, ranges, shapes, terms
from harness.golden import PER_CASE, Pin, exact, fingerprint, load_references, misfit
from harness.portable import fills
from harness.suites import load_suite
from tests.golden import moves, windows
from tests.golden.terms import Array, results

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = {**windows.FORMULAS, **moves.FORMULAS}
SUITES = [f"suites/operators/{file.name}" for file in sorted((ROOT / "golden" / "snapshots").glob("*.yaml"))]


def cases() -> Iterator[tuple[Case, tuple[Pin, ...]]]:
    """Every case whose operator has a formula and whose values can be exact, with its pins."""
    for suite in SUITES:
        file = ROOT / "golden" / "snapshots" / Path(suite).name
        pins = load_references(file, suite, file.name).cases
        for case in load_suite(ROOT / suite, ROOT).cases:
            if case.call in FORMULAS and exact(case):
                yield case, pins.get(case.name, ())


def filled(case: Case, pin: Pin, stream: int, shape: tuple[int, ...]) -> Array:
    """The numbers of a tensor, from the generator that is NumPy's own."""
    example, spec = pin.example, case.tensors[stream] if stream < len(case.tensors) else None
    count, between = terms(case, example), ranges(case, example).get(spec.name if spec else "")
    dtype, distinct = (spec.dtype or example.dtype, spec.distinct) if spec else (example.dtype, 0)
    found: Array = fills.values(example.fill, dtype, shape, example.seed, stream, int(count), between, distinct)
    return found


def digest(dtype: str, values: Array) -> str:
    """The hash of the values in the dtype, as the file's head describes it; they are exact, so nothing is rounded."""
    stored = values.astype("<f4" if dtype == "bfloat16" else np.dtype(dtype).newbyteorder("<"))
    assert np.array_equal(stored, values)
    return fingerprint((stored + stored.dtype.type(0)).tobytes())


def pinned() -> list[Any]:
    """Case and pin, by a name that says where the pin stands."""
    found = [(case, pin) for case, pins in cases() for pin in pins]
    return [pytest.param(case, pin, id=f"{case.name}-{pin.example.dtype}-{pin.place}") for case, pin in found]


@pytest.mark.parametrize(("case", "pin"), pinned())
def test_numpy_agrees_with_the_digests(case: Case, pin: Pin) -> None:
    """Outputs, indices and every gradient are what the definitions give."""
    assert misfit(case, pin.example) == ""
    streams = {spec.name: stream for stream, spec in enumerate(case.tensors)}
    inputs = {name: filled(case, pin, streams[name], shape) for name, shape in shapes(case, pin.example).items()}
    given = dict(arguments(case, pin.example))
    found = results(FORMULAS[case.call], inputs, given, lambda shape: filled(case, pin, 1000, shape))
    for name, written in pin.results.items():
        assert found[name].shape == written.shape, name
        assert digest(written.dtype, found[name]) == written.sha256, name


def test_every_formula_checks_pins() -> None:
    """Convolution, plain and transposed, each pool, each pad and each shuffle: enough pins for every case."""
    counts = {case.name: len(pins) for case, pins in cases()}
    assert {case.call for case, _ in cases()} == set(FORMULAS)
    assert {name: count for name, count in counts.items() if count < PER_CASE} == {}
