"""`golden/coverage.yaml`: every mistake at its place, and the file that is shipped is right."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.golden import load_coverage_targets
from harness.suites import DeclarationError

TEXT = """\
operators:
  wiki:
    about: a list
    link: https://example.org
    names: [relu, half]
    written: {half: _to_copy}
functions:
  torch.nn.functional:
    through: {sigmoid: "suites/x/s.yaml::sigmoid"}
    not_on_maps:
      - {names: [embedding], reason: takes indices}
    left_out:
      - {names: [bilinear], reason: keeps no format}
  torch:
    not_on_maps:
      - {names: [embedding], reason: takes indices}
arguments:
  - {names: ["aten::*/generator"], kinds: [given], reason: nothing is random}
"""
CASES = ["suites/x/s.yaml::sigmoid"]


def write_file(folder: Path, text: str) -> Path:
    """A file with that text."""
    path = folder / "coverage.yaml"
    path.write_text(text)
    return path


def test_lists_and_reasons(tmp_path: Path) -> None:
    """Operators under ATen's names; one reason for each name of a group."""
    targets = load_coverage_targets(write_file(tmp_path, TEXT))
    targets.check(CASES, tmp_path)
    assert targets.operators["wiki"].operators() == {"relu": "aten::relu", "half": "aten::_to_copy"}
    (group,) = targets.arguments
    assert (group.names, group.kinds, group.reason) == (("aten::*/generator",), ("given",), "nothing is random")
    assert targets.functions["torch.nn.functional"].reasons() == {
        "embedding": "takes indices",
        "bilinear": "keeps no format",
    }


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[bilinear]", "[bilinear, embedding]", "13:28: 'embedding' is given twice"),
        ("[bilinear]", "[sigmoid]", "13:18: 'sigmoid' is given twice"),
        ("::sigmoid", "::sigmoyd", "there is no case 'suites/x/s.yaml::sigmoyd'; did you mean"),
        ("{half:", "{haff:", "6:21: 'haff' is not one of the list's names"),
    ],
)
def test_what_does_not_fit(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A function in two places of one module, a case and a name that do not exist."""
    targets = load_coverage_targets(write_file(tmp_path, TEXT.replace(old, new)))
    with pytest.raises(DeclarationError) as error:
        targets.check(CASES, tmp_path)
    assert message in str(error.value)


def test_a_shipped_file_is_not_checked_against_the_suites_of_others(tmp_path: Path) -> None:
    """The cases it names are those of the package; below the project's own root they must be the project's."""
    targets = load_coverage_targets(write_file(tmp_path, TEXT))
    targets.check([], tmp_path / "elsewhere")
    with pytest.raises(DeclarationError, match="there is no case"):
        targets.check([], tmp_path)


def test_a_reason_is_a_reason(tmp_path: Path) -> None:
    """It cannot be left empty."""
    with pytest.raises(DeclarationError, match="reason"):
        load_coverage_targets(write_file(tmp_path, TEXT.replace("keeps no format", "no")))
