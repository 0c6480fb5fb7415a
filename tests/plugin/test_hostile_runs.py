"""A kernel whose error text means harm: in a terminal, in JUnit, in Markdown, in the report, it is text."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET

import pytest

from harness.reporting.foreign_text import visible_text
from tests.plugin.project import Project, needs_workers

pytestmark = needs_workers

KERNELS = '''\
"""Loaded over the stock function: it raises what no terminal and no page should obey."""

from torch.nn import functional

def relu(input, inplace=False):
    raise RuntimeError("</script><script>alert(1)</script>\\x1b[2J"
        "\\x1b]0;x\\x07\\n| a | b |\\n```\\n\\u202e & \\"'" + "y" * 10000)

functional.relu = relu
'''


@pytest.mark.parametrize("processes", [[], ["-n", "1"]])
def test_an_error_text_is_only_text(project: Project, processes: list[str]) -> None:
    """Nothing of it is obeyed, and the run ends as one in which an item fails."""
    project.write("kernels.py", KERNELS)
    options = ["--eq-preload", "kernels.py", "--junitxml", "junit.xml", *processes]
    run = project.briefly(*options, GITHUB_STEP_SUMMARY=str(project.root / "step.md"))
    assert run.code == 1, run.output
    assert "<script>alert(1)</script>" in run.output
    assert visible_text(run.output) == run.output
    text = ET.parse(project.root / "junit.xml").getroot()  # noqa: S314 - written by pytest just now
    assert [element.tag for element in text.iter() if element.tag == "script"] == []
    step = (project.root / "step.md").read_text("utf-8")
    assert step.startswith("## Memory formats: 1 of 1 items fail")
    assert "<script>" not in step.partition("```sh")[0]
    assert visible_text(step) == step
    draft = project.command("draft")
    assert draft.code == 0, draft.output
    assert visible_text(draft.output) == draft.output
    outside_code = re.sub(r"^(`{3,})\w*\n.*?\n\1$", "", draft.output, flags=re.MULTILINE | re.DOTALL)
    assert re.findall("<[^>]*>", outside_code) == []
    assert "&lt;script>" in outside_code
    assert project.command("report", ".equivalence/record.json", "--html", "report.html").code == 0
    page = (project.root / "report.html").read_text("utf-8")
    assert page.count("<script>") == 1
    assert visible_text(page) == page


def test_the_summary_of_a_step_is_appended(project: Project) -> None:
    """What other steps wrote stays; a file that cannot be written is said, and changes no verdict."""
    project.write("step.md", "# before\n")
    run = project.briefly(GITHUB_STEP_SUMMARY="step.md")
    assert run.code == 0, run.output
    text = (project.root / "step.md").read_text("utf-8")
    assert text.startswith("# before\n## Memory formats: 1 items, none fails")
    again = project.briefly(GITHUB_STEP_SUMMARY="no/step.md")
    assert again.code == 0
    assert "ERROR: GITHUB_STEP_SUMMARY: no/step.md: No such file or directory" in again.output
