"""Examples of models: the simplest first, the rest drawn, each size by itself."""

from __future__ import annotations

from harness.core import Size
from harness.models.examples import model_examples
from harness.models.model import Model

CHOICES = tuple(Size(name, "choice", choices=(1, 2)) for name in ("N", "C"))
MODEL = Model("s.yaml::n", "n", "s", 1, "torch.nn.Identity", CHOICES, ())


def test_the_simplest_example_is_first_and_none_comes_twice() -> None:
    """Four combinations of two choices are four examples, however many are asked for."""
    drawn = [example.sizes for example in model_examples(MODEL, MODEL.ways[0], 0, 30)]
    assert drawn[0] == {"N": 1, "C": 1}
    assert sorted(tuple(sizes.values()) for sizes in drawn) == [(1, 1), (1, 2), (2, 1), (2, 2)]


def test_examples_do_not_depend_on_the_way_to_run_them() -> None:
    """Evaluation and training of a model share sizes and seeds, and so the reference's parameters."""
    evaluation, training = (list(model_examples(MODEL, way, 7, 4)) for way in MODEL.ways)
    assert [(example.sizes, example.seed) for example in evaluation] == [
        (example.sizes, example.seed) for example in training
    ]
