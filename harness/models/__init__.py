"""Models, from declaration to report, on top of the rooms of operators.

A file of models is read (`load_file`), examples of a model are drawn (`model_examples`), run in every cell and in the
float64 reference (`ModelExecutor`), judged and traced to the module that is to blame (`ModelTrial`), and told
(`model_summary`, `model_failure_text`, `model_text`).
"""

from harness.models.declaration import ModelSuite
from harness.models.examples import model_arguments, model_examples, model_shapes
from harness.models.executor import ModelExecutor
from harness.models.files import load_file
from harness.models.known_issue import ModelKnownIssue
from harness.models.known_issues import load_model_known_issues
from harness.models.model import Call, FaultyModule, InputSpec, Model, ModelExample, Problem, Skipped
from harness.models.operator_match import match_operator, worth_matching
from harness.models.report import model_failure_text, model_summary, model_text
from harness.models.trial import ModelFailure, ModelOutcome, ModelTrial, concerned_models

__all__ = [
    "Call",
    "FaultyModule",
    "InputSpec",
    "Model",
    "ModelExample",
    "ModelExecutor",
    "ModelFailure",
    "ModelKnownIssue",
    "ModelOutcome",
    "ModelSuite",
    "ModelTrial",
    "Problem",
    "Skipped",
    "concerned_models",
    "load_file",
    "load_model_known_issues",
    "match_operator",
    "model_arguments",
    "model_examples",
    "model_failure_text",
    "model_shapes",
    "model_summary",
    "model_text",
    "worth_matching",
]
