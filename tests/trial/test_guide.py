"""The guide: what is drawn follows from what was reached."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np

from harness.core import Example, Judgement, Observation, Reference
from harness.execution import Result
from harness.trial import JudgedResult
from harness.trial.guide import DRAWN, VARIED, Guide
from harness.trial.known_issues import FindingPartition
from harness.trial.ways import formats_of, kernels_of, traits_of
from tests.trial.toy import CASE

Primitives = Callable[[Example], Iterable[str]]


def judged(example: Example, *primitives: str) -> JudgedResult:
    """An example in which these primitives ran."""
    observation = Observation("low", "drawn", "ok", primitives=primitives)
    result = Result(example, Reference("ok", values={"output[0]": np.zeros(1)}), (observation,))
    return JudgedResult(example, result, Judgement((), {}, {}), FindingPartition((), ()))


def run(guide: Guide, primitives: Primitives) -> dict[str, list[Example]]:
    """By phase what the guide asks for, where these primitives run."""
    phases: dict[str, list[Example]] = {DRAWN: guide.first_examples(), VARIED: []}
    batch = phases[DRAWN]
    while batch:
        for example in batch:
            guide.note(judged(example, *primitives(example)))
        following = guide.next_examples()
        batch = [example for examples in following.values() for example in examples]
        for phase, examples in following.items():
            phases[phase] = [*phases[phase], *examples]
    return phases


def test_where_nothing_new_comes_a_case_ends() -> None:
    """A case of one kernel and four sizes has shown all its states long before its 180 free draws are over."""
    phases = run(Guide(CASE, "float32", 200, 1), lambda _: ())
    assert sum(map(len, phases.values())) == 90


def test_where_something_new_goes_on_coming_half_more_is_drawn_and_no_more() -> None:
    """Each example runs a kernel of its own."""
    phases = run(Guide(CASE, "float32", 40, 1), lambda example: [f"x:{example.to_json()}"])
    assert sum(map(len, phases.values())) == 60 - 24
    assert len(phases[VARIED]) == 8


def test_dtypes_that_run_the_same_code_share_what_is_drawn_unless_onednn_runs() -> None:
    """One of two sharers draws less than the 90 of one alone, and as many as that where a kernel of oneDNN ran."""
    news = [0]

    def kernels_of_onednn(example: Example) -> list[str]:
        news[0] += 1
        return [f"x{news[0]}:jit", example.dtype]

    shared = run(Guide(CASE, "float32", 200, 1, sharers=2), lambda _: ())
    every = run(Guide(CASE, "float32", 40, 1, sharers=2), kernels_of_onednn)
    assert sum(map(len, shared.values())) == 70
    assert sum(map(len, every.values())) == 60 - 12


def test_what_reached_a_new_kernel_is_varied_by_one_step() -> None:
    """Each varied example differs from one that ran before it in one size or one layout."""
    phases = run(Guide(CASE, "float32", 40, 1), lambda example: ["rare:jit"] if example.sizes["C"] == 17 else [])
    every = [*phases[DRAWN], *phases[VARIED]]
    assert phases[VARIED]
    for example in phases[VARIED]:
        assert any(_differences(example, other) == 1 for other in every)


def test_no_example_comes_twice_and_the_seed_fixes_all() -> None:
    """The same answers of the same kernels give the same examples."""
    first, again = (run(Guide(CASE, "float32", 60, 7), lambda _: ["a:jit"]) for _ in range(2))
    texts = [example.but(seed=0).to_json() for examples in first.values() for example in examples]
    assert first == again
    assert len(texts) == len(set(texts))


def test_a_guide_that_does_not_follow_draws_all_at_once() -> None:
    """What must be refused is refused for its dtype, whatever it would reach."""
    guide = Guide(CASE, "float32", 10, 1, follows=False)
    assert len(guide.first_examples()) == 4
    assert guide.next_examples() == {}


def test_novelty_says_what_was_reached_and_how_much_of_it_is_new() -> None:
    """Of three examples of which the third repeats the first two are new, with their kernels."""
    guide = Guide(CASE, "float32", 40, 1)
    one, other = guide.first_examples()[:2]
    for example, primitive in ((one, "a:jit forward ab"), (other, "b:jit forward ab"), (one, "a:jit forward ab")):
        guide.note(judged(example, primitive))
    novelty = guide.novelty
    assert novelty.kernels == ("a:jit forward", "b:jit forward")
    assert (novelty.recent, novelty.recently_new) == (3, 2)
    assert [reached.example for reached in novelty.reached] == [one, other]
    assert novelty.ways == sum(len(reached.ways) for reached in novelty.reached)


def test_a_kernel_has_a_direction_and_its_formats_are_told_apart_from_it() -> None:
    """The formats of operands make another way, not another kernel; where oneDNN runs nothing it is ATen's."""
    observations = [Observation("low", "drawn", "ok", primitives=("convolution:jit:avx2 backward_data acdb Acdb8a",))]
    assert kernels_of(observations) == {"convolution:jit:avx2 backward_data"}
    assert formats_of(observations) == {"convolution:jit:avx2 backward_data acdb Acdb8a"}
    assert kernels_of([replace(observations[0], primitives=())]) == {"ATen"}


def test_traits_are_of_sizes_formats_and_how_the_call_is_run() -> None:
    """A view of a format is of that format; what is least together is a trait of its own."""
    example = Example(CASE.id, "float32", {"N": 1, "C": 17, "H": 1, "W": 16}, {"input": "channels_last:slice_c"})
    assert traits_of(CASE, example) == {
        "N: least",
        "C: tail",
        "H: least",
        "W: blocks of 16",
        "N and H",
        "input: channels_last",
        "plain",
    }


def _differences(example: Example, other: Example) -> int:
    values, others = example.values(), other.values()
    names = (values.keys() | others.keys()) - {"has_input"}
    return sum(values.get(name) != others.get(name) for name in names)
