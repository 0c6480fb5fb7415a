"""The ways in which users convert a model: right ones are silent, and each wrong one is named."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from tests.execution.stand import module

torch = pytest.importorskip("torch")
nn = torch.nn


class Stubborn(nn.Conv2d):  # type: ignore[misc,name-defined] # torch is found at run time
    """A convolution that a state comes into in its own format, whatever it was in; of wrong numbers on request."""

    is_off = False

    def _load_from_state_dict(self, state: Any, prefix: str, *_: Any) -> None:
        self.weight = nn.Parameter(state[prefix + "weight"].detach().contiguous() + self.is_off)


def faults_of(model: Any) -> list[tuple[str, str, str]]:
    """What is said of the ways to convert it."""
    faults: list[tuple[str, str, str]] = module("models.user_conversions").conversion_faults(model)
    return faults


def test_a_network_of_images_goes_every_way() -> None:
    """Nothing is said of it, and it is not changed."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.Linear(2, 2))
    before = copy.deepcopy(model.state_dict())
    assert faults_of(model) == []
    assert all(tensor.equal(before[name]) for name, tensor in model.state_dict().items())
    assert model[0].weight.is_contiguous()


def test_a_network_of_volumes_is_put_in_its_own_format() -> None:
    """`Module.to` is asked for channels_last_3d."""
    assert faults_of(nn.Sequential(nn.Conv3d(3, 4, 3), nn.BatchNorm3d(4))) == []


def test_a_network_of_images_and_volumes_cannot_be_put_in_either() -> None:
    """Module.to takes one format for all tensors of four and of five dimensions."""
    model = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv3d(3, 4, 3))
    assert faults_of(model) == [
        ("to", "error", "raised RuntimeError: required rank 4 tensor to use channels_last format")
    ]


def test_a_state_that_comes_into_another_format_is_named() -> None:
    """The parameters' numbers are right and their strides are not, in the one way that loads into channels-last."""
    assert faults_of(Stubborn(3, 4, 3, bias=False)) == [
        ("load contiguous", "strides", "weight is in other strides than the harness's own conversion gives"),
        ("assign", "strides", "weight is in other strides than the harness's own conversion gives"),
        ("save and load", "strides", "weight is in other strides than the harness's own conversion gives"),
    ]


def test_a_state_that_comes_in_with_other_numbers_is_named() -> None:
    """Of loading into the contiguous format that alone is wrong."""
    model = Stubborn(3, 4, 3, bias=False)
    model.is_off = True
    assert [fault[:2] for fault in faults_of(model) if fault[0] == "load channels_last"] == [
        ("load channels_last", "values")
    ]


def test_what_no_model_of_the_kind_can_do_is_no_fault() -> None:
    """A parametrized module can be pickled in neither format."""
    model = nn.utils.parametrizations.weight_norm(nn.Conv2d(3, 4, 3))
    assert faults_of(model) == []
