"""Calls under torch.func's transforms: vmap along other dimensions, and the gradients of each sample."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from harness.core import Case
from harness.execution import Result, requests
from harness.generation import resolve_example
from harness.portable.tensor_name import TensorKind, kind_of
from tests.execution import stand

Run = Callable[..., Result]
PATHS = ("vmap_last", "vmap_one", "per_sample")
CONV = replace(stand.CONV2D, paths=PATHS)
POOL = replace(stand.MAX_POOL2D, paths=PATHS)
SWAP = stand.case("misbehaving.swap_slices", paths=("vmap", *PATHS))
LAYOUTS = ("contiguous", "channels_last", "channels_last:slice_c", "channels_last:expand_n", "contiguous:offset")


@pytest.mark.parametrize("seed", [4, 5])
@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("case", [CONV, POOL], ids=["conv", "pool"])
def test_a_slice_of_a_transformed_call_is_what_the_call_gives(run_here: Run, case: Case, path: str, seed: int) -> None:
    """Whichever of the two slices is the example's, with the gradients of the plain call where they are asked for."""
    sizes = {"K": 2} if case is CONV else {}
    example = stand.example(case, sizes=sizes, path=path, layouts={case.tensors[0].name: "channels_last"}, seed=seed)
    result = run_here(case, example)
    assert result.reference.status == "ok"
    has_gradients = any(kind_of(name) is TensorKind.GRADIENT for name in result.reference.values)
    assert has_gradients == (path == "per_sample")
    for observation in result.observations:
        assert (observation.status, observation.message, observation.written) == ("ok", "", ())
        assert set(observation.tensors) == set(result.reference.values)
        for name, due in result.reference.values.items():
            np.testing.assert_array_equal(observation.tensors[name].values, due)


@pytest.mark.parametrize("path", PATHS)
def test_a_batching_rule_that_mixes_slices_up_is_seen(run_here: Run, path: str) -> None:
    """The other slice has other numbers; under `vmap`, where both are the same, nothing would be seen."""
    example = stand.example(SWAP, path=path, fill="reals")
    for observation, blind in zip(
        run_here(SWAP, example).observations, run_here(SWAP, example.but(path="vmap")).observations, strict=True
    ):
        due = run_here(SWAP, example).reference.values["output[0]"]
        assert not np.array_equal(observation.tensors["output[0]"].values, due)
        np.testing.assert_array_equal(blind.tensors["output[0]"].values, due)


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dim", [0, 1, 4])
def test_each_of_two_slices_lies_as_the_layout_says(layout: str, dim: int) -> None:
    """One behind the other with the strides of the layout, or element by element with twice those."""
    transforms, call = stand.module("operators.transforms"), stand.module("call")
    case = stand.case("torch.clone", paths=PATHS)
    example = stand.example(case, layouts={"x": layout}, seed=3)
    parsed = call.parse_call(requests.metadata_request([resolve_example(case, example)])["calls"][0])
    values = stand.module("fill_values").CallValues(parsed).inputs["x"]
    placed = stand.module("tensors").PlacedTensor(values, parsed.operands[0].torch_dtype, layout)
    slices = transforms.Slices(parsed)
    for inner in (False, True):
        pair = slices.pair_input("x", placed, dim, inner)
        own, other = pair.select(dim, slices.own), pair.select(dim, 1 - slices.own)
        assert own.equal(placed.view)
        assert not own.equal(other)
        assert own.stride() == other.stride() == tuple((1 + inner) * stride for stride in placed.view.stride())
