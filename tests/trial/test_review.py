"""The review of an item against golden/: what is observed, what differs, and what cannot be compared."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from harness import execution
from harness.core import (
    Case,
    Cell,
    Example,
    Expression,
    FactChange,
    FactKind,
    Level,
    NotCompared,
    Observation,
    TensorRecord,
)
from harness.golden import LEVELS, Golden, ItemObservation, LayoutRule, write_golden
from harness.trial import Review, Reviewer
from tests.trial.toy import CASE, ToyExecutor, Wrong
from tests.trial.trials import REPRODUCER, known_issue, right

CELLS = tuple(Cell(name, Level(name, "x86_64", None, "default")) for name in ("sse41", "avx2", "other"))
CONTRACT, SNAPSHOTS = "golden/contract/toy.yaml", "golden/snapshots/toy.yaml"


@dataclass
class Executor(ToyExecutor):
    """The toy with metadata too, and a build. With `lost` its outputs are always contiguous."""

    cells: tuple[Cell, ...] = CELLS
    torch: str = "2.15.0a0+git1d2c3b"
    lost: bool = False

    @property
    def build(self) -> Any:
        """The version under test."""
        return SimpleNamespace(torch=self.torch)

    def metadata(
        self, case: Case, examples: Sequence[Example], *, cells: Collection[str]
    ) -> dict[str, list[Observation]]:
        """Strides as `run` gives them, for sizes of 0 as well."""
        del case
        return {name: [self._metadata(example, name) for example in examples] for name in cells}

    def _metadata(self, example: Example, cell: str) -> Observation:
        wrong = self.wrong(example, cell, "drawn")
        if wrong in ("died", "raised"):
            return Observation(cell, "drawn", wrong, error="RuntimeError" if wrong == "raised" else "", message="why")
        n, c, h, w = (example.sizes[name] for name in "NCHW")
        plain = self.lost or example.layouts["input"] == "contiguous"
        strides = (c * h * w, h * w, w, 1) if plain else (c * h * w, 1, w * c, c)
        return Observation(cell, "drawn", "ok", {"output[0]": TensorRecord("float32", (n, c, h, w), strides, NOTHING)})


NOTHING = np.empty(0)


def as_executor(toy: Executor) -> execution.Executor:
    """The toy as a review takes it: it has all that one asks for."""
    return cast("execution.Executor", toy)


def golden(root: Path, executor: Executor | None = None) -> Golden:
    """What an update wrote of the toy."""
    observed = Reviewer(CASE, "float32", as_executor(executor or Executor(right)), (), Golden(root)).observe().observed
    assert observed is not None
    write_golden(Golden(root), [CASE], {("double", "float32"): ItemObservation.read(observed.as_json())})
    return Golden(root)


def review(root: Path, executor: Executor) -> Review:
    """Compared with what is written there."""
    return Reviewer(CASE, "float32", as_executor(executor), (), Golden(root)).review()


def test_what_an_update_observes_agrees(tmp_path: Path) -> None:
    """One layout rule for the toy, at the contract's levels and no others; four snapshots in every cell."""
    lines = golden(tmp_path).contract(CASE).lines("double")
    assert [(line.key, line.rule) for line in lines] == [("output[0] at sse41, avx2", LayoutRule.parse("like input"))]
    result = review(tmp_path, Executor(right))
    assert (result.facts, result.snapshots, result.failures, result.not_compared) == (8, 4, [], [])


def test_a_case_without_lines_says_how_to_get_them(tmp_path: Path) -> None:
    """It is not compared; the suite's own item fails."""
    result = review(tmp_path, Executor(right))
    assert (result.facts, result.snapshots, result.failures) == (0, 0, [])
    command = "python -m pytest suites/operators/toy.yaml --eq-update-golden -k double"
    assert result.advice == f"{CONTRACT} has no line of double: `{command}`, and review it"


def test_a_lost_format_is_a_difference(tmp_path: Path) -> None:
    """One sentence for all shapes and levels that are alike. The toy's runs, and so its snapshots, did not change."""
    golden(tmp_path)
    (message,) = review(tmp_path, Executor(right, lost=True)).failures
    about = "double: output[0] of ordinary, C = 1, H = W = 1, N = 1 at sse41, avx2 in float32"
    assert message.startswith(f"{CONTRACT}: changed: {about}: was: like input (line ")
    assert message.endswith("; observed: contiguous")


def test_a_refusal_is_a_fact(tmp_path: Path) -> None:
    """Where a call raises for one format, the line `call` says for which."""

    def refuse(example: Example, cell: str, layout: str) -> str:
        del cell, layout
        return "raised" if example.layouts["input"] == "channels_last" else ""

    lines = golden(tmp_path, Executor(refuse)).contract(CASE).lines("double")
    assert [f"{line.key}: {line.rule.text}" for line in lines] == [
        "call at sse41, avx2: returns from NCHW or grad_output; raises RuntimeError from input or grad_output+input",
        "output[0] at sse41, avx2: contiguous",
    ]


def test_a_worker_that_dies_is_named(tmp_path: Path) -> None:
    """Each probe that ends its worker, with the example to replay."""
    golden(tmp_path)

    def deadly(example: Example, cell: str, layout: str) -> str:
        return "died" if (cell, layout, example.sizes["C"]) == ("avx2", "drawn", 1) else ""

    message = review(tmp_path, Executor(deadly)).failures
    assert message[0].startswith('the worker died at avx2: why: {"case": "suites/operators/toy.yaml::double"')


@pytest.mark.parametrize("cells", [CELLS[2:], CELLS[:1]])
def test_levels_that_are_not_there_are_not_compared(tmp_path: Path, cells: tuple[Cell, ...]) -> None:
    """None of them: it is said; some of them: these. Values are compared in every cell."""
    golden(tmp_path)
    result = review(tmp_path, Executor(right, cells=cells, lost=cells == CELLS[2:]))
    assert (result.snapshots, result.failures) == (4, [])
    reason = f"{CONTRACT} is about the levels {', '.join(LEVELS)}, and none of them ran"
    none = NotCompared(FactKind.LAYOUT, 1, reason)
    assert (result.facts, result.not_compared) == ((4, []) if cells == CELLS[:1] else (0, [none]))


def test_a_level_whose_cap_does_not_hold_is_not_compared(tmp_path: Path) -> None:
    """What it hands back is that of another level."""
    golden(tmp_path)
    executor = Executor(right, ineffective={"avx2": "runs AVX512"})
    assert review(tmp_path, executor).facts == 4


def test_another_release_is_compared_in_values_only(tmp_path: Path) -> None:
    """What is otherwise in layouts is listed, counted and not judged; a wrong value is a difference in any release."""
    golden(tmp_path)
    path = tmp_path / SNAPSHOTS
    path.write_text(re.sub(r"strides \[(\d)", r"strides [7\1", path.read_text("utf-8")))
    assert "strides: was: [7" in review(tmp_path, Executor(right)).failures[0]
    result = review(tmp_path, Executor(right, torch="2.16.1+cpu", lost=True))
    assert (result.facts, result.snapshots, result.failures) == (0, 4, [])
    only_values = f"{SNAPSHOTS} is of PyTorch 2.15, this is 2.16: of snapshots only the values are compared"
    assert result.not_compared == [
        NotCompared(FactKind.LAYOUT, 8, f"{CONTRACT} is of PyTorch 2.15, this is 2.16"),
        NotCompared(FactKind.SNAPSHOT_METADATA, 4, only_values),
    ]
    assert [str(difference.change) for difference in result.differences] == ["moved"] * 5
    assert not any(difference.judged for difference in result.differences)
    result = review(tmp_path, Executor(wrong_in("other", "value"), torch="2.16.1"))
    assert len(result.failures) == 4
    assert all(
        "output[0]: bytes: was: " in message and "(other, drawn, other, contiguous)" in message
        for message in result.failures
    )


def test_a_snapshot_is_compared_with_the_releases_of_its_range(tmp_path: Path) -> None:
    """Of an example that has no snapshot of this release that is said, and counted; in its range it is judged whole."""
    golden(tmp_path)
    path = tmp_path / SNAPSHOTS
    path.write_text(path.read_text("utf-8").replace("    output[0]", '    torch: ">=2.15"\n    output[0]'))
    result = review(tmp_path, Executor(right, torch="2.11.0"))
    assert (result.snapshots, result.failures) == (0, [])
    (reason,) = {each.reason.partition(": ")[2] for each in result.not_compared if each.fact is FactKind.SNAPSHOT}
    assert reason == "the snapshot is of PyTorch >=2.15, this is 2.11"
    assert [difference.change for difference in result.differences] == [FactChange.NEW] * 4
    assert (review(tmp_path, Executor(right)).snapshots, review(tmp_path, Executor(right)).not_compared) == (4, [])
    path.write_text(re.sub(r"strides \[(\d)", r"strides [7\1", path.read_text("utf-8").replace(">=2.15", "==2.11")))
    assert len(review(tmp_path, Executor(right, torch="2.11.0")).failures) == 4


def test_another_release_may_refuse(tmp_path: Path) -> None:
    """An older PyTorch without a kernel for the dtype is not compared, and counted; in the same release it differs."""
    golden(tmp_path)
    raising = wrong_in("other", "raised")
    result = review(tmp_path, Executor(raising, torch="1.13.1"))
    assert (result.snapshots, result.failures) == (0, [])
    reason = f"{SNAPSHOTS} is of PyTorch 2.15, this is 1.13, and has no values of that dtype and shape"
    assert result.not_compared[1:] == [NotCompared(FactKind.SNAPSHOT, 4, reason)]
    assert all("call: raised RuntimeError" in difference.message for difference in result.differences)
    assert (
        "call: raised RuntimeError (other, drawn, other, contiguous)" in review(tmp_path, Executor(raising)).failures[0]
    )


def test_a_snapshot_that_is_no_example_any_more_says_so(tmp_path: Path) -> None:
    """A case that has changed keeps no snapshots by chance."""
    golden(tmp_path)
    changed = replace(CASE, sizes=CASE.sizes[1:], tensors=CASE.tensors)
    executor = as_executor(Executor(right, cells=CELLS[2:]))
    differing = Reviewer(changed, "float32", executor, (), Golden(tmp_path)).review().failures
    assert len(differing) == 4
    assert all("it is no example of double any more: " in sentence for sentence in differing)


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({}, True),
        ({"tensors": ("grad:input",)}, False),
        ({"oracle": "strides"}, False),
        ({"cells": ("low",)}, False),
        ({"accumulates_in": "bfloat16"}, False),
    ],
)
def test_a_known_issue_accepts_of_a_snapshot_what_it_is_about(
    tmp_path: Path, changes: dict[str, Any], accepted: bool
) -> None:
    """Its tensor, property and cell: what is wrong with another tensor in the same example differs all the same."""
    golden(tmp_path)
    entry = known_issue(REPRODUCER, **{"cells": ("other",), "when": Expression.parse("True"), **changes})
    executor = as_executor(Executor(wrong_in("other", "value")))
    differing = Reviewer(CASE, "float32", executor, (entry,), Golden(tmp_path)).review().failures
    assert (differing == []) is accepted
    assert all("output[0]: bytes: was: " in sentence for sentence in differing)


@pytest.mark.parametrize(("oracle", "differences"), [("error", 0), ("values", 4)])
def test_a_refusal_that_is_known_is_no_difference_of_a_snapshot(tmp_path: Path, oracle: Any, differences: int) -> None:
    """An entry of an error accepts that the call raises, and one of values does not."""
    golden(tmp_path)
    entry = known_issue(REPRODUCER, oracle=oracle, tensors=("*",), cells=("other",), when=Expression.parse("True"))
    executor = as_executor(Executor(wrong_in("other", "raised")))
    differing = Reviewer(CASE, "float32", executor, (entry,), Golden(tmp_path)).review().failures
    assert len(differing) == differences
    assert all("call: raised RuntimeError" in sentence for sentence in differing)


def wrong_in(cell: str, what: str) -> Wrong:
    """That, in that cell, in both layouts."""
    return lambda _, name, __: what if name == cell else ""
