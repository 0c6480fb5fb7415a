"""Whole runs of two builds: what is new, gone and in both, which of it fails, and what cannot be compared."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from tests.plugin.project import LEVEL, SUITE, Project, Run, needs_workers
from tests.plugin.test_resume import OPTIONS, killed_after, record_of

pytestmark = needs_workers

PYTHON = os.environ.get("EQUIVALENCE_PYTHON") or sys.executable

PYTHON_OPTION = f"--eq-python={PYTHON}"
"""In one word: pytest takes the path of an option that it does not know yet for one to find its ini file by."""

NAMES = "relu, relu6, hardtanh"
CASES = SUITE.replace("  relu:\n", f"  kernel:\n    names: [{NAMES}]\n").replace("functional.relu", "functional.{name}")

RELEASE = '''\
"""A release in which relu and relu6 are wrong for wide channels-last images of float32."""

from torch.nn import functional

def spoil(name):
    stock = getattr(functional, name)
    def spoiled(input, *rest, **options):
        y = stock(input, *rest, **options)
        wide = input.dim() == 4 and input.shape[3] > 2 and input.shape[1] > 1
        last = wide and not input.is_contiguous() and input.stride(1) == 1
        return y + 1 if last and input.dtype.itemsize == 4 else y
    spoiled.stock, spoiled.__module__ = stock, stock.__module__
    setattr(functional, name, spoiled)

spoil("relu")
spoil("relu6")
'''

KERNELS = '''\
"""Plants a fault in hardtanh, mends that of relu6, and leaves that of relu."""

from torch.nn import functional
import sitecustomize

sitecustomize.spoil("hardtanh")
functional.relu6 = functional.relu6.stock
'''

MENDING = "from torch.nn import functional\nfunctional.relu6 = functional.relu6.stock\n"


def write_release(project: Project) -> str:
    """An interpreter whose PyTorch has faults from its start, as a build has them."""
    project.write("release/sitecustomize.py", RELEASE)
    site = project.root / "release"
    python = project.write("bin/python", f'#!/bin/sh\nPYTHONPATH="{site}" exec "{PYTHON}" "$@"\n')
    python.chmod(0o755)
    return str(python)


def compare(project: Project, *arguments: str) -> Run:
    """A short run of the release with a file of kernels, against the release."""
    options = ("--eq-python", write_release(project), "--eq-levels", LEVEL, "--eq-examples", "24")
    return project.pytest(*options, "--eq-preload", "kernels.py", *arguments)


def section(output: str) -> str:
    """What is printed of the comparison, but for versions and paths."""
    return output.partition("what is new in the build under test alone fails\n")[2].partition("\nrecord: ")[0]


@pytest.fixture
def kernels(tmp_path: Path) -> Project:
    """A suite of three operators, and kernels to compare with a release."""
    project = Project(tmp_path)
    project.suite(CASES)
    project.write("kernels.py", KERNELS)
    return project


def test_new_gone_and_both_are_told_apart(kernels: Project) -> None:
    """The planted fault alone fails the run; the mended one is gone, the third is in both; the record has it all."""
    run = compare(kernels, "--eq-against", "stock")
    assert run.code == 1, run.output
    assert "1 failed, 2 passed" in run.output
    new, _, rest = section(run.output).partition("gone: ")
    gone, _, both = rest.partition("in both: ")
    assert "new: 1\n  FAILS  hardtanh[float32]: values of output[0] at sse41" in new
    assert gone.startswith("1\n  relu6[float32]: values of output[0] at sse41")
    assert both.startswith("1\n  relu[float32]: values of output[0] at sse41")
    assert "the build to compare with, does not fail there in that way" in run.output
    against = kernels.record["against"]
    assert against["interpreter"] == str(kernels.root / "bin/python")
    assert list(against["levels"]) == list(kernels.record["levels"])
    items = {name.partition("::")[2]: item["against"] for name, item in kernels.record["items"].items()}
    changes = {name: {each["change"] for each in item["findings"]} for name, item in items.items()}
    assert changes == {"hardtanh[float32]": {"new"}, "relu6[float32]": {"gone"}, "relu[float32]": {"in both"}}


def test_a_run_in_which_nothing_is_new_is_green(kernels: Project) -> None:
    """With two processes too; the header has both builds and the proof of each level of both."""
    kernels.write("kernels.py", MENDING)
    run = compare(kernels, "--eq-against", "stock", "-n", "2")
    assert run.code == 0, run.output
    assert "3 passed" in run.output
    assert f"\nagainst: {kernels.root / 'bin/python'}\n" in run.output
    proof = run.output.partition(f"\nlevel {LEVEL}: ")[2].partition("\n")[0]
    assert "sse4" in proof.lower()
    assert f"\nagainst: level {LEVEL}: {proof}\n" in run.output
    assert "new: nothing\n" in run.output


def test_the_baseline_may_be_another_interpreter(kernels: Project) -> None:
    """The release's own faults are new against the build without them; preloads are not loaded there."""
    run = compare(kernels, f"--eq-against={PYTHON}")
    assert run.code == 1, run.output
    assert "new: 2\n" in section(run.output)
    assert "gone: nothing\nin both: nothing\n" in section(run.output)


def test_parts_of_a_comparison_are_the_whole(kernels: Project) -> None:
    """One part by itself, one by a process of xdist: merged they are the record of one run, which says against what."""
    python = f"--eq-python={write_release(kernels)}"
    options = (*OPTIONS, python, "--eq-against=stock")
    whole = kernels.pytest(*options, "--eq-record=whole.json")
    assert whole.code == 1, whole.output
    for part, more in (("1/2", ()), ("2/2", ("-n", "1"))):
        run = kernels.pytest(*options, f"--eq-shard={part}", f"--eq-record={part[0]}.json", *more)
        assert run.code in (0, 1), run.output
    merged = kernels.command("merge", "1.json", "2.json", "--record", "merged.json")
    assert merged.code == 0, merged.output
    assert record_of(kernels, "merged.json") == record_of(kernels, "whole.json")
    assert record_of(kernels, "merged.json")["against"]["interpreter"] == str(kernels.root / "bin/python")
    other = kernels.pytest(*OPTIONS, python, f"--eq-against={PYTHON}", "--eq-shard=2/2", "--eq-record=2.json")
    assert other.code in (0, 1), other.output
    refusal = kernels.command("merge", "1.json", "2.json", "--record", "no.json").refusal()
    assert refusal.startswith("1.json is of a run compared with PyTorch ")
    assert f"({kernels.root}/bin/python), and 2.json with PyTorch " in refusal


def test_a_comparison_that_was_ended_goes_on(kernels: Project) -> None:
    """Killed and resumed it ends as one that nobody ended; compared with another build it is refused in a sentence."""
    python = f"--eq-python={write_release(kernels)}"
    options = (python, "--eq-against=stock")
    whole = kernels.pytest(*OPTIONS, *options, "--eq-record=whole.json")
    assert whole.code == 1, whole.output
    done = killed_after(kernels, "ended.json", 1, *options)
    assert 0 < len(done) < 3
    again = ("--eq-record=ended.json", "--eq-resume")
    for other, words in ((f"--eq-against={PYTHON}", f"({PYTHON})"), ("", "no other build")):
        (message,) = kernels.pytest(*OPTIONS, python, *filter(None, [other]), *again).refusal().splitlines()
        assert message.startswith("--eq-resume: ")
        assert "is of a run compared with PyTorch " in message
        assert message.endswith(f"{words}; leave --eq-resume out to begin anew")
    resumed = kernels.pytest(*OPTIONS, *options, *again, "-n", "2")
    assert resumed.code == 1, resumed.output
    assert section(resumed.output) == section(whole.output)
    assert record_of(kernels, "ended.json") == record_of(kernels, "whole.json")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((PYTHON_OPTION, PYTHON_OPTION), "--eq-python: given 2 times; a run tests one build"),
        ((f"--eq-against={PYTHON}", f"--eq-against={PYTHON}"), "--eq-against: given 2 times; a run compares with one"),
        ((PYTHON_OPTION, f"--eq-against={PYTHON}"), "both builds are the same interpreter"),
        ((PYTHON_OPTION, "--eq-against", "stock"), "both builds are the same interpreter"),
        (("--eq-against", "/no/python"), "there is no interpreter /no/python"),
        (("--eq-against", "stock", "--eq-in-process"), "leave out --eq-in-process"),
        (("--eq-against", "stock", "--eq-update-golden"), "leave out --eq-update-golden"),
    ],
)
def test_what_cannot_be_compared_is_refused(project: Project, arguments: tuple[str, ...], message: str) -> None:
    """One message that says what to give instead, before anything runs."""
    assert message in project.briefly(*arguments).refusal()
