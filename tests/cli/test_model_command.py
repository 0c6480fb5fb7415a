"""`equivalence model`: a verdict on a model of one's own, and one message for each that cannot have one."""

from __future__ import annotations

import argparse
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from harness.cli.answer import check_answer_options, publish_answer
from harness.cli.model import declare_model, input_answers, try_items
from harness.cli.model_inputs import declared_inputs, tensor_of_text
from harness.errors import UserError
from harness.gate import Gate
from harness.models import Answer, Model, ModelAnswer, TensorInput, answer_of, model_answer, model_text
from harness.models.trial import ModelOutcome
from harness.settings import settings
from tests.plugin.project import LEVEL, Project, needs_workers

NETS = """\
import torch
import torch.utils.checkpoint
from torch import nn

def right(width=4):
    return nn.Sequential(nn.Conv2d(3, width, 3), nn.ReLU())

def dropping():
    return nn.Sequential(nn.Conv2d(3, 4, 3), nn.Dropout(0.5))

def broken():
    raise ValueError("no weights today")

class Wordy(nn.Module):
    def forward(self, x):
        return {"image": x, "label": "cat"}

class Noisy(nn.Module):
    def forward(self, x):
        return nn.functional.dropout(x)

class Diffuses(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.last = nn.Conv2d(3, 8, 3, padding=1), nn.Conv2d(8, 4, 3)

    def noisy(self, x):
        x = torch.relu(self.first(x))
        return nn.functional.dropout(x + torch.randn_like(x) * torch.empty_like(x).uniform_(), 0.25)

    def forward(self, x):
        return self.last(self.noisy(x))

class Recomputes(Diffuses):
    def forward(self, x):
        return self.last(torch.utils.checkpoint.checkpoint(self.noisy, x, use_reentrant=False))

class Loses(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.norm = nn.BatchNorm2d(4)

    def forward(self, x):
        return self.norm(self.conv(x).contiguous())

class PutsBack(Loses):
    def forward(self, x):
        x = nn.functional.instance_norm(self.conv(x))
        return self.norm(x.contiguous(memory_format=torch.channels_last))
"""
Judge = Callable[..., list[ModelOutcome]]


def options(factory: str, shape: str = "1,3,8,8", **changes: Any) -> argparse.Namespace:
    """What the command line gives."""
    plain = {"arguments": None, "train": False, "bfloat16": False, "frozen": None, "seeded": False, "runner": "eager"}
    views = {"table": False, "json": None, "html": None, "weights": "fill"}
    inputs = {"input": [shape], "inputs": None}
    return argparse.Namespace(factory=factory, **{**plain, **views, **inputs, **changes})


def declared(*arguments: Any, **changes: Any) -> Model:
    """The model of a command line, with its inputs."""
    given = options(*arguments, **changes)
    inputs = declared_inputs(given)
    return replace(declare_model(given), inputs=inputs.inputs, constants=inputs.constants)


@pytest.fixture(scope="module")
def judge(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Judge]:
    """Judges models of one file with one set of workers, which are started beside it."""
    here: Path = tmp_path_factory.mktemp("nets")
    (here / "nets.py").write_text(NETS)
    (here / "ruined.py").write_text("import torch\nimport no_such_thing\n")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(here)
        with Gate(settings(here, {"profile": "replay", "levels": LEVEL})) as gate:
            yield lambda *arguments, **changes: try_items(gate, declared(*arguments, **changes))


@needs_workers
def test_a_right_model_passes(project: Project) -> None:
    """The command says that the model is right and stays channels-last, and exits with 0."""
    project.write("nets.py", NETS)
    run = project.command("model", "nets:right", "--input", "1,3,8,8", "--levels", LEVEL, "--arguments", '{"width": 5}')
    assert run.code == 0, run.output
    assert run.output.startswith("nets:right with [1, 3, 8, 8]\n")
    assert f"eval-eager-float32 at {LEVEL}: RIGHT, and stays channels-last; every value is within" in run.output
    assert "\nin channels-last: 1 of 1 convolutions (100 % of their multiply-adds)\n" in run.output
    assert "\nreorders by oneDNN in all: nchw 0, both 0" in run.output
    assert "\nturn it on: yes\n    model = model.to(memory_format=torch.channels_last)\n" in run.output


@needs_workers
def test_a_loss_that_the_next_call_undoes_is_named_and_leaves_a_yes(project: Project) -> None:
    """Who has followed the advice to put the format back gets no such advice again, in training either."""
    project.write("nets.py", NETS)
    run = project.command("model", "nets:PutsBack", "--input", "2,3,8,8", "--levels", LEVEL, "--train")
    assert run.code == 0, run.output
    assert f"eval-eager-float32 at {LEVEL}: RIGHT, and stays channels-last" in run.output
    line = NETS.partition("nn.functional.instance_norm")[0].count("\n") + 1
    words = f"instance_norm got NHWC and gave NCHW, which is put back right behind it (nets.py:{line})\n"
    sentence = f"the model's own forward (PutsBack): torch.nn.functional.{words}"
    assert f"\na copy each, and nothing to change:\n  {sentence}" in run.output
    operator = (
        "known of suites/operators/normalization.yaml::instance_norm: it gives NCHW for NHWC by the layout contract"
    )
    assert f"    {operator}, golden/contract/normalization.yaml; there is no issue about it\n" in run.output
    assert "\nturn it on: yes\n" in run.output


@needs_workers
def test_times_are_measured_in_both_formats_and_kept_in_the_answer(project: Project) -> None:
    """The text has them after the formats and before the last line, the JSON with each way to run the model."""
    project.write("nets.py", NETS)
    options = ["--levels", LEVEL, "--time", "--threads", "1", "--train", "--json", "answer.json"]
    run = project.command("model", "nets:Loses", "--input", "1,3,8,8", *options)
    assert run.code == Answer.LOSES_FORMAT.exit_code, run.output
    texts = ("\nreorders by oneDNN in all: ", "\ntime of eval-eager-float32 at sse41, 1 thread, ", "\nto change:")
    places = [run.output.index(text) for text in texts]
    assert places == sorted(places)
    for way in ("eval-eager-float32", "train-eager-float32"):
        stage = f"Loses, {way}: measured in both formats at {LEVEL} for 8 s or more, and profiled\n"
        assert stage in run.output
    ways = json.loads((project.root / "answer.json").read_text("utf-8"))["ways"]
    assert [way["way"] for way in ways] == ["eval-eager-float32", "train-eager-float32"]
    for way in ways:
        (timing,) = way["timings"]
        assert (timing["item"], timing["level"], timing["times"]["threads"]) == (way["way"], LEVEL, 1)
        assert min(timing["times"][name]["median"] for name in ("nchw", "nhwc", "gain")) > 0
        copies = {cost["module"] for cost in timing["nhwc"]["costs"] if cost["kind"] == "copy"}
        assert "" in copies  # the model's own forward, which calls contiguous()


@needs_workers
@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--threads", "2"], "--threads: nothing is measured; give --time too"),
        (["--time", "--threads", "0"], "--threads: 0 is less than 1"),
        (["--time", "--in-process"], "--time measures in a process of its own; leave out --in-process"),
    ],
)
def test_times_of_nothing_are_refused(project: Project, arguments: list[str], expected: str) -> None:
    """Before anything runs, with exit code 4."""
    project.write("nets.py", NETS)
    assert project.command("model", "nets:right", "--input", "1,3,8,8", *arguments).refusal() == expected


@needs_workers
def test_a_model_that_cannot_be_judged_is_one_message(project: Project) -> None:
    """The command exits with 4, without a traceback of the model's own."""
    project.write("nets.py", NETS)
    run = project.command("model", "nets:broken", "--input", "1,3,8,8", "--levels", LEVEL)
    assert run.refusal() == "nets.broken: nets.broken raised ValueError: no weights today"


@needs_workers
@pytest.mark.parametrize(
    ("factory", "shape", "expected"),
    [
        ("nonets:right", "1,3,8,8", "nonets.right: no module named 'nonets'"),
        ("ruined:right", "1,3,8,8", "ruined.right: ruined cannot be imported: "),
        ("nets:rigth", "1,3,8,8", "nets.rigth: nets has no 'rigth'; did you mean nets.right?"),
        ("nets:Wordy", "1,3,8,8", "nets.Wordy: output['label'] is a str; a model returns tensors"),
        (
            "nets:Noisy",
            "1,3,8,8",
            "nets.Noisy: two runs with the same input differ (output[0]): aten.bernoulli_ draws random",
        ),
        ("nets:right", "1,8,8,3", "is shaped [1, 8, 8, 3], that is NHWC, and the first convolution wants 3 channels"),
        ("nets:right", "1,5,8,8", "nets.right: the model raised RuntimeError: "),
    ],
)
def test_what_cannot_be_judged_is_explained_in_one_sentence(
    judge: Judge, factory: str, shape: str, expected: str
) -> None:
    """The sentence says what is missing, raised, random, no tensor or shaped NHWC, and what would be right."""
    outcomes = judge(factory, shape)
    with pytest.raises(UserError) as refused:
        publish_answer(model_answer(factory, [], outcomes), options(factory, shape))
    assert expected in str(refused.value)
    assert "\n" not in str(refused.value)


@needs_workers
def test_a_torchvision_of_the_wrong_build_is_named_with_what_would_help(project: Project) -> None:
    """The message stands in place of the error of the import, and the command exits with 4."""
    project.write("torchvision/__init__.py", 'raise RuntimeError("operator torchvision::nms does not exist")\n')
    run = project.command("model", "torchvision.models:resnet18", "--input", "1,3,64,64", "--levels", LEVEL)
    message = run.refusal()
    assert message.startswith("torchvision.models.resnet18: the installed torchvision does not match PyTorch ")
    assert message.endswith("operator torchvision::nms does not exist); install the build made for it")


@needs_workers
def test_a_dropout_that_is_on_is_named_and_the_evaluation_is_judged(judge: Judge, tmp_path: Path) -> None:
    """The step of training is judged once its class is frozen; until then the answer says what is not known."""
    evaluation, training = judge("nets:dropping", train=True)
    assert (evaluation.status, evaluation.problem) == ("passed", None)
    assert training.problem is not None
    assert "1 is a Dropout that is on; switch it off, or freeze its class" in training.problem.sentence
    answer = model_answer("nets:dropping", [], [evaluation, training])
    assert (answer.answer, answer.exit_code, answer.refusal) == (Answer.REFUSED, 4, training.problem.sentence)
    assert f"train-eager-float32: CANNOT BE JUDGED: {training.problem.sentence}\n" in model_text(answer)
    publish_answer(answer, options("nets:dropping", json=str(tmp_path / "answer.json")))
    assert ModelAnswer.model_validate_json((tmp_path / "answer.json").read_text()) == answer
    assert [outcome.status for outcome in judge("nets:dropping", train=True, frozen=["Dropout"])] == ["passed"] * 2


@needs_workers
@pytest.mark.parametrize("factory", ["nets:Diffuses", "nets:Recomputes"])
def test_noise_in_the_strides_of_an_image_is_no_difference_between_formats(judge: Judge, factory: str) -> None:
    """A seeded model gets the same number at the same index, in a forward that is run again for backward too."""
    outcomes = judge(factory, "2,3,8,8", train=True, seeded=True)
    assert [outcome.status for outcome in outcomes] == ["passed"] * 2
    assert answer_of(outcomes) is Answer.YES


@needs_workers
def test_the_answer_is_json_on_standard_output_in_place_of_the_text(project: Project) -> None:
    """The document has the version of its schema and the exit code of the command."""
    project.write("nets.py", NETS)
    run = project.command("model", "nets:Loses", "--input", "1,3,8,8", "--levels", LEVEL, "--json", "-")
    answer = json.loads(run.output[: run.output.rindex("}") + 1])  # what runs is said behind it, as errors are
    assert (answer["schema"], answer["answer"], answer["exit_code"]) == (1, "loses format", run.code)
    assert [tensor["shape"] for tensor in answer["inputs"]] == [[1, 3, 8, 8]]
    (place,) = answer["places"]
    assert (place["function"], place["modules"]) == ("torch.Tensor.contiguous", [""])
    (way,) = answer["ways"]
    assert way["effect"]["counts"]["convolution"] == {"kept": 1, "total": 1}
    assert len(way["calls"]) == len(way["layout"])


def test_a_file_that_cannot_be_written_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """The message of the system names it; a file that can be is not there until the answer is."""
    with pytest.raises(OSError, match="no_such_folder"):
        check_answer_options(options("nets:right", json=str(tmp_path / "no_such_folder" / "answer.json")))
    with pytest.raises(OSError, match="no_such_folder"):
        check_answer_options(options("nets:right", html=tmp_path / "no_such_folder" / "page.html"))
    check_answer_options(options("nets:right", json=str(tmp_path / "answer.json"), html=tmp_path / "page.html"))
    assert list(tmp_path.iterdir()) == []


@needs_workers
def test_the_page_has_the_modules_with_the_formats_and_the_place_to_change(project: Project) -> None:
    """The text is printed all the same, and the exit code is that of the answer."""
    project.write("nets.py", NETS)
    run = project.command("model", "nets:Loses", "--input", "1,3,8,8", "--levels", LEVEL, "--html", "page.html")
    assert (run.code, run.output.startswith("nets:Loses with [1, 3, 8, 8]\n")) == (Answer.LOSES_FORMAT.exit_code, True)
    page = (project.root / "page.html").read_text("utf-8")
    assert '<span class="verdict warn">YES, BUT</span> <span>nets:Loses</span>' in page
    assert "torch.Tensor.contiguous got NHWC and gave NCHW (nets.py:" in page
    rows = re.findall(r'<tr id="module-\d".*?</tr>', page, re.DOTALL)
    formats = [re.findall(r'class="format (\w+)"', row) for row in rows]
    assert formats == [["nhwc", "nchw"], ["nhwc", "nhwc"], ["nchw", "nchw"]]


@needs_workers
def test_a_lost_format_is_reported_with_the_function(judge: Judge) -> None:
    """The text names the module whose own forward gave the format up, and the call in it that did."""
    outcomes = judge("nets:Loses")
    text = model_text(model_answer("nets:Loses", input_answers(declared("nets:Loses")), outcomes))
    assert "RIGHT, but does not stay channels-last" in text
    line = NETS.splitlines().index("        return self.norm(self.conv(x).contiguous())") + 1
    loss = "the model's own forward (Loses): torch.Tensor.contiguous got NHWC and gave NCHW"
    assert f"\nto change:\n  {loss} (nets.py:{line})\n" in text
    assert answer_of(outcomes) is Answer.LOSES_FORMAT
    (row,) = [row for row in outcomes[0].layout if row.module == "norm"]
    assert (row.formats_in, row.formats_out) == ("nchw", "nchw")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"factory": "nets"}, "'nets' is not PACKAGE.MODULE:FACTORY, such as torchvision.models:resnet18"),
        ({"shape": "1,x"}, "--input: '1,x' is not a shape; write [NAME:][DTYPE:]SHAPE: 1,3,224,224, int64:1,16 or"),
        ({"shape": "1,-3"}, "--input: '1,-3' is not a shape"),
        ({"shape": "a:b:1,3"}, "--input: 'a:b:1,3' is no input; write [NAME:][DTYPE:]SHAPE"),
        ({"shape": "2x:1,3"}, "--input: '2x:1,3' is no input"),
        (
            {"shape": "float16:1,3"},
            "--input: 'float16:1,3': a model is judged in float32, and its inputs with it; leave",
        ),
        ({"arguments": "{"}, "--arguments: not JSON: "),
        ({"shape": "99999999999999999999"}, "--input: '99999999999999999999' is not a shape"),
        ({"shape": "1" * 5000}, "--input: '1111"),
        ({"arguments": "[" * 2000}, "--arguments: nested too deeply to be read"),
        ({"arguments": '{"a": ' + "9" * 5000 + "}"}, "--arguments: the whole number 99999999999999999999... has more"),
        ({"arguments": "[1]"}, "--arguments: '[1]' is not a JSON object"),
        ({"arguments": '{"a": {}}'}, "--arguments: a value is a number, a text, true, false, null, or a list of these"),
    ],
)
def test_what_is_typed_wrong_is_refused_before_anything_runs(changes: dict[str, Any], expected: str) -> None:
    """The message says which option is wrong and what it takes."""
    with pytest.raises(UserError) as refused:
        declared(**{"factory": "nets:right", **changes})
    assert str(refused.value).startswith(expected)


def test_lists_become_what_a_factory_gets() -> None:
    """Arguments come from JSON, with nested lists as tuples."""
    model = declare_model(options("a.b:C", arguments='{"sizes": [1, [2]], "name": "x"}'))
    assert (model.factory, dict(model.arguments)) == ("a.b.C", {"sizes": (1, (2,)), "name": "x"})


@pytest.mark.parametrize(
    ("text", "name", "tensor"),
    [
        ("1,3,8,8", "", TensorInput((1, 3, 8, 8))),
        ("int64:1,16", "", TensorInput((1, 16), "int64")),
        ("pixel_values:1,3,8,8", "pixel_values", TensorInput((1, 3, 8, 8))),
        ("mask:bool:1,16", "mask", TensorInput((1, 16), "bool")),
        (":int32:2", "", TensorInput((2,), "int32")),
    ],
)
def test_an_input_is_a_shape_behind_its_name_and_dtype(text: str, name: str, tensor: TensorInput) -> None:
    """Both may be left out."""
    assert tensor_of_text(text) == (name, tensor)


def test_inputs_are_by_position_and_by_keyword() -> None:
    """Those without a name in their order."""
    inputs = declared_inputs(options("a.b:C", input=["2,3", "x:4", "5"])).inputs
    assert [(spec.name, spec.place) for spec in inputs] == [("input", (0,)), ("input1", (1,)), ("x", ("x",))]
    with pytest.raises(UserError, match="--input: x is there twice"):
        declared_inputs(options("a.b:C", input=["x:2", "x:3"]))


def test_a_file_of_inputs_without_a_tensor_or_of_another_kind_is_refused(tmp_path: Path) -> None:
    """The message says how a tensor is described, or which files there are."""
    for name, text in (("empty.yaml", "flag: true"), ("inputs.csv", "1,2")):
        (tmp_path / name).write_text(text)
    with pytest.raises(UserError, match=r"there is no tensor in .*; one is described by \{shape: "):
        declared_inputs(options("a.b:C", input=None, inputs=tmp_path / "empty.yaml"))
    with pytest.raises(UserError, match=r"is none of \.yaml, \.yml, \.json, \.npz, \.pt, \.pth"):
        declared_inputs(options("a.b:C", input=None, inputs=tmp_path / "inputs.csv"))
