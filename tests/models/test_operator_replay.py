"""Whether a known issue of an operator explains what is wrong with a module that calls it."""

from __future__ import annotations

from typing import Any

import pytest

from harness.core import Finding
from harness.models.operator_replay import explaining_issues


def finding(tensor: str, oracle: Any = "values") -> Finding:
    """A finding about a tensor."""
    return Finding(oracle, tensor, "layout", {"avx2": 2.0})


@pytest.mark.parametrize(
    ("accepted", "wrong", "names"),
    [
        (["grad:weight"], ["grad:weight"], ("known",)),
        (["grad:weight"], ["grad:bias"], ()),
        (["grad:input"], ["grad_input[0][0]"], ("known",)),
        (["output[0]"], ["output[0]", "grad:weight"], ()),
        ([], ["output[0]"], ()),
    ],
)
def test_a_module_is_known_wrong_where_each_wrong_tensor_is(
    accepted: list[str], wrong: list[str], names: tuple[str, ...]
) -> None:
    """A known issue of the operator's explains the same tensor of the module, and no other."""
    assert explaining_issues([("known", finding(tensor)) for tensor in accepted], map(finding, wrong)) == names


def test_a_lost_format_is_explained_by_a_lost_format_only() -> None:
    """Wrong values are no reason for strides, nor the other way round."""
    lost = finding("module:act", "strides")
    assert explaining_issues([("known", finding("output[0]", "strides"))], [lost]) == ("known",)
    assert explaining_issues([("known", finding("output[0]"))], [lost]) == ()
    assert explaining_issues([("known", finding("output[0]", "strides"))], [finding("output[0]")]) == ()
