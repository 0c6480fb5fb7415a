"""Scripts of plain PyTorch: what is in them, how long they are, and where there is none."""

from __future__ import annotations

import ast
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from syrupy.assertion import SnapshotAssertion

from harness.core import Case, Example, Expression, Level, Numerics, Size, TensorSpec
from harness.oracles import round_to
from harness.project import Project
from harness.reporting import MOST_LINES, NoScriptError, ScriptSubject, fault_scripts, write_script
from harness.reporting.script_inputs import number_text
from harness.resources import SHIPPED

AVX2 = Level("avx2", "x86_64", "AVX2", "avx2")
RELU = Case(
    id="suites/operators/activation.yaml::relu",
    name="relu",
    suite="activation",
    line=1,
    call="torch.nn.functional.relu",
    sizes=tuple(Size(name, "channels") for name in "NCHW"),
    tensors=(TensorSpec("input", tuple(Expression.parse(name) for name in "NCHW"), channels_last=True),),
    numerics=Numerics("exact", "selection"),
    preserves=("input",),
)
EXAMPLE = Example(RELU.id, "float32", {"N": 1, "C": 2, "H": 1, "W": 2}, {"input": "channels_last"}, seed=1)
SUBJECT = ScriptSubject(
    title="relu in float32 at the level avx2: values of output[0]",
    case=RELU,
    example=EXAMPLE,
    level=AVX2,
    oracle="values",
    tensor="output[0]",
)


def test_a_script_makes_the_setting_of_its_example() -> None:
    """Before the call; the usual settings need no line."""
    subject = replace(SUBJECT, example=EXAMPLE.but(setting="deterministic"))
    assert "torch.use_deterministic_algorithms(True, warn_only=True)" in write_script(subject, poison=False)
    assert "deterministic" not in write_script(SUBJECT, poison=False)
    assert "torch.set_num_threads(4)" in write_script(
        replace(SUBJECT, example=EXAMPLE.but(setting="four_threads")), poison=False
    )


def test_a_script_leaves_code_in_a_fresh_cache_before_it_compiles_at_its_own_level() -> None:
    """AVX-512 first, and never in float64; other scripts set no cache."""
    text = write_script(replace(SUBJECT, example=EXAMPLE.but(path="cached")), poison=False)
    assert 'os.environ["TORCHINDUCTOR_CACHE_DIR"] = tempfile.mkdtemp()' in text
    assert 'for level in ("avx512", own):' in text
    assert "(call if exact else torch.compile(call, dynamic=True))(t)" in text
    assert "tempfile" not in write_script(SUBJECT, poison=False)


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "vmap_last",
            "in_dims=-1, out_dims=-1)\n    y = batched(*[x.unsqueeze(-1).expand(*x.shape, 2) for x in t.values()])",
        ),
        ("vmap_one", "in_dims=dim)\n    y = batched(torch.stack([x, x], dim))"),
        ("per_sample", 'torch.vmap(sample)(two(t["input"]), two(g))'),
    ],
)
def test_a_script_maps_over_the_dimensions_of_its_path(path: str, text: str) -> None:
    """Of all tensors the last one, of the first tensor alone the one behind its first, of samples those before."""
    script = write_script(replace(SUBJECT, example=EXAMPLE.but(path=path), oracle="error", tensor="*"), poison=False)
    assert text in script
    ast.parse(script)


@pytest.fixture(scope="module")
def shipped() -> Project:
    """What this project declares."""
    return Project(SHIPPED)


@pytest.fixture(scope="module")
def scripts(shipped: Project) -> list[str]:
    """Every script of every known issue."""
    cases = shipped.every_case()
    return [
        script
        for fault in shipped.known_issues.faults
        for poison in (False, True)
        for script in fault_scripts(fault, cases, shipped.levels, poison=poison)
    ]


def test_a_script_of_wrong_values(snapshot: SnapshotAssertion) -> None:
    """The level, the numbers, the call, and a comparison with float64."""
    assert write_script(SUBJECT, poison=False) == snapshot


def test_a_script_of_a_wrong_gradient_in_half(snapshot: SnapshotAssertion) -> None:
    """It draws several grad_outputs, lays them out, and counts units in the last place."""
    example = EXAMPLE.but(dtype="bfloat16", layouts={"input": "channels_last:slice_c", "grad_output": "channels_last"})
    assert write_script(replace(SUBJECT, example=example, tensor="grad:input"), poison=True) == snapshot


def test_a_script_with_a_preload_and_an_earlier_call(snapshot: SnapshotAssertion) -> None:
    """The reference is computed before the file is imported, and the earlier call is made after."""
    earlier = EXAMPLE.but(sizes={**EXAMPLE.sizes, "N": 3})
    subject = replace(SUBJECT, earlier=earlier, preload=(Path("/kernels/mine.py"),))
    assert write_script(subject, poison=False) == snapshot


def test_a_script_of_what_is_wrong_as_laid_out_alone(snapshot: SnapshotAssertion) -> None:
    """Where the contiguous copy is wrong too it does not show the fault."""
    script = write_script(replace(SUBJECT, only_as_laid_out=True), poison=False)
    assert script.partition("\n\n")[2].partition("\n\n")[2] == snapshot


@pytest.mark.parametrize(
    ("name", "is_of_layouts"), [("batch-norm-strided-parameters", True), ("kl-div-batchmean-half-overflow", False)]
)
def test_what_a_known_issue_says_of_layouts_is_in_its_script(name: str, is_of_layouts: bool, shipped: Project) -> None:
    """A condition that is not true of contiguous tensors makes the contiguous copy the proof of the script."""
    fault = shipped.known_issues.fault(name)
    assert fault is not None
    scripts = list(fault_scripts(fault, shipped.every_case(), shipped.levels, poison=False))
    assert scripts
    assert {"if wrong_in == {False} else" in script for script in scripts} == {is_of_layouts}


@pytest.mark.parametrize("oracle", ["strides", "dtype", "written", "repeat", "error", "crash", "hang"])
def test_a_script_of_each_property(oracle: str, snapshot: SnapshotAssertion) -> None:
    """Each has a check of its own after the same call."""
    tensor = {"written": "input", "error": "*", "crash": "*", "hang": "*"}.get(oracle, "output[0]")
    script = write_script(replace(SUBJECT, oracle=oracle, tensor=tensor), poison=False)  # type: ignore[arg-type]
    assert script.partition("\n\n")[2].partition("\n\n")[2] == snapshot


def test_scripts_are_short_and_need_torch_alone(scripts: list[str]) -> None:
    """Each is a program of at most 40 lines that imports torch and what Python brings."""
    trees = [ast.parse(script) for script in scripts]
    imports = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Import)]
    assert {alias.name for node in imports for alias in node.names} == {"os", "sys", "signal", "tempfile", "torch"}
    assert max(len(script.splitlines()) for script in scripts) <= MOST_LINES == 40
    assert max(len(line) for script in scripts for line in script.splitlines()) <= 200


def test_most_known_issues_have_a_script(shipped: Project) -> None:
    """Plain PyTorch can show most of them."""
    faults, cases = shipped.known_issues.faults, shipped.every_case()
    without = [
        fault for fault in faults if next(fault_scripts(fault, cases, shipped.levels, poison=True), None) is None
    ]
    assert len(without) < len(faults) * 0.2


def test_numbers_that_do_not_fit_are_drawn() -> None:
    """A tensor of thousands of elements is drawn by one expression, of the same length in memory."""
    script = write_script(replace(SUBJECT, example=EXAMPLE.but(sizes={"N": 2, "C": 33, "H": 9, "W": 9})), poison=False)
    assert "torch.randint(-3, 4, (5346,)).to(torch.float32).reshape((2, 9, 9, 33)).permute((0, 3, 1, 2))" in script
    assert len(script.splitlines()) <= MOST_LINES


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"case": replace(RELU, requires=("torchvision",))}, "it needs torchvision"),
        ({"case": replace(RELU, call="mine.relu")}, "mine.relu is not PyTorch's own"),
        ({"tensor": "grad:weight"}, "there is no grad:weight in it"),
        ({"example": EXAMPLE.but(path="double_backward")}, "a script makes no double backward"),
        (
            {"example": EXAMPLE.but(sizes={"N": 2, "C": 33, "H": 9, "W": 9}, fill="special")},
            "its numbers can neither be written out nor drawn",
        ),
    ],
)
def test_where_there_is_no_script_it_is_said_why(changes: dict[str, object], reason: str) -> None:
    """The reason names what is in the way."""
    with pytest.raises(NoScriptError, match=reason):
        write_script(replace(SUBJECT, **changes), poison=False)  # type: ignore[arg-type]


@pytest.mark.parametrize("title", ["a\nimport os", "a\x1b[2J", "x" * 10_000, "ünïcode", '"""'])
def test_a_strange_title_is_one_comment(title: str) -> None:
    """Whatever a case is called, the first line is a comment and the rest is the same."""
    first, _, rest = write_script(replace(SUBJECT, title=title), poison=False).partition("\n")
    assert first.startswith("# ")
    assert first.isascii()
    assert len(first) < 150
    assert rest == write_script(SUBJECT, poison=False).partition("\n")[2]


@pytest.mark.parametrize("dtype", ["float32", "float64", "bfloat16", "float16"])
def test_numbers_are_written_as_short_as_they_can_be_read_back(dtype: str) -> None:
    """Each text is the number of the dtype again, and a bfloat16 takes no more than five digits."""
    numbers = round_to(dtype, np.random.default_rng(1).normal(size=200)).astype(np.float64)
    texts = [number_text(float(number), dtype) for number in numbers]
    assert (round_to(dtype, [float(text) for text in texts]).astype(np.float64) == numbers).all()
    assert dtype != "bfloat16" or max(len(text.strip("-").replace("0.", "", 1)) for text in texts) <= 6
