"""What the layout contract and the known issues have of an operator that loses channels-last in a model."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from harness.core import Case, Example
from harness.golden import Contract, KnownIssues, load_contract, load_known_issues
from harness.models.function_call import ArgumentValue, FunctionCall
from harness.models.known_loss import KnownLoss, LossLookup
from harness.models.operator_match import match_operator
from harness.suites import load_levels, load_suite
from tests.models.test_operator_match import tensor

ROOT = Path(__file__).resolve().parents[2]
OPERATORS = "suites/operators"
TORCH = "2.15.0"
IMAGE = (2, 4, 8, 5)


@cache
def cases(suite: str) -> tuple[Case, ...]:
    """The cases of a suite."""
    return load_suite(ROOT / OPERATORS / f"{suite}.yaml", ROOT).cases


@cache
def contract(suite: str) -> Contract:
    """Its layout contract."""
    name = f"golden/contract/{suite}.yaml"
    return load_contract(ROOT / name, f"{OPERATORS}/{suite}.yaml", name)


@cache
def known_issues(suite: str) -> KnownIssues:
    """What is known of it."""
    paths = list((ROOT / "golden/issues").glob(f"{suite}.yaml"))
    return load_known_issues(paths, load_levels(ROOT / "suites/isa.yaml"))


def example_of(suite: str, name: str, **arguments: ArgumentValue) -> tuple[Case, Example]:
    """The example that makes a call with a channels-last image and these arguments."""
    whole: dict[str, ArgumentValue] = {"input": tensor(*IMAGE, last=True), **arguments}
    call = FunctionCall(name, tuple(whole), whole, (), (tensor(*IMAGE),))
    match = match_operator(cases(suite), [call])
    assert match is not None
    return match


def lookup(
    suite: str, name: str, torch: str = TORCH, cell: str = "avx2", **arguments: ArgumentValue
) -> KnownLoss | None:
    """What is known of that call."""
    case, example = example_of(suite, name, **arguments)
    return LossLookup(contract(suite), known_issues(suite), torch).find(case, example, [cell])


def test_an_operator_of_the_contract_that_is_known_to_lose_it_has_name_and_issue() -> None:
    """With what is wrong in a sentence, and the thread where there is one."""
    softmax = lookup("reduction", "torch.nn.functional.softmax", dim=1)
    assert softmax is not None
    assert softmax.sentence == (
        "known of suites/operators/reduction.yaml::softmax: softmax and log_softmax return contiguous results for "
        "channels-last inputs (known issue softmax-format, no thread upstream is known); the layout contract has it "
        "so, golden/contract/reduction.yaml"
    )
    padding: dict[str, ArgumentValue] = {"pad": (1, 1, 1, 1), "mode": "circular"}
    circular = lookup("padding", "torch.nn.functional.pad", **padding)
    assert circular is not None
    assert (circular.issue, circular.link) == (
        "circular-padding-format",
        "https://github.com/pytorch/pytorch/issues/96738",
    )
    assert ", https://github.com/pytorch/pytorch/issues/96738)" in circular.sentence


def test_what_the_contract_alone_has_is_said_to_have_no_issue() -> None:
    """A sum gives NCHW by design; whether it keeps its dimension does not matter."""
    arguments: dict[str, ArgumentValue] = {"dim": (2, 3), "keepdim": True}
    loss = lookup("reduction", "torch.Tensor.sum", **arguments)
    assert loss is not None
    assert (loss.operator, loss.contract, loss.issue, loss.link) == (
        "suites/operators/reduction.yaml::sum", "golden/contract/reduction.yaml", "", "",
    )  # fmt: skip
    assert loss.sentence.endswith("by the layout contract, golden/contract/reduction.yaml; there is no issue about it")


def test_an_issue_counts_where_its_condition_holds() -> None:
    """A roll by nothing loses the format, which the contract has of that option alone; any other keeps it."""
    nothing = lookup("rearrangement", "torch.roll", shifts=0, dims=3)
    assert nothing is not None
    assert (nothing.issue, nothing.contract) == ("roll-nothing-format", "")
    assert "the layout contract" not in nothing.sentence
    assert lookup("rearrangement", "torch.roll", shifts=1, dims=3) is None


@pytest.mark.parametrize(("torch", "contract_file"), [("2.15.1+cpu", "golden/contract/reduction.yaml"), ("2.6.0", "")])
def test_the_contract_speaks_of_the_releases_that_it_was_observed_in(torch: str, contract_file: str) -> None:
    """An issue speaks of those that it names, or of all."""
    loss = lookup("reduction", "torch.nn.functional.softmax", torch, dim=1)
    assert loss is not None
    assert (loss.issue, loss.contract) == ("softmax-format", contract_file)


def test_an_operator_that_keeps_the_format_has_nothing_known() -> None:
    """By the contract and by the issues."""
    padding: dict[str, ArgumentValue] = {"pad": (1, 1, 1, 1), "mode": "reflect"}
    assert lookup("padding", "torch.nn.functional.pad", **padding) is None
