"""A way to write a suite file and read its cases or its mistakes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from harness.suites import DeclarationError, Suite, load_suite

CASE = """\
suite: things
cases:
  thing:
    call: torch.thing
    sizes: {N: batch, C: channels, groups: [1, 2], p: 0..2, kernel: {pair: 1..5}}
    tensors:
      input: {shape: [N, C], layout: channels_last}
      bias: {shape: [C], optional: true}
    numerics: exact
"""

Load = Callable[[str], Suite]
Mistakes = Callable[[str], list[str]]


@pytest.fixture
def plain() -> str:
    """The text of a suite with one case and nothing wrong in it."""
    return CASE


@pytest.fixture
def load(tmp_path: Path) -> Load:
    """Load a suite from its text."""

    def from_text(text: str) -> Suite:
        path = tmp_path / "suites" / "s.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return load_suite(path, tmp_path)

    return from_text


@pytest.fixture
def mistakes(load: Load) -> Mistakes:
    """The mistakes of a suite, one line each, without the file's name."""

    def from_text(text: str) -> list[str]:
        with pytest.raises(DeclarationError) as caught:
            load(text)
        lines = str(caught.value).splitlines()
        assert all(line.startswith("suites/s.yaml:") for line in lines)
        return [line.removeprefix("suites/s.yaml:") for line in lines]

    return from_text


@pytest.fixture
def wrong(mistakes: Mistakes) -> Callable[..., list[str]]:
    """The mistakes of the plain case with one text replaced by another, or with lines added to it."""

    def mistakes_of_change(old: str = "", new: str = "", *, add: str = "") -> list[str]:
        assert old in CASE
        text = CASE.replace(old, new, 1) if old else CASE
        return mistakes(text + "".join(f"    {line}\n" for line in add.splitlines()))

    return mistakes_of_change
