"""A mistake of form hides no mistake of meaning that can be seen without it, and makes none that is not there."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from harness.suites import examine_suite, read_document

Mistakes = Callable[[str], list[str]]
Place = tuple[str | int, ...]

EVERYTHING = """\
suite: things
defaults:
  dtypes: [float32, float64]
  fills: [integers]
cases:
  thing:
    call: torch.thing
    reference: torch.other
    sizes: {N: batch, C: channels, groups: [1, 2], p: 0..2, kernel: {pair: 1..5}}
    depth: spatial
    require: ["kernel[0] > p"]
    tensors:
      input: {shape: [N, C, "kernel[0]", "kernel[1]"], layout: channels_last}
      weight: {shape: [C], optional: true, between: [0, p], distinct: 1}
    positional: [input, weight]
    arguments: {padding: p, mode: {text: same}}
    numerics: {output: multilinear, terms: "kernel[0]", each: {"grad:weight": {rule: normwise}}}
    output: {preserves: [input]}
    inplace: torch.thing_
    paths: [jvp, vmap]
    unsupported: [float64]
    examples:
      - {why: a corner, sizes: {N: 2}, layouts: {input: channels_last}, absent: [weight], inplace: true}
      - {why: another, sizes: {groups: 2}, threads: 2}
  family:
    module: torch.nn.{name}
    names: [A, B]
    init: {channels: C}
    train: true
    state: {weight: scale}
    sizes: {N: batch, C: channels}
    tensors: {input: {shape: [N, C]}, scale: {shape: [C]}}
    positional: [input]
    numerics: normwise
"""
DATA = yaml.safe_load(EVERYTHING)
WRONG = -3.5
VALID_NUMBERS = {
    "cases.thing.arguments.padding",
    "cases.thing.arguments.mode",
    "cases.thing.sizes.groups.0",
    "cases.thing.tensors.weight.between.0",
    "cases.family.init.channels",
}
"""Where a number with a fraction is right."""
FREE_NAMES = ("sizes", "tensors", "arguments", "init", "state", "layouts", "each")
"""Fields whose keys are names that somebody chose."""


def places(data: Any, above: Place = ()) -> Iterator[Place]:
    """Every place below a document that holds something, keys and indices from its root."""
    if isinstance(data, dict | list):
        for step, value in data.items() if isinstance(data, dict) else enumerate(data):
            yield (*above, step)
            yield from places(value, (*above, step))


def name_of(place: Place) -> str:
    """A place as one word."""
    return ".".join(map(str, place))


ENTRIES = [place for place in places(DATA) if len(place) > 2 or (place[0] == "defaults" and len(place) == 2)]
KEYS = [place for place in ENTRIES if isinstance(place[-1], str) and place[-2] not in FREE_NAMES]


def holder_of(data: Any, place: Place) -> Any:
    """What holds the value at a place."""
    for step in place[:-1]:
        data = data[step]
    return data


@pytest.mark.parametrize("place", [place for place in ENTRIES if name_of(place) not in VALID_NUMBERS], ids=name_of)
def test_a_wrong_type_is_one_mistake(mistakes: Mistakes, place: Place) -> None:
    """A number in the place of anything else is said once, and nothing that only follows from it."""
    data = copy.deepcopy(DATA)
    holder_of(data, place)[place[-1]] = WRONG
    assert len(mistakes(yaml.safe_dump(data, sort_keys=False))) == 1


@pytest.mark.parametrize("place", KEYS, ids=name_of)
def test_a_misspelt_key_is_one_mistake(mistakes: Mistakes, place: Place) -> None:
    """A key with a letter too many is said once, and nothing that its value would have been good for."""
    data = copy.deepcopy(DATA)
    holder = holder_of(data, place)
    items = [(f"{key}q" if key == place[-1] else key, value) for key, value in holder.items()]
    holder.clear()
    holder.update(items)
    (mistake,) = mistakes(yaml.safe_dump(data, sort_keys=False))
    assert f"unknown key '{place[-1]}q'" in mistake


def test_what_is_right_beside_a_mistake_is_judged(mistakes: Mistakes) -> None:
    """In an entry with a wrong key, a wrong size, a wrong tensor and a wrong rule, all else that is wrong is said."""
    text = (
        EVERYTHING.replace("call: torch.thing", "cal: torch.thing")
        .replace("N: batch", "N: 3", 1)
        .replace("shape: [C], optional: true", "shape: [C], optional: tru")
        .replace("terms:", "trms:")
        .replace("padding: p", "padding: q")
        .replace("preserves: [input]", "preserves: [inptu]")
        .replace("groups: 2}", "groups: 3}")
        .replace("dtypes: [float32, float64]", "dtypes: [float32, float63]")
    )
    messages = [line.partition(": ")[2] for line in mistakes(text)]
    assert [message.split(";")[0].split(",")[0] for message in messages] == [
        "expected one of float32",
        "unknown key 'cal'",
        "expected batch",
        "expected true or false",
        "'q' is not a size of 'thing'",
        "unknown key 'trms'",
        "'inptu' is not a tensor of 'thing'",
        "'groups' is never 3",
    ]


@pytest.mark.parametrize(
    ("right", "wrong", "sound"),
    [
        ("", "", ["thing", "thing_3d", "A", "B"]),
        ("padding: p", "padding: q", ["A", "B"]),
        ("call: torch.thing", "cal: torch.thing", ["A", "B"]),
        ("names: [A, B]", "names: [A, A]", ["thing", "thing_3d"]),
        ("train: true", "train: yes", ["thing", "thing_3d"]),
        ("fills: [integers]", "fills: [integrs]", []),
    ],
)
def test_the_cases_without_a_mistake_come_beside_the_mistakes(
    tmp_path: Path, right: str, wrong: str, sound: list[str]
) -> None:
    """They are those that have none, in themselves or in the defaults: in its form, its meaning or its YAML."""
    path = tmp_path / "s.yaml"
    path.write_text(EVERYTHING.replace(right, wrong) if right else EVERYTHING, "utf-8")
    examination = examine_suite(read_document(path))
    assert [case.name for case in examination.sound] == sound
    assert bool(examination.mistakes) == bool(wrong)
