"""A grid of networks that end as classifiers do, each trained by the harness: correct kernels, so no value is wrong.

`python -m tests.models.tail_grid` judges all of them and prints each false alarm, and how many there were.
"""

from __future__ import annotations

import argparse
import itertools
import os
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final, NamedTuple

from harness.core import Expression, Finding, Judgement
from harness.gate import Gate
from harness.models import InputSpec, Model, WayToRun
from harness.models.examples import model_examples
from harness.models.judge import judge_model
from harness.models.model import BASELINE
from harness.settings import settings

NETWORKS: Final = Path(__file__).with_name("tail_networks.py")
POOLS: Final = ("AdaptiveAvgPool2d(1)", "AdaptiveAvgPool2d(2)", "AvgPool2d", "mean", "MaxPool2d", "AdaptiveMaxPool2d")
ACTIVATIONS: Final = ("ReLU", "SiLU", "Hardswish", "GELU", "Identity", "LeakyReLU")
NORMS: Final = ("none", "BatchNorm2d", "GroupNorm", "LayerNorm")
HEADS: Final = ("Linear", "Conv2d", "none")
WIDTHS: Final = (8, 12, 16, 24, 32, 48, 64)
SMALLEST, LARGEST = 8, 96
"""Rows and columns of an image."""
BATCHES: Final = (1, 2, 3, 4)
DEPTHS: Final = (1, 2)
TRAINING: Final = WayToRun("train", "eager", "float32")


@dataclass(frozen=True)
class Tail:
    """One network of `tail_networks.py`, by the arguments of its factory; and how many images it gets."""

    width: int
    depth: int
    norm: str
    activation: str
    pool: str
    head: str
    height: int
    image_width: int
    batch: int

    @property
    def model(self) -> Model:
        """It as a suite file would declare it."""
        arguments = {name: value for name, value in asdict(self).items() if name != "batch"}
        shape = (self.batch, 3, self.height, self.image_width)
        images = InputSpec("x", tuple(Expression.parse(str(size)) for size in shape))
        return Model("grid::tail", "tail", "grid", 1, "tail_networks.tail", (), (images,), arguments, steps=("train",))


class Alarms(NamedTuple):
    """What was called wrong in a network: by its conversion, or with nothing converted alone."""

    converted: tuple[Finding, ...]
    unconverted: tuple[Finding, ...]


def draw_tails(seed: int, rounds: int) -> Iterator[Tail]:
    """Every pool with every activation and every norm, `rounds` times: 144 networks each; all else is drawn."""
    draw = random.Random(seed)  # noqa: S311 - sizes of networks
    for _ in range(rounds):
        for pool, activation, norm in itertools.product(POOLS, ACTIVATIONS, NORMS):
            yield Tail(
                draw.choice(WIDTHS),
                draw.choice(DEPTHS),
                norm,
                activation,
                pool,
                draw.choice(HEADS),
                draw.randint(SMALLEST, LARGEST),
                draw.randint(SMALLEST, LARGEST),
                draw.choice(BATCHES),
            )


def sample_of_tails(seed: int, count: int) -> list[Tail]:
    """A few networks of the grid, the same for the same seed."""
    return random.Random(seed).sample(list(draw_tails(seed, 2)), count)  # noqa: S311 - a sample of networks


def open_grid(root: Path, python: str | None, *preload: Path) -> Gate:
    """A gate at the levels of `equivalence model`, which knows the networks, and has more files; not started yet."""
    files = [str(NETWORKS), *map(str, preload)]
    gate = Gate(settings(root, {"profile": "gate", "python": python, "preload": files}))
    gate.executor.run_representative_levels()
    return gate


def judge_tail(gate: Gate, tail: Tail) -> Judgement:
    """What the harness says of one step of training. Raises ValueError where the network was not judged in a cell."""
    model = tail.model
    missing, problem = gate.model_executor.check(model)
    (example,) = model_examples(model, TRAINING, seed=1, count=1)
    result = gate.model_executor.run(model, example)
    judgement = judge_model(result.reference, result.observations)
    if missing or problem or result.problem is not None or result.skipped or judgement.untrusted:
        raise ValueError(f"{tail}: {missing or problem or result.problem or result.skipped or judgement.untrusted}")
    return judgement


def false_alarms(judgement: Judgement) -> Alarms:
    """The values that were called wrong. A format that is lost is none of these."""
    findings = [finding for finding in judgement.findings if finding.oracle != "strides"]
    unconverted = tuple(finding for finding in findings if set(finding.layouts) == {BASELINE})
    return Alarms(tuple(finding for finding in findings if finding not in unconverted), unconverted)


def main(arguments: Sequence[str] | None = None) -> int:
    """Judge the grid, print what is called wrong and how many networks that was; the exit code is 1 if it was one."""
    parser = argparse.ArgumentParser(prog="python -m tests.models.tail_grid", description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--rounds", type=int, default=2, help="of 144 networks each")
    options = parser.parse_args(arguments)
    converted = unconverted = count = 0
    worst = 0.0
    with open_grid(Path.cwd(), os.environ.get("EQUIVALENCE_PYTHON")) as gate:
        for tail in draw_tails(options.seed, options.rounds):
            judgement = judge_tail(gate, tail)
            alarms = false_alarms(judgement)
            count += 1
            converted, unconverted = converted + bool(alarms.converted), unconverted + bool(alarms.unconverted)
            worst = max(worst, *judgement.ratios.values())
            for finding in (*alarms.converted, *alarms.unconverted):
                print(tail, finding.message, finding.layouts, sep="\n  ")  # noqa: T201 - a command prints
    print(f"{count} networks; false alarms converted in {converted}, unconverted alone in {unconverted}")  # noqa: T201
    print(f"the largest error is {worst:.2g} of its allowance")  # noqa: T201
    return 1 if converted or unconverted else 0


if __name__ == "__main__":
    sys.exit(main())
