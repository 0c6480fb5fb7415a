"""Tensors in containers: how they are named, and what a container is."""

from __future__ import annotations

import dataclasses
from collections import OrderedDict
from typing import Any, NamedTuple

import pytest

from tests.execution.stand import module

torch = pytest.importorskip("torch")


@dataclasses.dataclass
class Answer:
    """What a model may return: containers in containers, numbers, and nothing."""

    logits: Any
    hidden: Any = None
    steps: int = 3


class Pair(NamedTuple):
    """A tuple with names."""

    left: Any
    right: Any


def test_outputs_are_named_by_their_place_in_any_structure() -> None:
    """Dictionaries, lists, named tuples and data classes; a single tensor is called as an operator's."""
    tensor = torch.zeros(1)
    pair = torch.zeros(2, 2).max(0)
    named_outputs = module("pytree").named_outputs
    assert list(named_outputs(tensor)) == ["output[0]"]
    nested = {"out": [tensor, (tensor, None)], "answer": Answer(tensor, hidden=pair), "pair": Pair(tensor, 1.0)}
    assert list(named_outputs(nested)) == [
        "output['out'][0]", "output['out'][1][0]", "output['answer'].logits", "output['answer'].hidden[0]",
        "output['answer'].hidden[1]", "output['pair'].left",
    ]  # fmt: skip
    with pytest.raises(module("pytree").NotTensors, match="output is a list without any tensor in it"):
        named_outputs([1, None])


def test_flattening_leaves_out_what_is_neither_tensor_nor_plain_container() -> None:
    """Tuples, lists and dicts are opened, in order; a dataclass is not, and texts are no sequences of tensors."""
    first, second, third = torch.zeros(1), torch.zeros(2), torch.zeros(3)
    tensors = module("pytree").flatten([first, "text", {"a": (second, 2)}, Answer(torch.zeros(9)), Pair(third, None)])
    assert [id(tensor) for tensor in tensors] == [id(first), id(second), id(third)]


def test_mapping_keeps_the_structure_and_changes_the_tensors() -> None:
    """Every container comes back as what it was, named tuples and torch's own result tuples too."""
    maximum = torch.ones(2, 3).max(0)
    part = (torch.ones(1), [2, OrderedDict(x=torch.ones(1))], Pair(torch.ones(1), "text"), maximum)
    changed: Any = module("pytree").map_tensors(part, lambda tensor: tensor + 1)
    assert [float(changed[0]), float(changed[1][1]["x"]), float(changed[2].left)] == [2.0, 2.0, 2.0]
    assert [type(item) for item in changed] == [type(item) for item in part]
    assert type(changed[1][1]) is OrderedDict
    assert (changed[1][0], changed[2].right) == (2, "text")
    assert changed[3].values.tolist() == [2.0, 2.0, 2.0]


def test_plain_containers_are_lists_and_dicts() -> None:
    """What a tuple or a subclass was is forgotten; the tensors are the same ones."""
    tensor = torch.zeros(1)
    assert module("pytree").plain_containers((Pair(tensor, 1), OrderedDict(x=(2,)))) == [[tensor, 1], {"x": [2]}]


@dataclasses.dataclass
class Output(OrderedDict[str, object]):
    """What a transformer returns: its fields are its items too."""

    sample: object = None

    def __post_init__(self) -> None:
        self["sample"] = self.sample


class Holder:
    """An object with a tensor, and something that is none."""

    def __init__(self) -> None:
        self.image, self.name = torch.zeros(1), "cat"


def test_an_output_that_is_a_dict_and_a_dataclass_keeps_both() -> None:
    """The item and the attribute of one name are one tensor, in the copy too; the original is as it was."""
    part = Output(sample=torch.zeros(1))
    changed: Any = module("pytree").map_tensors(part, lambda tensor: tensor + 1)
    assert type(changed) is Output
    assert (float(changed["sample"]), float(changed.sample), float(part.sample)) == (1.0, 1.0, 0.0)
    assert list(module("pytree").named_outputs(part)) == ["output['sample']"]


def test_an_object_with_tensors_is_an_output() -> None:
    """Its attributes that are none are left out, and kept in a copy."""
    part = Holder()
    assert list(module("pytree").named_outputs(part)) == ["output.image"]
    changed: Any = module("pytree").map_tensors(part, lambda tensor: tensor + 1)
    assert (float(changed.image), changed.name, float(part.image)) == (1.0, "cat", 0.0)
