"""What a trial meets by itself of what is known, where that is measured."""

from __future__ import annotations

from harness.core import Example, Expression, ReproducerState
from harness.trial.example_runner import MOST_DEATHS_MET
from tests.trial.toy import ToyExecutor
from tests.trial.trials import REPRODUCER, known_issue, many_channels, right, try_case, wide


def test_the_first_example_that_shows_a_known_fault_is_kept() -> None:
    """It has the smallest number of those that show it, and the oracle that saw it."""
    executor = ToyExecutor(wide)
    outcome = try_case(executor, known_issue(REPRODUCER), rediscovers=True)
    numbers = [number for number, (example, _) in enumerate(executor.ran, 1) if example.sizes["W"] > 2]
    assert outcome.meetings["wide"].example == numbers[0]
    assert outcome.meetings["wide"].oracle == "values"
    assert outcome.failures == []


def test_no_reproducer_is_run_where_rediscovery_is_measured() -> None:
    """What is known only by its reproducer is not met, and nothing is said of the reproducer."""
    executor = ToyExecutor(right)
    outcome = try_case(executor, known_issue(REPRODUCER), rediscovers=True)
    assert outcome.meetings == {}
    assert outcome.reproducers == {}
    assert executor.isolated == []


def test_a_usual_trial_keeps_no_meetings() -> None:
    """The seconds of a meeting would make the records of two equal runs differ."""
    outcome = try_case(ToyExecutor(wide), known_issue(REPRODUCER))
    assert outcome.known_issues["wide"] > 0
    assert outcome.meetings == {}
    assert outcome.reproducers["wide"].state is ReproducerState.STILL_FAILS


def test_a_few_examples_of_a_known_crash_run_whole() -> None:
    """They meet it as anything else would be met; the others are kept from running, for each costs a worker."""
    executor = ToyExecutor(many_channels("died"))
    entry = known_issue(REPRODUCER, id="many", oracle="crash", tensors=("*",), when=Expression.parse("C > 2"))
    outcome = try_case(executor, entry, rediscovers=True)
    met = {example.to_json() for example, _ in executor.ran if example.sizes["C"] > 2}
    assert len(met) == MOST_DEATHS_MET
    assert outcome.meetings["many"].oracle == "crash"
    assert outcome.examples["kept from running"] > 0
    assert outcome.failures == []


def test_a_place_is_met_only_where_it_says_so() -> None:
    """Of two places of one fault, that of the tensor that came out wrong is met."""

    def tall(example: Example, cell: str, layout: str) -> str:
        del cell
        return "value" if layout == "drawn" and example.sizes["H"] > 2 else ""

    places = [
        known_issue(REPRODUCER, place=number, when=Expression.parse(when))
        for number, when in ((1, "W > 1000000"), (2, "H > 2"))
    ]
    outcome = try_case(ToyExecutor(tall), *places, rediscovers=True)
    assert [*outcome.meetings] == ["wide/2"]
