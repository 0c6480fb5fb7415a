"""Files of models: what they declare, and their mistakes at their places."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.models.declaration import ModelSuite
from harness.models.files import load_file
from harness.models.model import Model
from harness.suites import DeclarationError, load_suite

MODEL = """\
suite: x
models:
  net:
    factory: package.module.make
    sizes: {N: [2, 1], S: 8..10}
    inputs: {x: {shape: [N, 3, S, S]}}
"""


def models_of(tmp_path: Path, text: str) -> tuple[Model, ...]:
    """The models of a file with this text."""
    path = tmp_path / "models.yaml"
    path.write_text(text)
    suite = load_file(path, tmp_path)
    assert isinstance(suite, ModelSuite)
    return suite.models


def mistakes_of(tmp_path: Path, text: str) -> list[str]:
    """The mistakes in it, one line each, without the file's name."""
    with pytest.raises(DeclarationError) as caught:
        models_of(tmp_path, text)
    return [line.removeprefix("models.yaml:") for line in str(caught.value).splitlines()]


def test_a_model_is_read_whole(tmp_path: Path) -> None:
    """Id, line, factory and the ways to run it arrive in the noun."""
    [model] = models_of(tmp_path, MODEL)
    assert (model.id, model.line, model.factory) == ("models.yaml::net", 3, "package.module.make")
    assert model.ways == (("eval", "eager", "float32"), ("train", "eager", "float32"))
    assert [spec.name for spec in model.inputs] == ["x"]


def test_a_family_is_one_model_for_each_name(tmp_path: Path) -> None:
    """`names` stand for {name} in the factory."""
    text = MODEL.replace("package.module.make", "package.{name}\n    names: [a, b]")
    assert [model.factory for model in models_of(tmp_path, text)] == ["package.a", "package.b"]


def test_defaults_are_shared_and_overridden(tmp_path: Path) -> None:
    """A key of a model replaces that of the defaults."""
    text = (
        MODEL.replace("models:", "defaults: {steps: [eval], precisions: [bfloat16]}\nmodels:") + "    steps: [train]\n"
    )
    [model] = models_of(tmp_path, text)
    assert model.ways == (("train", "eager", "bfloat16"),)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[N, 3, S, S]", "[N, 3, T, S]", "6:32: 'T' is not a size of 'net'"),
        ("sizes:", "sises:", "5:5: unknown key 'sises'; did you mean 'sizes'?"),
        ("package.module.make", "make", "4:14: 'make' is not a dotted name, such as torchvision.models.resnet18"),
        ("S: 8..10", "S: spatial", "5:27: 'S' of a model is a list of choices or a range such as 1..5"),
        (
            "sizes:",
            "arguments: {form: {torch: channels_last}}\n    sizes:",
            "5:24: {torch: ...} is no argument of a factory",
        ),
        ("sizes:", "arguments: {form: [1, {}]}\n    sizes:", "5:27: this says nothing; give {text: ...}"),
        ("    inputs: {x: {shape: [N, 3, S, S]}}\n", "", "3:3: 'net' has no inputs; it needs at least one"),
    ],
)
def test_a_mistake_has_its_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    """Line, column, what is wrong, and what would be right."""
    assert any(line.startswith(message) for line in mistakes_of(tmp_path, MODEL.replace(old, new)))


def test_a_traced_program_has_no_training_mode(tmp_path: Path) -> None:
    """Runners that fix the mode run in evaluation only."""
    [line] = mistakes_of(tmp_path, MODEL + "    runners: [trace]\n")
    assert line.startswith("7:14: trace run in evaluation only; write steps: [eval]")


def test_a_file_is_one_of_models_by_its_key(tmp_path: Path) -> None:
    """`models:` and `cases:` are not mixed in one file."""
    path = tmp_path / "models.yaml"
    path.write_text(MODEL)
    assert isinstance(load_file(path, tmp_path), ModelSuite)
    with pytest.raises(DeclarationError, match="unknown key 'models'"):
        load_suite(path, tmp_path)
