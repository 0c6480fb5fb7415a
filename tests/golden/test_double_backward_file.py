"""Reading `golden/double_backward.yaml`."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.core import MissingDoubleBackward
from harness.golden import load_missing_double_backwards
from harness.suites import DeclarationError, load_suite

ROOT = Path(__file__).resolve().parents[2]
ENTRY = """\
verified: ["2.15"]
refused:
  - cases: [suites/operators/toys.yaml::top]
    error: no derivative
    reason: nobody has written it
    link: "no thread found"
"""
CASES = ["suites/operators/toys.yaml::top", "suites/operators/toys.yaml::kite"]


def write_file(tmp_path: Path, text: str) -> Path:
    """The file with that text."""
    path = tmp_path / "double_backward.yaml"
    path.write_text(text, "utf-8")
    return path


def test_an_entry_is_found_by_its_case(tmp_path: Path) -> None:
    """It must say the same in both formats unless it says otherwise."""
    missing_double_backwards = load_missing_double_backwards(write_file(tmp_path, ENTRY))
    assert missing_double_backwards.of(CASES[0], "2.15") == MissingDoubleBackward(
        "no derivative", "nobody has written it", both=True
    )
    assert missing_double_backwards.of(CASES[1], "2.15") is None
    differing = load_missing_double_backwards(write_file(tmp_path, f"{ENTRY}    both: false\n")).of(CASES[0], "2.15")
    assert differing == MissingDoubleBackward("no derivative", "nobody has written it", both=False)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("::top]", "::tpo]", "3:13: there is no case 'suites/operators/toys.yaml::tpo'; did you mean"),
        ("::top]", "::top, suites/operators/toys.yaml::top]", "3:46: 'suites/operators/toys.yaml::top' is given twice"),
    ],
)
def test_a_case_that_does_not_exist_or_comes_twice_is_a_mistake(
    tmp_path: Path, old: str, new: str, message: str
) -> None:
    """It is named with its place."""
    with pytest.raises(DeclarationError) as caught:
        load_missing_double_backwards(write_file(tmp_path, ENTRY.replace(old, new))).check(CASES, tmp_path)
    assert message in str(caught.value)


def test_a_suite_that_is_not_run_is_not_looked_at(tmp_path: Path) -> None:
    """A run over some suites says nothing about the cases of others; over this one, it misses those of the file."""
    entries = load_missing_double_backwards(write_file(tmp_path, ENTRY))
    entries.check(["suites/operators/others.yaml::a"], tmp_path)
    with pytest.raises(DeclarationError, match="there is no case"):
        entries.check([f"{CASES[0].partition('::')[0]}::another"], tmp_path)


def test_an_entry_is_of_the_releases_in_which_it_was_seen(tmp_path: Path) -> None:
    """Of another release it is no claim; one with a range may stand beside one of other releases."""
    second = ENTRY.partition("refused:\n")[2].replace("no derivative", "not yet")
    both = f'{ENTRY}    torch: ">=2.13"\n{second}    torch: "<=2.6"\n'
    entries = load_missing_double_backwards(write_file(tmp_path, both))
    errors = {release: entries.of(CASES[0], release) for release in ("2.15", "2.13", "2.14", "2.9", "2.6", "2.0")}
    assert {release: (known.error, known.is_verified) if known else None for release, known in errors.items()} == {
        "2.15": ("no derivative", True),
        "2.13": ("no derivative", True),
        "2.14": ("no derivative", False),
        "2.9": None,
        "2.6": ("not yet", True),
        "2.0": ("not yet", False),
    }
    assert [str(releases) for releases in entries.releases(CASES[0])] == [">=2.13", "<=2.6"]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('["2.15"]', '["2"]', "1:12: '2' is not a release of PyTorch such as '2.15'"),
        ("    reason", "    torch: '<2.6'\n    reason", "5:12: '<2.6' is not a range of releases such as '<=2.6'"),
    ],
)
def test_a_release_that_is_none_is_a_mistake(tmp_path: Path, old: str, new: str, message: str) -> None:
    """It is named with its place."""
    with pytest.raises(DeclarationError) as caught:
        load_missing_double_backwards(write_file(tmp_path, ENTRY.replace(old, new)))
    assert message in str(caught.value)


def test_an_entry_without_a_reason_is_a_mistake(tmp_path: Path) -> None:
    """Silence about the reason is not accepted."""
    with pytest.raises(DeclarationError, match="reason"):
        load_missing_double_backwards(write_file(tmp_path, ENTRY.replace("    reason: nobody has written it\n", "")))


def test_the_file_names_cases_that_exist() -> None:
    """Every case of golden/double_backward.yaml is one of the shipped suites, and each of them is found by its name."""
    suites = sorted((ROOT / "suites" / "operators").glob("*.yaml"))
    cases = [case.id for suite in suites for case in load_suite(suite, ROOT).cases]
    entries = load_missing_double_backwards(ROOT / "golden" / "double_backward.yaml")
    entries.check(cases, ROOT)
    assert any(entries.of(case, "2.15") for case in cases)
