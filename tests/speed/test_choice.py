"""What is measured: cases by their names, at sizes that networks have, and networks by theirs."""

from __future__ import annotations

import math

import pytest

from harness.core import Case
from harness.errors import UserError
from harness.generation import resolve_example, typical_example
from harness.project import Project
from harness.resources import SHIPPED, every_suite
from harness.speed import CASES, MODELS, chosen_cases, torchvision_model


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    """All cases that come with the package."""
    return Project(SHIPPED).cases(every_suite(SHIPPED))


def test_the_cases_of_a_run_without_names_are_there_and_large(cases: dict[str, Case]) -> None:
    """Each has an example in channels-last whose largest image is that of an early layer of a network."""
    chosen = chosen_cases(CASES, cases)
    assert [f"{case.suite}::{case.name}" for case in chosen] == [*CASES]
    for case in chosen:
        resolved = resolve_example(case, typical_example(case, "float32", CASES[f"{case.suite}::{case.name}"]))
        assert "channels_last" in {tensor.layout for tensor in resolved.tensors}
        assert max(math.prod(tensor.shape or ()) for tensor in resolved.tensors) >= 8 * 64 * 56 * 56
        assert resolved.example.path == "no_grad"


def test_a_case_is_known_by_its_name_alone_and_with_its_suite(cases: dict[str, Case]) -> None:
    """Once, however often it is named."""
    chosen = chosen_cases(["max_pool2d", "pooling::max_pool2d"], cases)
    assert {case.name for case in chosen} == {"max_pool2d"}


def test_a_name_of_several_suites_is_the_case_in_float32(cases: dict[str, Case]) -> None:
    """Quantised operators have the names of those that they quantise."""
    (case,) = chosen_cases(["conv2d"], cases)
    assert case.suite == "convolution"
    (case,) = chosen_cases(["quantised::conv2d"], cases)
    assert case.suite == "quantised"


def test_a_name_that_no_case_has_is_refused_with_the_nearest(cases: dict[str, Case]) -> None:
    """So is a case that is the same in both formats."""
    with pytest.raises(UserError, match=r"there is no case 'max_pol2d'.*max_pool2d"):
        chosen_cases(["max_pol2d"], cases)
    flat = next(case for case in cases.values() if not any(spec.channels_last for spec in case.tensors))
    with pytest.raises(UserError, match="has no tensor in channels-last"):
        chosen_cases([flat.id], cases)


def test_sizes_may_be_chosen_and_must_be_legal(cases: dict[str, Case]) -> None:
    """What is left out stays as it is without; an unknown name, and an illegal number, are refused."""
    (case,) = chosen_cases(["max_pool2d"], cases)
    sizes = typical_example(case, "float32", {"N": 2, "H": 112}).sizes
    assert (sizes["N"], sizes["C"], sizes["H"], sizes["W"], sizes["kernel"]) == (2, 64, 112, 56, (3, 3))
    with pytest.raises(UserError, match="there is no size 'Q'"):
        typical_example(case, "float32", {"Q": 1})
    with pytest.raises(UserError, match="pad_h = 9 is not legal; the nearest is 1"):
        typical_example(case, "float32", {"pad_h": 9})


def test_a_network_is_torchvisions_unless_its_name_is_dotted() -> None:
    """Then it is a factory of somebody's own, and torchvision need not be there."""
    model = torchvision_model(MODELS[0], (1, 3, 64, 64), trains=True, has_bfloat16=False)
    assert (model.factory, model.requires, model.steps) == (
        "torchvision.models.resnet50",
        ("torchvision",),
        ("eval", "train"),
    )
    own = torchvision_model("nets:make", (1, 3, 8, 8), trains=False, has_bfloat16=True)
    assert (own.factory, own.requires, own.steps, len(own.ways)) == ("nets.make", (), ("eval",), 2)
