"""golden/contract and golden/snapshots end to end: written by the option, compared in every run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.plugin.project import LEVEL, SUITE, Project, Run, needs_workers

pytestmark = needs_workers

PAIR = SUITE.replace("  relu:\n", "  pair:\n    names: [relu, relu6]\n").replace("functional.relu", "functional.{name}")
LAYOUTS, SNAPSHOTS_HEAD = "golden/contract/s.yaml", "golden/snapshots/s.yaml"
UPDATE = ("--eq-update-golden", "--eq-levels", LEVEL)
LINE = "    grad:input of ordinary, N = 1 at sse41: like input\n"

CONTIGUOUS = """\
from torch.nn import functional

stock = functional.relu
functional.relu = lambda input, inplace=False: stock(input).contiguous()
"""


@pytest.fixture(scope="module")
def first_update(tmp_path_factory: pytest.TempPathFactory) -> tuple[Project, Run]:
    """A project of two operators whose golden data was just written, and the run that wrote it."""
    project = Project(tmp_path_factory.mktemp("golden"))
    project.suite(PAIR)
    return project, project.pytest(*UPDATE)


@pytest.fixture
def project(first_update: tuple[Project, Run], tmp_path: Path) -> Project:
    """A copy of it."""
    for name in (LAYOUTS, SNAPSHOTS_HEAD):
        Project(tmp_path).write(name, text(first_update[0], name))
    Project(tmp_path).suite(PAIR)
    return Project(tmp_path)


def text(project: Project, name: str) -> str:
    """What a file of the project says."""
    return (project.root / name).read_text("utf-8")


def release(project: Project) -> str:
    """The release that the snapshots are of: the one under test."""
    return text(project, SNAPSHOTS_HEAD).partition('verified: ["')[2].partition('"')[0]


def first_digest(project: Project) -> str:
    """That of the first snapshot's output."""
    return re.findall(r"sha256 ([0-9a-f]{16})", text(project, SNAPSHOTS_HEAD))[0]


def run_with_edit(project: Project, name: str, old: str, new: str) -> Run:
    """A short run of relu, with the first occurrence of a text in a golden file replaced."""
    content = text(project, name)
    assert old in content
    project.write(name, content.replace(old, new, 1))
    return project.briefly("-k", "relu or golden")


def test_an_update_writes_both_files_and_says_so(first_update: tuple[Project, Run]) -> None:
    """An update judges nothing, and writes what each operator hands back and four snapshots of its values."""
    project, run = first_update
    assert run.code == 0, run.output
    assert "2 skipped" in run.output
    assert f"{LAYOUTS}: new, " in run.output
    assert f"{SNAPSHOTS_HEAD}: new, " in run.output
    assert LINE in text(project, LAYOUTS)
    assert text(project, SNAPSHOTS_HEAD).count("example: ") == 8
    assert not (project.root / ".equivalence/record.json").exists()


def test_another_update_changes_nothing(project: Project) -> None:
    """A second update, by one process or by two, leaves both files as they are."""
    before = text(project, LAYOUTS), text(project, SNAPSHOTS_HEAD)
    for more in ([], ["-n", "2"]):
        run = project.pytest(*UPDATE, *more)
        assert run.code == 0, run.output
        assert "golden/: nothing has changed" in run.output
    assert before == (text(project, LAYOUTS), text(project, SNAPSHOTS_HEAD))


def test_what_agrees_passes_and_is_counted(project: Project) -> None:
    """Facts and snapshots that were compared are counted in the record, and the suite's own item passes."""
    run = project.briefly()
    assert run.code == 0, run.output
    assert "3 passed" in run.output
    golden = project.record["items"]["suites/x/s.yaml::relu[float32]"]["golden"]
    assert (golden["facts"], golden["snapshots"], golden["differing"]) == (8, 4, [])


def test_a_deleted_line_is_missed(project: Project) -> None:
    """The item fails and shows what was observed, and the command for a change that is meant."""
    run = run_with_edit(project, LAYOUTS, LINE, "")
    assert run.code == 1
    assert (
        f"{LAYOUTS}: no line: relu: grad:input of ordinary, N = 1 at sse41 in float32: observed: like input"
        in run.output
    )
    assert "python -m pytest suites/x/s.yaml --eq-update-golden" in run.output
    assert run.output.count(f"\n{LAYOUTS}: no line: ") == 1


def test_a_changed_line_shows_old_and_new(project: Project) -> None:
    """The item fails and names the line."""
    run = run_with_edit(project, LAYOUTS, LINE, LINE.replace("like input", "like grad_output"))
    assert run.code == 1
    assert (
        "changed: relu: grad:input of ordinary, N = 1 at sse41 in float32: was: like grad_output (line " in run.output
    )
    assert "); observed: like input" in run.output


def test_a_changed_digest_shows_old_and_new(project: Project) -> None:
    """The item fails for the reference and for each cell and layout, and gives the example to replay."""
    digest = first_digest(project)
    run = run_with_edit(project, SNAPSHOTS_HEAD, digest, "0123456789abcdef")
    assert run.code == 1
    assert f"changed: relu in float32: output[0]: bytes: was: 0123456789abcdef; now: {digest}" in run.output
    assert "(reference, sse41, drawn, sse41, contiguous)" in run.output


def test_an_unknown_line_is_named(project: Project) -> None:
    """The item fails with the nearest tensor that there is; an unknown case fails the suite's own item."""
    run = run_with_edit(project, LAYOUTS, LINE, LINE + "    output[1]: like input\n")
    assert run.code == 1
    assert "unknown line: output[1]: relu has no 'output[1]'; did you mean 'output[0]'?" in run.output
    project.write(LAYOUTS, text(project, LAYOUTS).replace("  relu6:", "  relu66:"))
    run = project.briefly("-k", "golden")
    assert run.code == 1
    assert (
        f"{LAYOUTS}: unknown case 'relu66': suites/x/s.yaml has none of that name; did you mean 'relu6'?" in run.output
    )


def test_a_suite_without_golden_data_fails_once_with_the_command(project: Project) -> None:
    """Of all items of the suite one fails; a project that keeps no contract is not asked."""
    (project.root / LAYOUTS).unlink()
    run = project.briefly()
    assert run.code == 1
    assert "1 failed, 2 passed" in run.output
    advice = f"suites/x/s.yaml has no layout contract, {LAYOUTS}; observe it with"
    assert f"{advice} `python -m pytest suites/x/s.yaml --eq-update-golden`" in run.output
    (project.root / "golden/contract").rmdir()
    assert "2 passed" in project.briefly().output


def test_a_pin_that_is_deleted_is_missed(project: Project) -> None:
    """Every case whose values can be exact keeps its number of snapshots; the suite's own item counts them."""
    first = text(project, SNAPSHOTS_HEAD).partition("  - example: ")[2].partition("  - example: ")[0]
    run = run_with_edit(project, SNAPSHOTS_HEAD, f"  - example: {first}", "")
    assert run.code == 1
    assert f"{SNAPSHOTS_HEAD} has fewer than 4 snapshots of relu; observe it with" in run.output


def test_another_release_has_formats_of_its_own(project: Project) -> None:
    """A contract of another PyTorch is not compared, and the summary counts it; what is arithmetic still is."""
    here = release(project)
    for name in (LAYOUTS, SNAPSHOTS_HEAD):
        other = text(project, name).replace(f'["{here}"]', '["1.0"]').replace("like input", "contiguous")
        project.write(name, re.sub(r"strides \[(\d+)", r"strides [7\1", other))
    run = project.briefly("-k", "relu and not relu6")
    assert run.code == 0, run.output
    assert f"not compared: 8 x layout contract: {LAYOUTS} is of PyTorch 1.0, this is {here}\n" in run.output
    assert f": {SNAPSHOTS_HEAD} is of PyTorch 1.0, this is {here}: of snapshots only the values are" in run.output
    digest = first_digest(project)
    run = run_with_edit(project, SNAPSHOTS_HEAD, digest, "0123456789abcdef")
    assert run.code == 1
    assert f"output[0]: bytes: was: 0123456789abcdef; now: {digest}" in run.output


def test_an_operator_of_other_releases_only_is_not_available(project: Project) -> None:
    """Its item is skipped and listed as gone; in a release that golden/ was verified with its suite is wrong."""
    project.suite(PAIR.replace("[relu, relu6]", "[relu, old_relu]"))
    here = release(project)
    for name in (LAYOUTS, SNAPSHOTS_HEAD):
        content = text(project, name).replace("relu6", "old_relu").replace(f'["{here}"]', '["1.0"]')
        project.write(name, content)
    run = project.briefly("-k", "old_relu")
    assert run.code == 0, run.output
    assert f"golden: verified with PyTorch 1.0; this is {here}: what is new, gone or moved here is" in run.output
    assert "not available: 1 item: old_relu[float32]: torch.nn.functional has no 'old_relu'" in run.output
    assert f"PyTorch {here} is none of the releases that golden/ was verified with (1.0)" in run.output
    assert "GONE  layout contract  old_relu: not available: torch.nn.functional has no 'old_relu'" in run.output
    (change,) = project.record["release"]["changes"]
    assert change["accept"] == "python -m pytest suites/x/s.yaml --eq-update-golden"
    project.write(LAYOUTS, text(project, LAYOUTS).replace('["1.0"]', f'["{here}"]'))
    assert "torch.nn.functional has no 'old_relu'" in project.briefly("-k", "old_relu").refusal()


def test_a_part_of_a_suite_adds_no_lines_of_another_release(project: Project) -> None:
    """The contract is left as it is, and the command that adds to it is printed; a snapshot gets its range."""
    here = release(project)
    for name in (LAYOUTS, SNAPSHOTS_HEAD):
        project.write(name, text(project, name).replace(f'["{here}"]', '["1.0"]'))
    before, digest = text(project, LAYOUTS), first_digest(project)
    project.write(SNAPSHOTS_HEAD, text(project, SNAPSHOTS_HEAD).replace(digest, "0123456789abcdef", 1))
    run = project.pytest(*UPDATE, "-k", "relu")
    assert run.code == 0, run.output
    assert (
        f"{LAYOUTS} is of PyTorch 1.0, and this is {here}: its lines were left as they are; to add them" in run.output
    )
    assert text(project, LAYOUTS) == before
    assert '    torch: "<=1.0"\n    output[0]: ' in text(project, SNAPSHOTS_HEAD)
    assert f'    torch: ">={here}"\n    output[0]: ' in text(project, SNAPSHOTS_HEAD)


def test_a_kernel_that_loses_the_format_breaks_the_contract(project: Project) -> None:
    """The contract alone fails a case that promises nothing of its output."""
    project.suite(PAIR.replace("output: preserves", "output: unspecified"))
    project.write("kernels.py", CONTIGUOUS)
    run = project.briefly("-k", "relu and not relu6", "--eq-preload", "kernels.py")
    assert run.code == 1
    assert "was: like input (line " in run.output
    assert "observed: contiguous" in run.output


def test_a_partial_update_never_deletes(project: Project) -> None:
    """An update of one case keeps the lines of all others, even of a case that is gone."""
    project.suite(PAIR.replace("[relu, relu6]", "[relu, hardtanh]"))
    run = project.pytest(*UPDATE, "-k", "hardtanh")
    assert run.code == 0, run.output
    assert [name in text(project, LAYOUTS) for name in ("relu:", "relu6:", "hardtanh:")] == [True] * 3
    assert "  +  hardtanh:" in run.output
    assert not any(line.startswith("  -") for line in run.output.splitlines())


def test_an_update_is_refused_under_ci(project: Project) -> None:
    """What nobody has reviewed is not golden, whichever way it is asked for."""
    before = text(project, LAYOUTS)
    assert project.pytest(*UPDATE, CI="true").refusal().startswith("--eq-update-golden: not under CI: what nobody has")
    message = project.pytest(EQUIVALENCE_UPDATE_GOLDEN="1", CI="1").refusal()
    assert message.startswith("EQUIVALENCE_UPDATE_GOLDEN: not under CI")
    project.write("pytest.ini", "[pytest]\neq_update_golden = yes\n")
    assert project.pytest(CI="yes").refusal().startswith("eq_update_golden in the ini file: not under CI")
    assert text(project, LAYOUTS) == before


def test_a_golden_file_that_does_not_parse_is_one_message(project: Project) -> None:
    """The mistakes of both files are reported with line and column before a worker starts."""
    project.write(LAYOUTS, text(project, LAYOUTS).replace("at sse41", "at sse42", 1))
    project.write(SNAPSHOTS_HEAD, text(project, SNAPSHOTS_HEAD).replace(first_digest(project), "x"))
    message = project.pytest("--eq-python", "no/such/python").refusal()
    assert "'sse42' is not a level of the contract; did you mean 'sse41'?" in message
    assert f"{SNAPSHOTS_HEAD}:11:16: " in message
