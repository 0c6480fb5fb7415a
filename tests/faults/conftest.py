"""Gates with the planted kernels and without, opened once; what they come to is kept."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from packaging.version import Version

from harness.core import Case, Example
from harness.execution.host import probe_host
from harness.execution.levels import missing_requirement
from harness.gate import Gate
from harness.generation import corner_examples, declared_examples
from harness.settings import settings
from harness.suites import load_levels
from harness.trial import JudgedResult, Outcome, Trial, judge_result

ROOT = Path(__file__).resolve().parents[2]
PLANTED = [ROOT / "tests" / "faults" / name for name in ("planted.py", "planted_others.py")]
SUITES = [
    ROOT / "suites" / "operators" / f"{name}.yaml"
    for name in (
        *("activation", "convolution", "padding", "pooling", "rearrangement", "copies", "linear_algebra"),
        *("unary", "binary", "reduction", "loss", "modules", "normalization", "resampling", "vision"),
    )
]
SUITES.append(ROOT / "tests" / "faults" / "forms.yaml")
PYTHON = os.environ.get("EQUIVALENCE_PYTHON") or None


@dataclass
class Trials:
    """Tries items by name (``relu[float32]``), each once. Nothing is added to the failures that later runs recall."""

    gate: Gate
    cases: dict[str, Case]
    _outcomes: dict[str, Outcome] = field(default_factory=dict)

    @property
    def levels(self) -> list[str]:
        """The levels that run."""
        return [cell.name for cell in self.gate.executor.cells]

    def outcome(self, item: str) -> Outcome:
        """What the trial of this item came to."""
        if item not in self._outcomes:
            case, dtype = self._parts(item)
            executor, profile = self.gate.executor, self.gate.settings.profile
            known_issues = self.gate.known_issues_of(case, dtype)
            self._outcomes[item] = Trial(case, dtype, executor, known_issues, profile, seed=1).run()
        return self._outcomes[item]

    def judged_results(self, item: str, example: Example) -> list[JudgedResult]:
        """What is said of this example, of those that the case declares, and of its first corners."""
        case, dtype = self._parts(item)
        examples = [example, *declared_examples(case, dtype), *corner_examples(case, dtype)[:8]]
        results = self.gate.executor.run(case, examples)
        return [judge_result(case, result, self.gate.known_issues_of(case, dtype)) for result in results]

    def case(self, item: str) -> Case:
        """The case of this item."""
        return self._parts(item)[0]

    def _parts(self, item: str) -> tuple[Case, str]:
        name, _, dtype = item.removesuffix("]").partition("[")
        return self.cases[name], dtype


@contextmanager
def opened(levels: Sequence[str], preload: Sequence[Path] = (), **numbers: Any) -> Iterator[Trials]:
    """The gate profile with some of its numbers replaced, on the build under test."""
    options = {"profile": "gate", "levels": ",".join(levels), "python": PYTHON, "preload": [*map(str, preload)]}
    chosen = settings(ROOT, options)
    with Gate(replace(chosen, profile=replace(chosen.profile, **numbers))) as gate:
        yield Trials(gate, {case.name: case for case in gate.project.cases(SUITES).values()})


@pytest.fixture(scope="module")
def levels() -> list[str]:
    """A level of each vector length that this machine has; none on another architecture, where all defaults run."""
    host = probe_host(PYTHON)
    declared = [level for level in load_levels(ROOT / "suites" / "isa.yaml") if not missing_requirement(level, host)]
    return [level.name for level in declared if level.name in ("sse41", "avx2", "avx512_core")]


@pytest.fixture(scope="module")
def stock(levels: list[str]) -> Iterator[Trials]:
    """PyTorch's own kernels at one level: that they are right at all of them is for the gate to say."""
    with opened(levels[:1]) as trials:
        if Version(trials.gate.executor.build.torch) < Version("2.9"):
            pytest.skip("the planted kernels need torch.library.get_kernel")
        yield trials


@pytest.fixture(scope="module")
def planted(levels: list[str], stock: Trials) -> Iterator[Trials]:
    """The planted kernels, tried as in the gate."""
    del stock  # opened first: it knows whether there can be planted kernels
    with opened(levels, preload=PLANTED) as trials:
        yield trials


@pytest.fixture(scope="module")
def deadly(levels: list[str], stock: Trials) -> Iterator[Trials]:
    """The same at one level and with little patience: every crash and every hang costs a worker."""
    del stock
    with opened(levels[:1], preload=PLANTED, limit=1.5) as trials:
        yield trials
