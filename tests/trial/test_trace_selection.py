"""Which examples are traced."""

from __future__ import annotations

from harness.core import Case, Example
from harness.core.case import TensorArgument
from harness.trial.trace_selection import TraceSelection
from tests.execution.stand import case, tensor

PLAIN = case("torch.relu", tensor("input", "2", "3"))
PAIR = [tensor(name, "2", "3", "4", "4") for name in ("first", "second")]
APART = case("s.join", *PAIR)
LISTS = case("s.join", *PAIR, positional=((TensorArgument("first"), TensorArgument("second")),))


def selection(most: int, of: Case = PLAIN) -> TraceSelection:
    """A selection of so many examples of a case that has no lists."""
    return TraceSelection(of, most)


def example(**changes: object) -> Example:
    """An example with a word, two sizes and a format, changed."""
    sizes = {"N": 1, "mode": "zeros", "kernel": (1, 1)}
    return Example("s.yaml::x", "float32", sizes, {"input": "contiguous"}).but(**changes)


def test_what_adds_nothing_is_left_out() -> None:
    """Other numbers of the same kind are the same form."""
    plain = example(sizes={"N": 2, "mode": "zeros", "kernel": (3, 3)})
    assert selection(8).select([plain, example(sizes={"N": 7, "mode": "zeros", "kernel": (5, 5)})]) == [plain]


def test_each_form_comes_once_and_in_order() -> None:
    """In place, another word, another format, a size of one: each is a form, views of a format are not."""
    forms = [
        example(),
        example(inplace=True),
        example(layouts={"input": "channels_last"}),
        example(layouts={"input": "channels_last:slice_c"}),
        example(sizes={"N": 2, "mode": "border", "kernel": (1, 3)}),
    ]
    assert selection(8).select(forms) == [forms[0], forms[1], forms[2], forms[4]]


def test_at_most_so_many_and_the_most_telling_first() -> None:
    """The one that differs in most comes before those that differ in one thing."""
    many = example(inplace=True, layouts={"input": "channels_last"}, sizes={"N": 2, "mode": "border", "kernel": (3, 3)})
    assert selection(2).select([example(), example(inplace=True), many]) == [example(), many]
    assert selection(2).select([]) == []


def test_what_is_in_a_tuple_is_a_form_too() -> None:
    """Which dimensions an operand has, and by which ratio something is scaled, are told apart; sizes over 1 are not."""
    ratios = [example(sizes={"N": 2, "scale": (1.0, ratio), "kept": (True, False)}) for ratio in (2.0, 0.4)]
    kept = example(sizes={"N": 2, "scale": (1.0, 2.0), "kept": (True, True)})
    assert selection(8).select([*ratios, kept, ratios[0]]) == [*ratios, kept]


def test_another_operator_has_forms_of_its_own() -> None:
    """In place and into given memory other overloads run, and a batch is other arguments: each meets every word."""
    plain = [example(), example(sizes={"N": 1, "mode": "border", "kernel": (1, 1)})]
    forms = [
        *plain,
        *(each.but(inplace=True) for each in plain),
        *(each.but(path="out") for each in plain),
        *(each.but(path="vmap") for each in plain),
    ]
    assert selection(8).select(forms) == forms
    assert len(selection(8).select([*plain, *(each.but(path="no_grad") for each in plain)])) == len(plain)
    assert selection(8).select([*(each.but(path="vmap_last") for each in plain), *plain])[-len(plain) :] == plain


def test_a_number_below_zero_is_a_form() -> None:
    """A dimension that is counted from the end, or a step to the other side."""
    negative = example(sizes={"N": -1, "mode": "zeros", "kernel": (1, 1)})
    assert selection(8).select([example(), negative]) == [example(), negative]


def test_later_examples_are_chosen_for_what_they_add() -> None:
    """Forms that an earlier batch has are not traced again, and no more than the number in all."""
    traces = selection(2)
    assert traces.select([example()]) == [example()]
    assert traces.select([example(seed=1), example(inplace=True)]) == [example(inplace=True)]
    assert traces.select([example(layouts={"input": "channels_last"})]) == []


def test_a_format_that_the_shape_tells_is_a_form() -> None:
    """An image of one channel lies the same in both, and does not stand for one that does not."""
    image = case("torch.relu", tensor("input", "2", "C", "4", "4"))
    narrow, wide = (example(sizes={"C": count}, layouts={"input": "channels_last"}) for count in (1, 3))
    traces = selection(8, image)
    assert [traces.select([each]) for each in (narrow, wide, wide.but(seed=1))] == [[narrow], [wide], []]


def joined(first: str, second: str, length: str = "two", count: int = 1) -> Example:
    """An example of the case of a list, of two tensors."""
    layouts = {"first": first, "second": second}
    return Example("s.yaml::x", "float32", {"length": length, "count": count}, layouts)


def test_each_tensor_of_a_list_meets_each_format_with_each_word() -> None:
    """A word may be the length of the list: what comes behind it is not handed on."""
    plain, last = "contiguous", "channels_last"
    forms = [joined(*formats, length) for length in ("one", "two") for formats in ((plain, last), (last, plain))]
    assert selection(8, LISTS).select([*forms, joined(plain, plain), joined(last, last)]) == forms
    assert len(selection(8, APART).select(forms)) < len(forms)


def test_each_choice_meets_each_word_where_a_list_is_handed_on() -> None:
    """A number that only one form of the call reads is traced with that form."""
    choices = [joined("contiguous", "contiguous", word, number) for word in ("one", "two") for number in (1, 2)]
    assert selection(8, LISTS).select(choices) == choices
    assert len(selection(8, APART).select(choices)) < len(choices)


def test_a_view_in_a_list_does_not_stand_for_its_format() -> None:
    """A slice of channels-last memory is of other strides: the tensor that fills its memory is traced as well."""
    views = joined("channels_last:slice_c", "channels_last:slice_c")
    dense = joined("channels_last", "channels_last")
    traces = selection(8, LISTS)
    assert [traces.select([each]) for each in (views, dense, views)] == [[views], [dense], []]
