"""Settings of PyTorch: set around the call of a cell, put back behind it, and none of the reference's affair."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch

from harness.execution import Result
from harness.portable.settings import SETTINGS, USUAL
from tests.execution import stand

Run = Callable[..., Result]
TOLD = stand.case("misbehaving.tell_settings", rules=("unspecified", "unspecified"), settings=SETTINGS)
CONV = stand.CONV2D
DUE = {
    USUAL: [1, 0, 1, 0],
    "onednn_off": [0, 0, 1, 0],
    "deterministic": [1, 1, 1, 0],
    "default_float64": [1, 0, 0, 0],
    "four_threads": [1, 0, 1, 1],
}


@pytest.mark.parametrize("setting", DUE)
def test_a_setting_holds_during_the_call_and_not_after_it(run_here: Run, setting: str) -> None:
    """Both observations are made under it, and the next example under the usual settings."""
    for name in (setting, USUAL):
        result = run_here(TOLD, stand.example(TOLD, setting=name))
        for observation in result.observations:
            np.testing.assert_array_equal(observation.tensors["output[0]"].values, DUE[name])


@pytest.mark.parametrize("setting", SETTINGS)
def test_a_setting_is_put_back_where_the_call_raises(run_here: Run, setting: str) -> None:
    """What raises leaves PyTorch as it was."""
    failing = stand.case("misbehaving.fail_on_settings", settings=SETTINGS)
    before = (torch.get_num_threads(), torch.get_default_dtype(), torch.backends.mkldnn.enabled)
    assert run_here(failing, stand.example(failing, setting=setting)).observations[0].error == "ValueError"
    assert (torch.get_num_threads(), torch.get_default_dtype(), torch.backends.mkldnn.enabled) == before
    assert not torch.are_deterministic_algorithms_enabled()


@pytest.mark.parametrize("setting", SETTINGS)
def test_the_reference_is_the_same_under_every_setting(run_here: Run, setting: str) -> None:
    """It is never under one: its values and its bounds are those of the usual example."""
    one, other = (
        run_here(CONV, stand.example(CONV, sizes={"K": 2}, fill="reals", setting=name)).reference
        for name in (USUAL, setting)
    )
    for name, values in one.values.items():
        np.testing.assert_array_equal(values, other.values[name])
        np.testing.assert_array_equal(one.bound[name], other.bound[name])
