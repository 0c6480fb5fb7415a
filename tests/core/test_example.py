"""Examples as JSON: there and back, and every way to get it wrong."""

from __future__ import annotations

import json
from typing import Any

import pytest

from harness.core import Example
from tests.trial.toy import CASE

EXAMPLE = Example(
    "suites/x.yaml::conv", "bfloat16", {"N": 1, "kernel": (3, 3), "mode": None}, {"input": "channels_last"},
    ("bias",), "reals", 5, 2, inplace=True,
)  # fmt: skip
LEAST = {"case": "x", "dtype": "float32", "sizes": {}, "layouts": {}}


def test_json_there_and_back() -> None:
    """One line, from which the same example is read; tuples are lists there."""
    text = EXAMPLE.to_json()
    assert "\n" not in text
    assert json.loads(text)["sizes"]["kernel"] == [3, 3]
    assert Example.from_json(text) == EXAMPLE
    assert Example.from_json(json.loads(text)) == EXAMPLE


def test_what_is_left_out_has_its_default() -> None:
    """Case, dtype, sizes and layouts are enough."""
    assert Example.from_json(LEAST) == Example("x", "float32", {}, {})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not JSON: "),
        ("[]", "an example is a JSON object"),
        ({**LEAST, "size": 1}, "an example has no 'size'; it has absent, case, dtype, fill, inplace, layouts, path, "),
        ({"case": "x"}, "an example needs 'dtype'"),
        ({**LEAST, "case": 3}, "an example's 'case' is text, not 3"),
        ({**LEAST, "sizes": [1]}, "an example's 'sizes' is a mapping, not [1]"),
        ({**LEAST, "layouts": "contiguous"}, "an example's 'layouts' is a mapping, not 'contiguous'"),
        ({**LEAST, "layouts": {"x": 1}}, "an example's 'layouts' are names, not 1"),
        ({**LEAST, "absent": "bias"}, "an example's 'absent' is a list, not 'bias'"),
        ({**LEAST, "absent": [None]}, "an example's 'absent' are names, not None"),
        ({**LEAST, "seed": 1.5}, "an example's 'seed' is a whole number, not 1.5"),
        ({**LEAST, "threads": True}, "an example's 'threads' is a whole number, not True"),
        ({**LEAST, "threads": 0}, "an example's 'threads' is at least 1, not 0"),
        ({**LEAST, "threads": 10**9}, "an example's 'threads' is at most 1024, not 1000000000"),
        ({**LEAST, "sizes": {"N": {}}}, "an example's 'sizes' are numbers, texts, true, false, null and lists, not {}"),
        ('{"threads": 1' + "0" * 30 + "}", "the whole number 10000000000000000000... has more than 64 bits"),
        ('{"threads": 1' + "0" * 9000 + "}", "the whole number 10000000000000000000... has more than 64 bits"),
        ("[" * 100_000, "nested too deeply to be read: more than 100 lists and mappings in one another"),
        ({**LEAST, "inplace": 1}, "an example's 'inplace' is true or false, not 1"),
    ],
)
def test_what_is_no_example(text: Any, message: str) -> None:
    """The message names the field and what it should be."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the text is compared below
        Example.from_json(text)
    assert str(error.value).startswith(message)


def test_the_names_of_a_condition() -> None:
    """Sizes, how it runs, and of each tensor whether it is there and in which layout."""
    values = EXAMPLE.values()
    assert values["kernel"] == (3, 3)
    assert (values["dtype"], values["fill"], values["threads"], values["inplace"]) == ("bfloat16", "reals", 2, True)
    assert (values["has_input"], values["layout_input"]) == (True, "channels_last")
    assert (values["has_bias"], values["layout_bias"]) == (False, "")


def test_a_changed_copy() -> None:
    """The fields named are replaced, the example itself stays."""
    assert EXAMPLE.but(seed=0).seed == 0
    assert EXAMPLE.seed == 5


def test_a_tensor_by_name() -> None:
    """A case knows its tensors by name."""
    assert CASE.tensor("input").channels_last
    with pytest.raises(KeyError):
        CASE.tensor("weight")


def test_a_path_is_written_where_it_is_not_the_plain_one() -> None:
    """What was written before there were paths reads the same, and is written the same."""
    assert "path" not in json.loads(EXAMPLE.to_json())
    elsewhere = EXAMPLE.but(path="vmap")
    assert Example.from_json(elsewhere.to_json()) == elsewhere
    assert (EXAMPLE.values()["path"], elsewhere.values()["path"]) == ("plain", "vmap")


def test_a_setting_is_written_where_it_is_not_the_usual_one() -> None:
    """What was written before there were settings reads the same, and a condition may name them."""
    assert "setting" not in json.loads(EXAMPLE.to_json())
    elsewhere = EXAMPLE.but(setting="deterministic")
    assert Example.from_json(elsewhere.to_json()) == elsewhere
    assert (EXAMPLE.values()["setting"], elsewhere.values()["setting"]) == ("usual", "deterministic")
