"""Which examples are traced."""

from __future__ import annotations

from harness.core import Example
from harness.trial.trace_selection import TraceSelection


def example(**changes: object) -> Example:
    """An example with a word, two sizes and a format, changed."""
    sizes = {"N": 1, "mode": "zeros", "kernel": (1, 1)}
    return Example("s.yaml::x", "float32", sizes, {"input": "contiguous"}).but(**changes)


def test_what_adds_nothing_is_left_out() -> None:
    """Other numbers of the same kind are the same form."""
    plain = example(sizes={"N": 2, "mode": "zeros", "kernel": (3, 3)})
    assert TraceSelection(8).select([plain, example(sizes={"N": 7, "mode": "zeros", "kernel": (5, 5)})]) == [plain]


def test_each_form_comes_once_and_in_order() -> None:
    """In place, another word, another format, a size of one: each is a form, views of a format are not."""
    forms = [
        example(),
        example(inplace=True),
        example(layouts={"input": "channels_last"}),
        example(layouts={"input": "channels_last:slice_c"}),
        example(sizes={"N": 2, "mode": "border", "kernel": (1, 3)}),
    ]
    assert TraceSelection(8).select(forms) == [forms[0], forms[1], forms[2], forms[4]]


def test_at_most_so_many_and_the_most_telling_first() -> None:
    """The one that differs in most comes before those that differ in one thing."""
    many = example(inplace=True, layouts={"input": "channels_last"}, sizes={"N": 2, "mode": "border", "kernel": (3, 3)})
    assert TraceSelection(2).select([example(), example(inplace=True), many]) == [example(), many]
    assert TraceSelection(2).select([]) == []


def test_what_is_in_a_tuple_is_a_form_too() -> None:
    """Which dimensions an operand has, and by which ratio something is scaled, are told apart; sizes over 1 are not."""
    ratios = [example(sizes={"N": 2, "scale": (1.0, ratio), "kept": (True, False)}) for ratio in (2.0, 0.4)]
    kept = example(sizes={"N": 2, "scale": (1.0, 2.0), "kept": (True, True)})
    assert TraceSelection(8).select([*ratios, kept, ratios[0]]) == [*ratios, kept]


def test_another_operator_has_forms_of_its_own() -> None:
    """In place and into given memory other overloads run, and a batch is other arguments: each meets every word."""
    plain = [example(), example(sizes={"N": 1, "mode": "border", "kernel": (1, 1)})]
    forms = [
        *plain,
        *(each.but(inplace=True) for each in plain),
        *(each.but(path="out") for each in plain),
        *(each.but(path="vmap") for each in plain),
    ]
    assert TraceSelection(8).select(forms) == forms
    assert len(TraceSelection(8).select([*plain, *(each.but(path="no_grad") for each in plain)])) == len(plain)


def test_a_number_below_zero_is_a_form() -> None:
    """A dimension that is counted from the end, or a step to the other side."""
    negative = example(sizes={"N": -1, "mode": "zeros", "kernel": (1, 1)})
    assert TraceSelection(8).select([example(), negative]) == [example(), negative]


def test_later_examples_are_chosen_for_what_they_add() -> None:
    """Forms that an earlier batch has are not traced again, and no more than the number in all."""
    selection = TraceSelection(2)
    assert selection.select([example()]) == [example()]
    assert selection.select([example(seed=1), example(inplace=True)]) == [example(inplace=True)]
    assert selection.select([example(layouts={"input": "channels_last"})]) == []
