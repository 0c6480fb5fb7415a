"""ISA levels: the file that ships, and mistakes in such a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core import Level
from harness.suites import DeclarationError, load_levels

ISA = Path(__file__).parents[2] / "suites" / "isa.yaml"
LEVELS = {level.name: level for level in load_levels(ISA)}


def below(name: str) -> set[str]:
    """Every level under `name` in the partial order."""
    return {deeper for lower in LEVELS[name].above for deeper in {lower, *below(lower)}}


def mistakes_in(tmp_path: Path, text: str) -> list[str]:
    """The mistakes in a file of levels, one line each, without the file's name."""
    path = tmp_path / "isa.yaml"
    path.write_text(text)
    with pytest.raises(DeclarationError) as caught:
        load_levels(path)
    return [line.removeprefix(f"{path.as_posix()}:") for line in str(caught.value).splitlines()]


def test_few_levels_run_without_being_asked_for() -> None:
    """The default set is the levels whose floating-point kernels differ."""
    assert [level.name for level in LEVELS.values() if level.default and level.architecture == "x86_64"] == [
        "sse41",
        "avx2",
        "avx512_core",
        "avx512_core_bf16",
        "avx10_1_512",
        "avx10_1_512_amx",
    ]


def test_a_level_is_read_whole() -> None:
    """Each field of the file arrives in the Level."""
    assert LEVELS["avx2_vnni"] == Level(
        name="avx2_vnni",
        architecture="x86_64",
        onednn="AVX2_VNNI",
        aten="avx2",
        requires=("sse4_1", "avx", "avx2", "fma", "f16c", "avx_vnni"),
        above=("avx2",),
        implementations=("avx2_vnni",),
        default=False,
    )


def test_the_order_is_partial() -> None:
    """AVX2_VNNI_2 and AVX512_CORE are incomparable; AVX10.2 is above both."""
    assert "avx2_vnni_2" not in below("avx512_core")
    assert "avx512_core" not in below("avx2_vnni_2")
    assert {"avx2_vnni_2", "avx512_core"} <= below("avx10_2")
    assert "avx10_1_512_amx" not in below("avx10_2")


def test_a_level_requires_what_the_levels_below_require() -> None:
    """A CPU that has a level has all below it."""
    for name, level in LEVELS.items():
        for lower in below(name):
            assert set(LEVELS[lower].requires) <= set(level.requires), (name, lower)


def test_an_implementation_name_belongs_to_one_level() -> None:
    """An implementation's name is listed once, at the level where it is new."""
    names = [name for level in LEVELS.values() for name in level.implementations]
    assert len(names) == len(set(names))


LEVEL = "{about: it, onednn: X, aten: default, requires: []"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            f"levels:\n  x86_64:\n    sse41: {LEVEL}}}\n    avx: {LEVEL}, above: [sse14]}}\n",
            ["4:70: 'sse14' is not a level of x86_64; did you mean 'sse41'?"],
        ),
        (
            f"levels:\n  x86_64:\n    a: {LEVEL}, above: [b]}}\n    b: {LEVEL}, above: [a]}}\n",
            ["3:60: 'a' is above itself: a above b above a"],
        ),
        (f"levels:\n  x86_64:\n    A-b: {LEVEL}}}\n", ["3:5: 'A-b' is not a name for a level; use a-z, 0-9 and _"]),
        (
            f"levels:\n  x86_64:\n    a: {LEVEL}}}\n  aarch64:\n    a: {LEVEL}}}\n",
            ["5:5: 'a' is also a level of x86_64; a level is asked for by name"],
        ),
        (
            "levels:\n  x86_64:\n    a: {about: it, onednn: 3, atn: x}\n",
            [
                "3:5: 'requires' is missing; expected a list of text",
                "3:28: expected text, got the number 3",
                "3:31: unknown key 'atn'; did you mean 'aten'?",
            ],
        ),
        ("levels: {}\n", ["1:9: must not be empty; expected a mapping"]),
        ("", ["1:1: the file is empty; a file of ISA levels was expected"]),
    ],
)
def test_mistakes_in_levels_are_placed(tmp_path: Path, text: str, expected: list[str]) -> None:
    """Unknown levels below, circles, names that are none and wrong types are reported at their places."""
    assert mistakes_in(tmp_path, text) == expected
