"""The package as a wheel: installed without its checkout, it does the same from any folder, and stays as it is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.plugin.project import LEVEL, SUITE, Run, needs_workers

pytest.importorskip("hatchling", reason="builds the wheel")

ROOT = Path(__file__).resolve().parent.parent
DROPPED = ("COVERAGE_", "PYTEST_", "EQUIVALENCE_", "HYPOTHESIS_", "PYTHONPATH", "PYTHONDONTWRITEBYTECODE", "CI")
"""Variables of this run that are not those of a stranger."""


@dataclass(frozen=True)
class Installation:
    """A virtual environment with the wheel, whose dependencies are those of the environment of the tests."""

    folder: Path

    @property
    def packages(self) -> Path:
        """Its ``site-packages``."""
        return Path(sysconfig.get_path("purelib", "venv", {"base": str(self.folder)}))

    def run(self, folder: Path, *arguments: str) -> Run:
        """Run ``equivalence`` as a person would who stands in that folder."""
        env = {name: value for name, value in os.environ.items() if not name.startswith(DROPPED)}
        env |= {"EQUIVALENCE_PYTHON": os.environ.get("EQUIVALENCE_PYTHON", sys.executable)}
        line = [str(self.folder / "bin" / "equivalence"), *arguments]
        done = subprocess.run(line, cwd=folder, env=env, capture_output=True, text=True, check=False)
        return Run(done.returncode, done.stdout + done.stderr)

    def state(self) -> Mapping[Path, tuple[int, int]]:
        """Size and time of change of each file and folder of the package."""
        below = [*(self.packages / "harness").rglob("*"), *self.packages.glob("*")]
        return {path: (path.stat().st_size, path.stat().st_mtime_ns) for path in below}


def differences(before: Mapping[Path, object], after: Mapping[Path, object]) -> dict[Path, tuple[object, object]]:
    """What each path was and is, where that is not the same."""
    pairs = {path: (before.get(path), after.get(path)) for path in {*before, *after}}
    return {path: pair for path, pair in pairs.items() if pair[0] != pair[1]}


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """The wheel of this checkout, built and installed; nothing is asked of an index."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(folder)]
    subprocess.run(build, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    installation = Installation(folder / "environment")
    venv.create(installation.folder, with_pip=False, symlinks=True)
    pip = [sys.executable, "-m", "pip", "--python", str(installation.folder / "bin" / "python"), "install"]
    subprocess.run([*pip, "--quiet", "--no-deps", "--no-index", str(wheel)], check=True, capture_output=True)
    (installation.packages / "dependencies.pth").write_text(sysconfig.get_path("purelib") + "\n", "utf-8")
    return installation


@pytest.fixture
def anywhere(tmp_path: Path) -> Path:
    """An empty folder."""
    folder = tmp_path / "anywhere"
    folder.mkdir()
    return folder


@needs_workers
@pytest.mark.parametrize("processes", [("-n", "2"), ()], ids=["two processes", "one process"])
def test_the_gate_runs_from_any_folder(installation: Installation, anywhere: Path, processes: tuple[str, ...]) -> None:
    """`equivalence gate` runs a shipped case with its known issues and golden data, and writes only where it stands."""
    before = installation.state()
    options = ("--eq-levels", LEVEL, "--eq-examples", "4")
    run = installation.run(anywhere, "gate", "-k", "relu6[float32]", *processes, *options)
    assert run.code == 0, run.output
    assert "1 passed" in run.output
    record = json.loads((anywhere / ".equivalence" / "record.json").read_text("utf-8"))
    ((name, item),) = record["items"].items()
    assert name == "suites/operators/activation.yaml::relu6[float32]"
    assert item["status"] == "known issue"
    assert item["golden"]["facts"] > 0
    assert differences(before, installation.state()) == {}
    assert re.search(r"^configfile: \S*/site-packages/harness/cli/gate\.ini$", run.output, re.MULTILINE)


def test_the_gate_hands_pytest_its_options(installation: Installation, anywhere: Path) -> None:
    """Options of pytest's own follow the command; ini files and conftest.py of the folder are not read."""
    (anywhere / "pytest.ini").write_text("[pytest]\naddopts = --no-such-option\n", "utf-8")
    (anywhere / "conftest.py").write_text("raise RuntimeError\n", "utf-8")
    (anywhere / "yaml.py").write_text("raise RuntimeError\n", "utf-8")
    run = installation.run(anywhere, "gate", "--collect-only", "-q", "-k", "relu6", "-p", "no:cacheprovider")
    assert run.code == 0, run.output
    assert "relu6[float32]" in run.output


def test_golden_data_of_the_package_are_not_written(installation: Installation, anywhere: Path) -> None:
    """An update of golden/ is refused for suites that are installed."""
    message = installation.run(anywhere, "gate", "-k", "relu6", "--eq-update-golden").refusal()
    assert "golden/ of the shipped suites is not written from elsewhere; run it in a checkout" in message


def test_the_contract_finds_its_golden_files(installation: Installation, anywhere: Path) -> None:
    """`equivalence contract` prints the table of the shipped suites where the folder has none of its own."""
    run = installation.run(anywhere, "contract")
    assert run.code == 0, run.output
    assert run.output.startswith("| suite | output and gradients |")
    assert "| pooling | " in run.output


@needs_workers
def test_a_suite_outside_the_checkout_is_checked(installation: Installation, anywhere: Path) -> None:
    """`equivalence check` looks at a file wherever it lies, and asks a worker about its callables."""
    (anywhere / "mine.yaml").write_text(SUITE, "utf-8")
    run = installation.run(anywhere, "check", "mine.yaml", "--levels", LEVEL)
    assert (run.code, run.output.strip()) == (0, "1 case, no mistake")


@needs_workers
def test_a_suite_beside_the_environment_is_checked(installation: Installation) -> None:
    """Known issues that are installed below the folder where a person stands are not taken for his."""
    (installation.folder / "mine.yaml").write_text(SUITE, "utf-8")
    run = installation.run(installation.folder, "check", "mine.yaml", "--levels", LEVEL)
    assert (run.code, run.output.strip()) == (0, "1 case, no mistake")


@needs_workers
def test_an_example_of_a_shipped_case_is_replayed(installation: Installation, anywhere: Path) -> None:
    """`equivalence replay` finds the case of an example that `equivalence gate` printed."""
    sizes, layouts = {"N": 1, "C": 2, "H": 1, "W": 2}, {"input": "channels_last", "grad_output": "channels_last"}
    case = "suites/operators/activation.yaml::relu6"
    example = {"case": case, "dtype": "float32", "sizes": sizes, "layouts": layouts, "fill": "reals"}
    run = installation.run(anywhere, "replay", json.dumps(example), "--levels", LEVEL)
    assert (run.code, "PASSED" in run.output) == (0, True), run.output


@needs_workers
def test_the_gate_shares_its_work(installation: Installation, anywhere: Path) -> None:
    """With xdist the workers run the same suites under the same names."""
    options = ("--eq-levels", LEVEL, "--eq-examples", "4", "-n", "2")
    run = installation.run(anywhere, "gate", "-k", "relu6 and float32 or pixel_shuffle and float64", *options)
    assert run.code == 0, run.output
    record = json.loads((anywhere / ".equivalence" / "record.json").read_text("utf-8"))
    assert "suites/operators/activation.yaml::relu6[float32]" in record["items"]
    assert all(item.startswith("suites/operators/") for item in record["items"])


def test_an_editor_gets_its_schema(installation: Installation, anywhere: Path) -> None:
    """`equivalence schema` writes it, and the modelines of the shipped suites lead to one that is installed."""
    assert installation.run(anywhere, "schema", "--write", "suite.schema.json").code == 0
    shipped = installation.packages / "harness" / "shipped" / "suites"
    suite = shipped / "operators" / "pooling.yaml"
    schema = suite.parent / suite.read_text("utf-8").partition("\n")[0].partition("$schema=")[2]
    assert schema.read_text("utf-8") == (anywhere / "suite.schema.json").read_text("utf-8")
