"""The cases that `empty` and `unbatched` give beside a case: with nothing in it, and without the batch axis."""

from __future__ import annotations

from collections.abc import Callable

from harness.core import Example, Expression, Size
from harness.generation import random_examples
from harness.suites import Suite

Load = Callable[[str], Suite]
Mistakes = Callable[[str], list[str]]

SUITE = """\
suite: things
cases:
  thing:
    call: torch.thing
    sizes: {N: {batch: empty}, C: channels, r: [1, 2], H: {spatial: r + 2}}
    tensors:
      input: {shape: [N, C, H, H], layout: channels_last}
      weight: {shape: [C, C, r, r], layout: channels_last}
      samples: {shape: [N, C, 2]}
    arguments: {r: r}
    numerics: exact
    output: preserves
    paths: [no_grad]
    result: [N, C, H - r, H]
    empty: {sizes: [N, C], reference: torch.other}
    unbatched: true
"""


def test_each_case_has_one_with_nothing_in_it_and_one_without_a_batch(load: Load) -> None:
    """They stand behind it, and what the reference runs instead is for the one with nothing in it alone."""
    suite = load(SUITE)
    assert [case.name for case in suite.cases] == ["thing", "thing_empty", "thing_unbatched"]
    assert [case.reference for case in suite.cases] == [None, "torch.other", None]
    assert [case.is_empty for case in suite.cases] == [False, True, False]
    assert all(case.id == f"suites/s.yaml::{case.name}" for case in suite.cases)


def test_a_family_over_volumes_has_them_of_both(load: Load) -> None:
    """Depth comes first, and the result's shape has it where the image has."""
    suite = load(SUITE.replace("    unbatched", "    depth: 1..3\n    unbatched"))
    names = ["thing", "thing_empty", "thing_unbatched"]
    assert [case.name for case in suite.cases] == [*names, *(name.replace("thing", "thing_3d") for name in names)]
    assert [extent.text for extent in suite.cases[5].result or ()] == ["C", "D - r", "H - r", "H"]


def test_in_every_example_some_size_is_0_and_the_others_are_small(load: Load) -> None:
    """`nothing` says which, or that all of them are; bounds that other sizes give are kept to."""
    case = load(SUITE).cases[1]
    assert case.sizes[0] == Size("nothing", "choice", ("N", "C", "all"))
    examples: list[Example] = random_examples(case, "float32", 60, seed=1)
    assert {example.sizes["nothing"] for example in examples} == {"N", "C", "all"}
    for sizes in (example.sizes for example in examples):
        named = ["N", "C"] if sizes["nothing"] == "all" else [sizes["nothing"]]
        assert [name for name in ("N", "C", "H") if sizes[name] == 0] == named
        assert max(sizes["N"], sizes["C"]) <= 3
        assert sizes["r"] + 2 <= sizes["H"] <= sizes["r"] + 4


def test_an_image_without_a_batch_may_lie_as_it_was_loaded(load: Load) -> None:
    """It has lost the dimension and the format, N is 1, and nothing is promised; other tensors are as they were."""
    case = load(SUITE).cases[2]
    image, weight, samples = case.tensors
    assert [extent.text for extent in image.shape] == ["C", "H", "H"]
    assert (image.unbatched, image.channels_last, weight.channels_last) == (True, False, True)
    assert [extent.text for extent in samples.shape] == ["N", "C", "2"]
    assert case.sizes[0] == Size("N", "choice", (1,))
    assert case.result == tuple(map(Expression.parse, ("C", "H - r", "H")))
    assert (case.preserves, case.paths) == ((), ())
    layouts = {example.layouts["input"] for example in random_examples(case, "float32", 60, seed=1)}
    assert "contiguous:loaded" in layouts
    assert "channels_last" not in layouts


def test_mistakes_of_both_are_reported_where_they_were_written(mistakes: Mistakes) -> None:
    """A size that there is not, a result that is missing, a reference that is no name, and nothing with a batch."""
    assert mistakes(SUITE.replace("[N, C], ref", "[N, K], ref")) == [
        "15:24: 'K' is not a size of 'thing'; its sizes are N, C, r, H"
    ]
    (missing,) = mistakes(SUITE.replace("    result: [N, C, H - r, H]\n", ""))
    assert missing.endswith("needs result: [...]: what has nothing in it is judged by the shape that this gives")
    (dotted,) = mistakes(SUITE.replace("torch.other", "other"))
    assert dotted == "15:39: 'other' is not a dotted name, such as torch.nn.functional.conv2d"
    (batch,) = mistakes(SUITE.replace("input: {shape: [N, ", "input: {shape: [C, "))
    assert batch == "16:16: no tensor of 'thing' with layout: channels_last has a shape that begins with N"


def test_a_wrong_extent_of_a_result_is_a_mistake(mistakes: Mistakes) -> None:
    """It is read like the extent of a tensor."""
    (message,) = mistakes(SUITE.replace("result: [N, C, H - r", "result: [N, C, H - q"))
    assert message.startswith("14:24: 'q' is not a size of 'thing'")
