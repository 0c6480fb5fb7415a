"""Models, from declaration to report, on top of the rooms of operators.

A file of models is read (`load_file`), examples of a model are drawn (`model_examples`), run in every cell and in the
float64 reference (`ModelExecutor`), judged and traced to the module that is to blame (`ModelTrial`), and told
(`model_summary`, `model_failure_text`). All that `equivalence model` finds out is one `ModelAnswer`, which `model_text`
prints.
"""

from harness.models.answer import InputAnswer, ModelAnswer, PlaceAnswer, model_answer
from harness.models.call_inputs import CallInputs, InputTree, TensorInput, call_inputs, split_arguments
from harness.models.declaration import ModelSuite
from harness.models.examples import model_arguments, model_examples, model_shapes
from harness.models.executor import ModelExecutor
from harness.models.faulty_module import FaultyModule, OperatorReplay
from harness.models.files import examine_file, load_file
from harness.models.html_page import model_html
from harness.models.image_call import ImageCall
from harness.models.input_file import INPUT_DTYPES, read_archive, read_inputs, saved_input
from harness.models.known_issue import ModelKnownIssue
from harness.models.known_issues import load_model_known_issues
from harness.models.known_loss import KnownLoss, LossLookup
from harness.models.model import RUNNERS, WEIGHTS, InputSpec, Model, ModelExample, Problem, Skipped, WayToRun
from harness.models.operator_match import match_operator
from harness.models.operator_replay import OperatorReplayer
from harness.models.outcome import ModelFailure, ModelOutcome
from harness.models.progress import announce_nothing
from harness.models.record import model_item_record
from harness.models.report import model_failure_text, model_summary, model_text
from harness.models.schema import ModelSuiteSchema
from harness.models.templating import TEMPLATES
from harness.models.timer import ModelTimer
from harness.models.timing import FormatTimes, ModelTiming, format_times
from harness.models.trial import ModelTrial, issues_of_model
from harness.models.verdict import Answer, answer_of
from harness.models.way_answer import EffectAnswer, ImageCallAnswer, KeptCalls, WayAnswer
from harness.models.weights import choose_weights

__all__ = [
    "INPUT_DTYPES",
    "RUNNERS",
    "TEMPLATES",
    "WEIGHTS",
    "Answer",
    "CallInputs",
    "EffectAnswer",
    "FaultyModule",
    "FormatTimes",
    "ImageCall",
    "ImageCallAnswer",
    "InputAnswer",
    "InputSpec",
    "InputTree",
    "KeptCalls",
    "KnownLoss",
    "LossLookup",
    "Model",
    "ModelAnswer",
    "ModelExample",
    "ModelExecutor",
    "ModelFailure",
    "ModelKnownIssue",
    "ModelOutcome",
    "ModelSuite",
    "ModelSuiteSchema",
    "ModelTimer",
    "ModelTiming",
    "ModelTrial",
    "OperatorReplay",
    "OperatorReplayer",
    "PlaceAnswer",
    "Problem",
    "Skipped",
    "TensorInput",
    "WayAnswer",
    "WayToRun",
    "announce_nothing",
    "answer_of",
    "call_inputs",
    "choose_weights",
    "examine_file",
    "format_times",
    "issues_of_model",
    "load_file",
    "load_model_known_issues",
    "match_operator",
    "model_answer",
    "model_arguments",
    "model_examples",
    "model_failure_text",
    "model_html",
    "model_item_record",
    "model_shapes",
    "model_summary",
    "model_text",
    "read_archive",
    "read_inputs",
    "saved_input",
    "split_arguments",
]
