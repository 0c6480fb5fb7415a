"""Levels by their partial order: what known issues say instead of lists."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from harness.core import Level
from harness.golden.issues.levels import resolve_levels
from harness.project import Project
from harness.suites import load_levels

ISA = Path(__file__).parents[2] / "suites" / "isa.yaml"
LEVELS = load_levels(ISA)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("< avx2", {"sse41", "avx"}),
        ("<= avx2", {"sse41", "avx", "avx2"}),
        (">= avx2, not >= avx512_core", {"avx2", "avx2_vnni", "avx2_vnni_2"}),
        ("< avx2_vnni_2", {"sse41", "avx", "avx2", "avx2_vnni"}),
        (">= avx10_1_512, not >= avx10_1_512_amx", {"avx10_1_512", "avx10_2"}),
        ("> avx10_1_512_amx", {"avx10_1_512_amx_fp16", "avx10_2_amx_2"}),
        (["avx2", "sse41"], {"sse41", "avx2"}),
        (">= sve256", {"sve256"}),
    ],
)
def test_levels_by_order(text: str | list[str], names: set[str]) -> None:
    """Comparisons follow `above` in isa.yaml, and several of them must all hold."""
    assert set(resolve_levels(text, LEVELS)) == names


def test_all_levels() -> None:
    """``all`` is every level of every architecture, and what is not below a level stays in its architecture."""
    assert resolve_levels("all", LEVELS) == tuple(level.name for level in LEVELS)
    assert not {"default", "sve256"} & set(resolve_levels("not >= avx2", LEVELS))


@pytest.mark.parametrize("text", ["avx2", "=> avx2", "", ">= avx2 or < sse41", "not avx2"])
def test_what_is_no_comparison(text: str) -> None:
    """The message lists what could be written."""
    with pytest.raises(ValueError, match="is none of: all, >= LEVEL"):
        resolve_levels(text, LEVELS)


def test_a_new_level_is_one_entry_in_the_file_of_levels(tmp_path: Path) -> None:
    """Every known issue of the levels below, above and around covers it, without a change to any of them."""
    data = yaml.safe_load(ISA.read_text("utf-8"))
    data["levels"]["x86_64"]["avx10_3"] = {
        "about": "a level of tomorrow",
        "onednn": "AVX10_2",
        "aten": "avx512",
        "requires": ["sse4_1"],
        "above": ["avx10_2"],
        "implementations": ["avx10_3"],
        "default": False,
    }
    (tmp_path / "suites").mkdir()
    (tmp_path / "suites" / "isa.yaml").write_text(yaml.safe_dump(data))
    project = Project(tmp_path)
    before = Project(ISA.parents[1])
    assert {level.name for level in project.levels} == {level.name for level in before.levels} | {"avx10_3"}
    for place, old in zip(project.known_issues.entries, before.known_issues.entries, strict=True):
        assert place.covers("avx10_3") == old.covers("avx10_2"), place.name
    assert any(place.covers("avx10_3") for place in project.known_issues.entries)


def test_a_level_is_below_what_is_above_it() -> None:
    """The order is that of the declaration, however deep."""
    levels = [Level(name, "toy", None, "", above=above) for name, above in (("a", ()), ("b", ("a",)), ("c", ("b",)))]
    assert resolve_levels("< c", levels) == ("a", "b")
    assert resolve_levels("not < b", levels) == ("b", "c")
