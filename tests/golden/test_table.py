"""The table of which operators keep channels-last, and the copy of it in docs."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.cli.contract import MARKS, contract_table
from harness.golden import Contract, Golden, answer, answer_table, write_golden
from harness.project import Project
from tests.golden.toy import DOUBLE, observation

ROOT = Path(__file__).resolve().parents[2]


def contract(root: Path, rules: dict[str, str]) -> Contract:
    """A contract with one layout rule for each tensor."""
    path = root / "golden" / "contract" / "toy.yaml"
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = "".join(f"    {key}: {rule}\n" for key, rule in rules.items())
    path.write_text(f'suite: suites/operators/toy.yaml\nverified: ["2.15"]\ncases:\n  double:\n{lines}')
    return Golden(root).contract(DOUBLE)


@pytest.mark.parametrize(
    ("rules", "column"),
    [
        ({"output[0]": "like input", "grad:input": "like grad_output"}, "output and gradients"),
        ({"output[0]": "like input", "grad:bias": "dense"}, "output and gradients"),
        ({"output[0]": "like input", "grad:input": "contiguous"}, "output only"),
        ({"output[0]": "like input", "grad:input in bfloat16 at avx2": "contiguous"}, "output only"),
        ({"output[0] of ordinary": "like input", "output[0] of mode = 2": "contiguous"}, "it depends"),
        ({"output[0] at sse41": "contiguous", "output[0] at avx2": "channels_last"}, "it depends"),
        ({"output[0]": "contiguous", "grad:input": "like input"}, "not the output"),
        ({"output[0]": "strides [1, 2] from input; contiguous from NCHW"}, "not the output"),
        ({"output[0] of C = 1": "contiguous", "output[0] of ordinary, mode = 2": "like input"}, "output and gradients"),
        ({"output[0]": "dense"}, None),
    ],
)
def test_the_answer_for_one_case(tmp_path: Path, rules: dict[str, str], column: str | None) -> None:
    """All channels-last in: the worst over telling shapes, dtypes and levels; ambiguous shapes are left out."""
    assert answer(contract(tmp_path, rules), DOUBLE, ["ordinary", "mode = 2"]) == column


def test_a_name_stands_for_its_form_in_3d_where_both_do_the_same() -> None:
    """A row for each suite; a case over volumes is named where it does something else."""
    answers = {"relu": "output only", "relu_3d": "output only", "silu": "it depends", "silu_3d": "output only"}
    assert list(answer_table({"units": answers})) == [
        "| suite | output and gradients | output only | it depends | not the output |",
        "|---|---|---|---|---|",
        "| units |  | `relu`, `silu_3d` | `silu` |  |",
    ]


def test_the_readme_has_the_table_that_the_contract_gives() -> None:
    """`equivalence contract --write docs/contract.md` has been run since the contract was last changed."""
    written = (ROOT / "docs" / "contract.md").read_text("utf-8").partition(MARKS[0])[2].partition(MARKS[1])[0]
    assert written.strip().splitlines() == contract_table(Project(ROOT))


def test_what_was_updated_is_what_the_table_reads(tmp_path: Path) -> None:
    """From an observation to the answer, through the file."""
    write_golden(Golden(tmp_path), [DOUBLE], {("double", dtype): observation(DOUBLE, dtype) for dtype in DOUBLE.dtypes})
    assert answer(Golden(tmp_path).contract(DOUBLE), DOUBLE, ["ordinary"]) == "output and gradients"
