"""The snapshots of this repository: NumPy's own results have the digests that are written there."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from harness.core import Case
from harness.generation import arguments, ranges, shapes, terms
from harness.golden import PER_CASE, Snapshot, can_be_exact, describe_misfit, fingerprint, load_snapshots
from harness.portable import fills
from harness.suites import load_suite
from tests.golden import moves, windows
from tests.golden.terms import Array, results

ROOT = Path(__file__).resolve().parents[2]
FORMULAS = {**windows.FORMULAS, **moves.FORMULAS}
SUITES = [f"suites/operators/{file.name}" for file in sorted((ROOT / "golden" / "snapshots").glob("*.yaml"))]


def cases() -> Iterator[tuple[Case, tuple[Snapshot, ...]]]:
    """Every case whose operator has a formula and whose values can be exact, with its snapshots."""
    for suite in SUITES:
        file = ROOT / "golden" / "snapshots" / Path(suite).name
        snapshots = load_snapshots(file, suite, file.name).cases
        for case in load_suite(ROOT / suite, ROOT).cases:
            if case.call in FORMULAS and can_be_exact(case):
                yield case, snapshots.get(case.name, ())


def fill_tensor(case: Case, snapshot: Snapshot, stream: int, shape: tuple[int, ...]) -> Array:
    """The numbers of a tensor, from the generator that is NumPy's own."""
    example, spec = snapshot.example, case.tensors[stream] if stream < len(case.tensors) else None
    count, between = terms(case, example), ranges(case, example).get(spec.name if spec else "")
    dtype, distinct = (spec.dtype or example.dtype, spec.distinct) if spec else (example.dtype, 0)
    numbers: Array = fills.values(example.fill, dtype, shape, example.seed, stream, int(count), between, distinct)
    return numbers


def digest(dtype: str, values: Array) -> str:
    """The hash of the values in the dtype, as the file's head describes it; they are exact, so nothing is rounded."""
    if np.dtype(dtype if dtype != "bfloat16" else "float32").kind in "iu":
        values = np.trunc(values)  # a mean of whole numbers loses what is behind the point
    stored = values.astype("<f4" if dtype == "bfloat16" else np.dtype(dtype).newbyteorder("<"))
    assert np.array_equal(stored, values)
    return fingerprint((stored + stored.dtype.type(0)).tobytes())


def snapshot_parameters() -> list[Any]:
    """Case and snapshot, by a name that says where the snapshot stands."""
    return [
        pytest.param(case, snapshot, id=f"{case.name}-{snapshot.example.dtype}-{snapshot.place}")
        for case, snapshots in cases()
        for snapshot in snapshots
    ]


@pytest.mark.parametrize(("case", "snapshot"), snapshot_parameters())
def test_numpy_agrees_with_the_digests(case: Case, snapshot: Snapshot) -> None:
    """Outputs, indices and every gradient are what the definitions give; they have no tangents of forward mode."""
    assert describe_misfit(case, snapshot.example) == ""
    streams = {spec.name: stream for stream, spec in enumerate(case.tensors)}
    inputs = {
        name: fill_tensor(case, snapshot, streams[name], shape)
        for name, shape in shapes(case, snapshot.example).items()
    }
    options = dict(arguments(case, snapshot.example))
    expected = results(FORMULAS[case.call], inputs, options, lambda shape: fill_tensor(case, snapshot, 1000, shape))
    for name, written in snapshot.results.items():
        if name.startswith("jvp:"):
            continue
        assert expected[name].shape == written.shape, name
        assert digest(written.dtype, expected[name]) == written.sha256, name


def test_every_formula_checks_snapshots() -> None:
    """Convolution, plain and transposed, each pool, each pad and each shuffle: enough snapshots for every case."""
    counts = {case.name: len(snapshots) for case, snapshots in cases()}
    assert {case.call for case, _ in cases()} == set(FORMULAS)
    assert {name: count for name, count in counts.items() if count < PER_CASE} == {}
