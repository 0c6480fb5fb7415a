"""Trial: what a trial of one case in one dtype comes to, with the known issues taken out."""

from harness.trial.against import Baseline
from harness.trial.availability import Availability, missing_kernel, reason_not_callable
from harness.trial.build_comparison import (
    BuildChange,
    BuildComparison,
    ChangedFinding,
    ReferenceDifference,
    ReplayedPlace,
    TensorDrift,
)
from harness.trial.diagnosis import Diagnosis, Undecided, Variation, VariedAspect
from harness.trial.example_runner import ExampleRunner
from harness.trial.fatal_parts import PartwiseRunner
from harness.trial.guide import MOST_KEPT, Novelty
from harness.trial.judged_result import JudgedResult, cell_states, judge_result, judge_run
from harness.trial.known_issues import (
    DEATHS,
    applicable_known_issues,
    covers_version,
    fatal_known_issues,
    subtract_accepted,
)
from harness.trial.other_releases import double_backward_of_other_releases, known_issues_of_other_releases
from harness.trial.outcome import CellRow, Failure, FailureScript, Outcome
from harness.trial.plan import GuidedPlan, Plan, make_plan
from harness.trial.proposals import NewFailure, Proposer
from harness.trial.reduction import Reducer, cell_rows
from harness.trial.replays import describe_refusal, replay_place
from harness.trial.reproducers import check_reproducer
from harness.trial.review import Review, Reviewer
from harness.trial.severity import failure_severity, severity_rank
from harness.trial.tally import Tally, round_ratios
from harness.trial.trial import Trial

__all__ = [
    "DEATHS",
    "MOST_KEPT",
    "Availability",
    "Baseline",
    "BuildChange",
    "BuildComparison",
    "CellRow",
    "ChangedFinding",
    "Diagnosis",
    "ExampleRunner",
    "Failure",
    "FailureScript",
    "GuidedPlan",
    "JudgedResult",
    "NewFailure",
    "Novelty",
    "Outcome",
    "PartwiseRunner",
    "Plan",
    "Proposer",
    "Reducer",
    "ReferenceDifference",
    "ReplayedPlace",
    "Review",
    "Reviewer",
    "Tally",
    "TensorDrift",
    "Trial",
    "Undecided",
    "Variation",
    "VariedAspect",
    "applicable_known_issues",
    "cell_rows",
    "cell_states",
    "check_reproducer",
    "covers_version",
    "describe_refusal",
    "double_backward_of_other_releases",
    "failure_severity",
    "fatal_known_issues",
    "judge_result",
    "judge_run",
    "known_issues_of_other_releases",
    "make_plan",
    "missing_kernel",
    "reason_not_callable",
    "replay_place",
    "round_ratios",
    "severity_rank",
    "subtract_accepted",
]
