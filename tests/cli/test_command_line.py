"""`equivalence`: its commands, and one message with exit code 4 for what was typed wrong."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest

from harness import __version__
from harness.cli import main
from tests.plugin.project import LEVEL, SUITE, Project, needs_workers

NOWHERE = "no/such/python"
EXAMPLE: dict[str, Any] = {
    "case": "suites/x/s.yaml::relu",
    "dtype": "float32",
    "sizes": {"N": 1, "C": 1, "H": 1, "W": 2},
    "layouts": {},
}
COVERAGE = """\
operators: {mine: {about: one, link: none, names: [relu]}}
functions:
  torch.nn.functional:
    not_on_maps: [{names: [conv1d], reason: three dimensions}]
"""
ANY = "arguments: [{names: ['*'], reason: of no concern here}]\n"


@needs_workers
def test_the_doctor_proves_each_level(project: Project) -> None:
    """`doctor` prints the build, the CPU and what was read back at the level asked for, and exits with 0."""
    run = project.command("doctor", "--levels", LEVEL)
    assert run.code == 0, run.output
    assert re.search(r"^under test: PyTorch \S+, oneDNN \S*, NumPy \S+, Python 3\.\d+", run.output)
    assert f"\nlevel {LEVEL}: onednn " in run.output
    assert "profile" not in run.output


@needs_workers
def test_a_suite_without_a_mistake(project: Project) -> None:
    """`check` asks a worker about the callables and says how many cases there are."""
    run = project.command("check", "suites/x/s.yaml", "--levels", LEVEL)
    assert (run.code, run.output.strip()) == (0, "1 case, no mistake")


@needs_workers
def test_models_are_checked_beside_cases(project: Project) -> None:
    """`check` looks for factories, and names the packages without which some could not be looked for."""
    project.write(
        "suites/models/m.yaml",
        "suite: m\ndefaults: {inputs: {x: {shape: [1, 3, 8, 8]}}}\nmodels:\n"
        "  there: {factory: nhwc_equivalence.worker.callables.blocks.unet,\n"
        "          arguments: {channels: 3, width: 4, depth: 1}}\n"
        "  absent: {factory: nothing_there.make, requires: [nothing_there]}\n",
    )
    run = project.command("check", "suites/models/m.yaml", "suites/x/s.yaml", "--levels", LEVEL)
    assert run.code == 0, run.output
    assert run.output.startswith("1 case, 2 models, no mistake\nnot looked at: nothing_there is not installed")
    project.write("suites/models/m.yaml", (project.root / "suites/models/m.yaml").read_text().replace("unet", "tuna"))
    message = project.command("check", "suites/models/m.yaml", "--levels", LEVEL).refusal()
    assert message.startswith("suites/models/m.yaml:4:3: there: nhwc_equivalence.worker.callables.blocks has no 'tuna'")


@needs_workers
def test_the_coverage_of_a_record(project: Project) -> None:
    """`coverage` lists what a run reached and missed, of arguments too; it exits with 1 while anything is missing."""
    project.write("golden/coverage.yaml", COVERAGE)
    assert project.briefly("-k", "float32").code == 0
    run = project.command("coverage", "--levels", LEVEL)
    assert run.code == 1, run.output
    assert "mine: 1 of 1 operators, 100.0 %" in run.output
    assert "\n  relu: suites/x/s.yaml::relu\n" in run.output
    assert "\n  conv2d: MISSING: " in run.output
    assert re.search(r"\n  aten::\w+/\w+: MISSING: ", run.output)
    offered = re.findall(r"^  (\w+): MISSING", run.output, re.MULTILINE)
    explained = f"    left_out: [{{names: {offered}, reason: none of them}}]\n"
    project.write("golden/coverage.yaml", COVERAGE + explained + ANY)
    run = project.command("coverage", "--levels", LEVEL)
    assert (run.code, "MISSING" in run.output) == (0, False), run.output


def test_coverage_without_a_record(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """`coverage` says how to get a record before any worker starts."""
    message = refusal(project, capsys, "coverage", "--record", "mine.json")
    assert re.search(r"^there is no record \S*mine.json; run the whole gate \(`pytest suites`", message)


def refusal(project: Project, capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """The one message of a command that was refused."""
    with contextlib.chdir(project.root):
        code = main([*arguments, "--python", NOWHERE])
    error = capsys.readouterr().err
    assert code == 4
    assert error.count("ERROR: ") == 1
    return error.removeprefix("ERROR: ").strip()


EXAMPLES = {
    "no JSON": ("{case: 1}", "replay: not JSON: "),
    "no file": ("nowhere.json", "replay: nowhere.json:1:1: cannot be read: there is no such file"),
    "no object": ("list.json", "replay: an example is a JSON object"),
    "empty list": ("[]", "replay: the list holds no example"),
    "binary": ("binary.json", "replay: "),
    "unknown field": (json.dumps({**EXAMPLE, "colour": 1}), "replay: an example has no 'colour'; it has absent, case"),
    "missing field": (json.dumps({"case": "x"}), "replay: an example needs 'dtype'"),
    "wrong type": (json.dumps({**EXAMPLE, "threads": "two"}), "an example's 'threads' is a whole number, not 'two'"),
    "small number": (json.dumps({**EXAMPLE, "seed": -1}), "replay: an example's 'seed' is at least 0, not -1"),
    "wrong names": (json.dumps({**EXAMPLE, "absent": [1]}), "replay: an example's 'absent' are names, not 1"),
    "no suite": (json.dumps({**EXAMPLE, "case": "suites/y.yaml::relu"}), "suites/y.yaml"),
    "no case": (
        json.dumps({**EXAMPLE, "case": "suites/x/s.yaml::rely"}),
        "replay: suites/x/s.yaml has no case 'rely'; it has relu",
    ),
    "no dtype": (json.dumps({**EXAMPLE, "dtype": "int3"}), "relu is not run in 'int3'; its dtypes are float32"),
    "deep list": ("[" * 2000, "replay: nested too deeply to be read"),
    "deep object": ('{"a":' * 2000, "replay: nested too deeply to be read"),
    "deep size": (json.dumps({**EXAMPLE, "sizes": {**EXAMPLE["sizes"], "N": [[[1]]]}}), "'N' is a whole number, not"),
    "no value": (
        json.dumps({**EXAMPLE, "sizes": {"N": {"a": 1}}}),
        "replay: an example's 'sizes' are numbers",
    ),
    "a list of texts": (json.dumps([json.dumps(EXAMPLE)]), "replay: an example is a JSON object"),
    "endless name": (json.dumps({**EXAMPLE, "case": "x" * 5000}), "'case' has at most 1000 characters, not 5000"),
    "long path": (json.dumps({**EXAMPLE, "case": "x" * 900 + "::relu"}), "not found below"),
    "endless path": ("x" * 5000, "File name too long"),
    "null byte": (json.dumps({**EXAMPLE, "case": "suites/x/s\0.yaml::relu"}), "suites/x/s"),
    "device": ("/dev/zero", "replay: /dev/zero:1:1: cannot be read: it is a device, and not a regular file"),
    "large tensor": (
        json.dumps({**EXAMPLE, "sizes": {"N": 1, "C": 1, "H": 200000000, "W": 2}}),
        "its tensors have 400,000,000 elements, of which 'input' has 400,000,000; no more than 134,217,728 can be run",
    ),
    "larger tensor": (json.dumps({**EXAMPLE, "sizes": {"N": 2**60, "C": 2**60, "H": 2**60, "W": 2}}), "can be run"),
    "negative size": (
        json.dumps({**EXAMPLE, "sizes": {"N": -1, "C": 1, "H": 1, "W": 2}}),
        "input has a size 'N' = -1 with N=-1; sizes are 0 or more",
    ),
    "many threads": (json.dumps({**EXAMPLE, "threads": 10**30}), "replay: the whole number 1000000000000000000"),
    "some more threads": (json.dumps({**EXAMPLE, "threads": 5000}), "an example's 'threads' is at most 1024, not 5000"),
    "long seed": (json.dumps({**EXAMPLE, "seed": 2**63}), "has more than 64 bits"),
    "no fill": (json.dumps({**EXAMPLE, "fill": "nonsense"}), "there is no fill 'nonsense'"),
    "no path": (json.dumps({**EXAMPLE, "path": "nonsense"}), "relu has no path 'nonsense'"),
    "no layout": (json.dumps({**EXAMPLE, "layouts": {"input": "diagonal"}}), "there is no layout 'diagonal'"),
    "no size": (json.dumps({**EXAMPLE, "sizes": {"N": 1}}), "it gives no value for the size 'C'"),
}


@pytest.mark.parametrize(("text", "expected"), EXAMPLES.values(), ids=EXAMPLES)
def test_an_example_that_cannot_be_replayed(
    project: Project, capsys: pytest.CaptureFixture[str], text: str, expected: str
) -> None:
    """No worker is started for what is not an example of a case that there is."""
    project.write("list.json", "[1]")
    project.write("binary.json", b"\xff\xfe")
    assert expected in refusal(project, capsys, "replay", text)


@needs_workers
def test_an_example_that_shows_nothing(project: Project) -> None:
    """Where no check could have failed `replay` says so and not that it passed, and exits as an item does: with 1."""
    example = {**EXAMPLE, "layouts": {"input": "contiguous"}}
    run = project.command("replay", "--levels", LEVEL, json.dumps(example))
    assert run.code == 1, run.output
    lines = run.output.splitlines()
    assert lines[0].startswith('UNTRUSTED: {"case": "suites/x/s.yaml::relu"')
    assert lines[1].startswith("nothing was checked: no check of it could have failed at any level")
    assert lines[2] == "untrusted: same layout"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["check", "nowhere.yaml"], "there is no file nowhere.yaml"),
        (["doctor", "--preload", "nowhere.py"], "--preload: there is no file nowhere.py"),
        (["doctor", "--levels", " , "], "--levels: ' , ' names nothing; give names separated by commas"),
        (["doctor"], f"there is no interpreter {NOWHERE}; give the path of the Python that has the PyTorch to test"),
        (["doctor", "--in-process"], "in-process runs use this interpreter; another one cannot be given with them"),
    ],
)
def test_a_wrong_argument(
    project: Project, capsys: pytest.CaptureFixture[str], arguments: list[str], expected: str
) -> None:
    """The message says which argument, and what would be right."""
    assert expected in refusal(project, capsys, *arguments)


def test_the_interpreter_under_test_comes_from_the_environment(
    project: Project, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """EQUIVALENCE_PYTHON is honoured where --python is not given."""
    monkeypatch.setenv("EQUIVALENCE_PYTHON", "other/python")
    monkeypatch.chdir(project.root)
    assert main(["doctor"]) == 4
    assert "there is no interpreter other/python" in capsys.readouterr().err


def test_mistakes_of_a_suite_on_the_command_line(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """`check` reports what no draw can satisfy, as pytest would, before a worker starts."""
    project.suite(SUITE.replace("    numerics: exact\n", '    numerics: exact\n    require: ["N > N"]\n'))
    assert "nothing satisfies this case: 'N > N' does not hold" in refusal(project, capsys, "check", "suites/x/s.yaml")


SEVERAL = """\
suite: x
zzz: 1
cases:
  relu:
    call: torch.nn.functional.relu
    sizes: {N: batch, C: channels, H: spatail}
    tensors: {input: {shape: [N, C, Hi]}}
    numerics: exacts
    examples: [{why: a test, sizes: {N: 0}}]
  relux:
    call: torch.nn.functional.relux
    sizes: {N: batch}
    tensors: {input: {shape: [N]}}
    numerics: exact
  never:
    call: torch.nn.functional.relu
    sizes: {N: batch}
    require: ["N > N"]
    tensors: {input: {shape: [N]}}
    numerics: exact
"""
PLACES = ["2:1", "6:39", "7:37", "8:15", "9:41", "15:3"]
"""Where its mistakes are that need no worker: a key, a word, a name, a rule, a number, a condition."""


@needs_workers
def test_all_mistakes_of_a_file_come_at_once(project: Project) -> None:
    """`check` says what is wrong in form and in meaning, cannot be drawn, or does not exist, each in its place."""
    project.suite(SEVERAL)
    lines = project.command("check", "suites/x/s.yaml", "--levels", LEVEL).refusal().splitlines()
    places = [":".join(line.split(":")[1:3]) for line in lines]
    assert places == sorted([*PLACES, "10:3"], key=lambda place: int(place.partition(":")[0]))
    assert "s.yaml:10:3: relux: torch.nn.functional has no 'relux'" in "\n".join(lines)


def test_mistakes_come_without_a_worker_too(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    """Where there is no interpreter the mistakes are said all the same, and that nobody was asked for the callables."""
    project.suite(SEVERAL)
    *lines, last = refusal(project, capsys, "check", "suites/x/s.yaml").splitlines()
    assert [":".join(line.split(":")[1:3]) for line in lines] == PLACES
    assert last.startswith(f"callables were not looked for: there is no interpreter {NOWHERE}")


@pytest.mark.parametrize("arguments", [[], ["retry"], ["replay"], ["doctor", "--level", "x", "--wrong"]])
def test_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    """What argparse refuses exits with 4 too, with the usage above the one message."""
    with pytest.raises(SystemExit) as exit_:
        main(arguments)
    assert exit_.value.code == 4
    error = capsys.readouterr().err
    assert "equivalence" in error.partition("ERROR: ")[0]
    assert error.count("ERROR: ") == 1


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    """`--version` prints the package's."""
    with pytest.raises(SystemExit):
        main(["--version"])
    assert capsys.readouterr().out.strip() == __version__
