"""A mistake of form in a file of models hides no mistake of meaning, and makes none that is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.models.declaration import examine_models
from harness.suites import read_document

MODELS = """\
suite: nets
defaults:
  inputs: {x: {shape: [N, 3, 8, 8]}}
models:
  net: {factory: nets.net, sizes: {N: [1, 2]}, arguments: {width: N}, runners: [eager], steps: [eval]}
  "{name}": {factory: "nets.{name}", names: [a, b], sizes: {N: [1]}, runners: [trace], steps: [eval]}
"""


@pytest.mark.parametrize(
    ("right", "wrong", "mistakes", "sound"),
    [
        ("suite: nets", "suite: nets\nzzz: 1", ["unknown key 'zzz'"], ["net", "a", "b"]),
        ("factory: nets.net", "factory: 3", ["expected text"], ["a", "b"]),
        ("factory: nets.net", "factry: nets.net", ["unknown key 'factry'"], ["a", "b"]),
        ("{N: [1, 2]}", "{N: 3}", ["expected batch"], ["a", "b"]),
        ("sizes: {N: [1, 2]}", "sizs: {N: [1, 2]}", ["unknown key 'sizs'"], ["a", "b"]),
        ("{width: N}", "{width: M}", ["'M' is not a size of 'net'"], ["a", "b"]),
        ("names: [a, b]", "names: 3", ["expected a list of text"], ["net"]),
        ("[trace], steps: [eval]", "[trace], steps: [evl]", ["expected one of eval"], ["net"]),
        (
            "[eager], steps: [eval]",
            "[eagr], steps: [evl]",
            ["expected one of eager", "expected one of eval"],
            ["a", "b"],
        ),
        ("{shape: [N, 3, 8, 8]}", "{shape: 3}", ["expected a list of a whole number or an expression over"], []),
        (
            "{factory: nets.net, sizes: {N: [1, 2]}",
            "{factory: net, sizes: {N: batch}",
            ["'net' is not", "'N' of a"],
            ["a", "b"],
        ),
    ],
)
def test_what_is_said_and_what_is_left(
    tmp_path: Path, right: str, wrong: str, mistakes: list[str], sound: list[str]
) -> None:
    """Each mistake is said once, and the models without one come beside it."""
    path = tmp_path / "m.yaml"
    path.write_text(MODELS.replace(right, wrong), "utf-8")
    examination = examine_models(read_document(path))
    messages = [mistake.message for mistake in sorted(examination.mistakes)]
    assert len(messages) == len(mistakes), messages
    assert all(message.startswith(start) for message, start in zip(messages, mistakes, strict=True)), messages
    assert [model.name for model in examination.sound] == sound
