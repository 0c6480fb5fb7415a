"""What a project declares: its own files where it has them, and what is shipped where it has not."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.errors import UserError
from harness.project import Project
from harness.resources import SHIPPED, resource, resource_files
from tests.plugin.project import SUITE

MODELS = """\
suite: nets
models:
  small: {factory: nets.small, inputs: {x: {shape: [1, 3, 8, 8]}}}
"""


def write_file(path: Path, text: str) -> Path:
    """A new file, its directories made."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    return path


def test_shipped_data_gives_way_to_the_projects_own(tmp_path: Path) -> None:
    """A file is that of the project where it has it; one that nobody has is a mistake."""
    assert resource(tmp_path, "suites/isa.yaml").is_file()
    own = write_file(tmp_path / "suites" / "isa.yaml", "")
    assert resource(tmp_path, "suites/isa.yaml") == own
    with pytest.raises(UserError, match=r"none\.yaml: not found below"):
        resource(tmp_path, "suites/none.yaml")


def test_a_folder_of_files_gives_way_as_a_whole(tmp_path: Path) -> None:
    """A project with one file of known issues has no other; a file and a folder of the same name belong together."""
    shipped = resource_files(tmp_path, "golden/issues")
    assert shipped
    assert tmp_path not in shipped[0].parents
    own = [write_file(tmp_path / "golden" / name, "issues: {}\n") for name in ("issues.yaml", "issues/conv.yaml")]
    assert resource_files(tmp_path, "golden/issues") == own
    with pytest.raises(UserError, match=r"golden/none\.yaml: not found below"):
        resource_files(tmp_path, "golden/none")


def test_files_of_cases_and_of_models_are_told_apart(tmp_path: Path) -> None:
    """Each is read with the files beside it, and gives its cases or its models."""
    suite = write_file(tmp_path / "suites/x/s.yaml", SUITE)
    models = write_file(tmp_path / "suites/models/m.yaml", MODELS)
    project = Project(tmp_path)
    assert {file: [case.name for case in cases] for file, cases in project.suites([suite, models]).items()} == {
        suite: ["relu"]
    }
    assert {file: [model.name for model in group] for file, group in project.models([suite, models]).items()} == {
        models: ["small"]
    }
    assert list(project.cases([suite])) == ["suites/x/s.yaml::relu"]


def test_a_file_is_read_once(tmp_path: Path) -> None:
    """What a project declares does not change while it is open."""
    suite = write_file(tmp_path / "suites/x/s.yaml", SUITE)
    project = Project(tmp_path)
    cases = project.cases([suite])
    suite.write_text("", "utf-8")
    assert project.cases([suite]) == cases


def test_the_mistakes_of_several_files_come_together(tmp_path: Path) -> None:
    """One error has the mistakes of both files."""
    files = [write_file(tmp_path / f"suites/x/{name}.yaml", SUITE.replace("call:", "cal:")) for name in "ab"]
    with pytest.raises(UserError) as refused:
        Project(tmp_path).cases(files)
    assert [line.partition(":")[0] for line in str(refused.value).splitlines()] == [
        "suites/x/a.yaml",
        "suites/x/b.yaml",
    ]


def test_the_operators_that_explain_a_model_are_the_projects_own(tmp_path: Path) -> None:
    """Where it has suites of operators, those that are shipped explain nothing."""
    write_file(tmp_path / "suites/operators/s.yaml", SUITE)
    assert [case.name for case in Project(tmp_path).operators()] == ["relu"]


def test_the_shipped_suites_are_a_project_of_their_own(tmp_path: Path) -> None:
    """From anywhere they have the ids, known issues and golden data that they have at home, beside a project's own."""
    own = write_file(tmp_path / "suites/x/s.yaml", SUITE)
    project = Project(tmp_path)
    cases = project.cases([own, SHIPPED / "suites" / "operators" / "pooling.yaml"])
    mine, theirs = cases["suites/x/s.yaml::relu"], cases["suites/operators/pooling.yaml::max_pool2d"]
    assert project.home_of(mine) is project
    assert not project.home_of(mine).golden.is_kept
    home = project.home_of(theirs)
    assert home.root == SHIPPED
    assert home.golden.contract(theirs).lines("max_pool2d")
    assert home.known_issues.entries


def test_a_case_that_is_declared_here_and_shipped_is_refused(tmp_path: Path) -> None:
    """A run of both files would take one case for the other; each alone is read."""
    own = write_file(tmp_path / "suites/operators/pooling.yaml", SUITE.replace("relu:", "max_pool2d:", 1))
    shipped = SHIPPED / "suites" / "operators" / "pooling.yaml"
    with pytest.raises(UserError, match=r"pooling\.yaml::max_pool2d: declared below .* run one of the two at a time"):
        Project(tmp_path).cases([own, shipped])
    assert len(Project(tmp_path).cases([shipped])) > len(Project(tmp_path).cases([own])) == 1


def test_every_case_is_the_projects_or_else_shipped(tmp_path: Path) -> None:
    """A folder without suites has those that are shipped."""
    assert "suites/operators/pooling.yaml::max_pool2d" in Project(tmp_path).every_case()
    write_file(tmp_path / "suites/x/s.yaml", SUITE)
    assert list(Project(tmp_path).every_case()) == ["suites/x/s.yaml::relu"]
