"""Settings of PyTorch among the choices of an example."""

from __future__ import annotations

from dataclasses import replace

from harness.core import Case, Expression, Numerics, Size, TensorSpec
from harness.generation import corner_examples, random_examples, shrink
from harness.portable.settings import SETTINGS, USUAL

PLAIN = Case(
    id="suites/some.yaml::op",
    name="op",
    suite="some",
    line=1,
    call="torch.relu",
    sizes=tuple(Size(name, "channels") for name in "NCHW"),
    tensors=(TensorSpec("x", tuple(map(Expression.parse, "NCHW")), channels_last=True),),
    numerics=Numerics("exact", "selection"),
)
CASE = replace(PLAIN, settings=SETTINGS)


def test_settings_are_drawn_rarely() -> None:
    """One in eight drawn examples or so has one, and each is met; without `settings` none is."""
    drawn = [example.setting for seed in range(3) for example in random_examples(CASE, "float32", 400, seed)]
    assert set(drawn) == {USUAL, *SETTINGS}
    assert 75 <= sum(setting != USUAL for setting in drawn) <= 240
    assert {example.setting for example in random_examples(PLAIN, "float32", 100, 1)} == {USUAL}


def test_each_setting_has_rows_of_its_own() -> None:
    """Beside the rows that a case without settings has."""
    rows, plain = corner_examples(CASE, "float32"), corner_examples(PLAIN, "float32")
    assert {example.setting for example in rows} == {USUAL, *SETTINGS}
    assert [example for example in rows if example.setting == USUAL] == plain


def test_a_setting_is_shrunk_away_first() -> None:
    """Where the failure does not need it; else it stays."""
    example = next(each for each in corner_examples(CASE, "float32") if each.setting == "deterministic")
    assert shrink(CASE, example, lambda _: True).setting == USUAL
    assert shrink(CASE, example, lambda each: each.setting == "deterministic").setting == "deterministic"
