"""The file of what is known of models: what is read, and its mistakes at their places."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.models.known_issues import load_model_known_issues
from harness.models.model import ModelExample
from harness.suites import DeclarationError

TEXT = """\
issues:
  drift:
    models: ["suites/models/*.yaml::small*"]
    items: ["eval-*"]
    tensors: ["grad:*.bias", "output[0]"]
    oracle: values
    when: S > 64 and threads == 1
    reason: a toy that is wrong for wide images
    link: no thread found
    since: "2.1"
"""
EXAMPLE = ModelExample("suites/models/toy.yaml::small", "eval", "eager", "float32", {"S": 65})


def issues_file(tmp_path: Path, text: str) -> Path:
    """A file with this text."""
    path = tmp_path / "models.yaml"
    path.write_text(text)
    return path


def test_an_entry_is_read(tmp_path: Path) -> None:
    """It holds in the items that its patterns name, where its condition is true, and names tensors by patterns."""
    (entry,) = load_model_known_issues(issues_file(tmp_path, TEXT))
    assert (entry.id, entry.line, entry.cells) == ("drift", 2, ("*",))
    assert entry.torch == ">=2.1"
    assert entry.holds(EXAMPLE)
    assert not entry.holds(replace(EXAMPLE, step="train"))
    assert not entry.holds(replace(EXAMPLE, sizes={"S": 64}))
    assert not entry.holds(replace(EXAMPLE, sizes={}))
    assert [entry.names(name) for name in ("grad:stem.bias", "output[0]", "output0")] == [True, True, False]


def test_all_mistakes_are_told_at_once(tmp_path: Path) -> None:
    """A condition that does not parse does not hide a release that is none."""
    text = TEXT.replace("S > 64 and threads == 1", "S >").replace('"2.1"', '"2.1 or newer"')
    with pytest.raises(DeclarationError) as caught:
        load_model_known_issues(issues_file(tmp_path, text))
    condition, releases = str(caught.value).splitlines()
    assert condition.startswith(f"{tmp_path}/models.yaml:7:11: ")
    assert releases == f"{tmp_path}/models.yaml:10:12: '2.1 or newer' is not a release such as '2.15'"
