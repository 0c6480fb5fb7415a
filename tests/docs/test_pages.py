"""The pages of the documentation: they link to what is there, and say first what a stranger needs first."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("harness/**/*.md")])
LINK = re.compile(r"\]\((?!https?:)([^)#\s]*)(?:#([^)\s]*))?\)")


def anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as the hosts of Markdown make them."""
    headings = re.findall(r"^#+ (.*)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_every_link_leads_somewhere(page: Path) -> None:
    """Each relative link names a file that is there, and each anchor a heading of it."""
    broken = []
    for target, anchor in LINK.findall(page.read_text("utf-8")):
        file = (page.parent / target).resolve() if target else page
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(f"{target}#{anchor}" if anchor else target)
    assert broken == []


@pytest.mark.parametrize("page", PAGES, ids=[page.relative_to(ROOT).as_posix() for page in PAGES])
def test_a_path_follows_its_option_in_the_same_word(page: Path) -> None:
    """Of two words pytest takes the second for a place to look for its ini file in."""
    assert re.findall(r"--eq-(?:python|against|preload|record) +[^` ].*", page.read_text("utf-8")) == []


def test_the_first_screen_of_the_readme_has_both_commands_and_a_failure() -> None:
    """Within 60 lines a reader has the gate's command, the tests' command and one failure as it is printed."""
    screen = "\n".join((ROOT / "README.md").read_text("utf-8").splitlines()[:60])
    for text in (
        "tox -e equivalence",
        "tox -e tests",
        "differs from the float64 reference",
        "minimal example",
        "replay:",
    ):
        assert text in screen


def test_the_table_of_decisions_is_short() -> None:
    """ARCHITECTURE names files for at most fifteen questions: the names of modules lead to the rest."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    table = text.partition("## Where is it decided?")[2].partition("\n## ")[0]
    rows = [line for line in table.splitlines() if line.startswith("| ")]
    assert 5 < len(rows) - 1 <= 15


def test_the_files_that_architecture_names_exist() -> None:
    """Every path in backquotes is one of the harness, of the worker, or of the top level."""
    text = (ROOT / "ARCHITECTURE.md").read_text("utf-8")
    homes = (ROOT, ROOT / "harness", ROOT / "harness" / "worker")
    paths = re.findall(r"`([\w/]+\.(?:py|yaml|md))`", text)
    assert len(paths) > 20
    assert [path for path in paths if not any((home / path).exists() for home in homes)] == []
