"""What crosses rooms: Case, Example, Cell, Observation, Finding, Known issue. Plain data and nothing else."""

from harness.core.case import (
    Case,
    DeclaredExample,
    Module,
    Numerics,
    Size,
    TensorArgument,
    TensorSpec,
    TorchName,
    leaves,
    tensors_in,
)
from harness.core.cell import Cell, Level
from harness.core.example import Example
from harness.core.expression import Expression, ExpressionError
from harness.core.fact import FactChange, FactDifference, FactKind, NotCompared
from harness.core.finding import Finding, Judgement
from harness.core.known_issue import (
    Acceptance,
    KnownFault,
    KnownIssue,
    Severity,
    Verification,
    matches,
    sort_by_severity,
)
from harness.core.missing_double_backward import MissingDoubleBackward
from harness.core.observation import Observation, Reference, TensorRecord
from harness.core.pattern import Mismatch, MismatchedElement, Pattern, PatternKind
from harness.core.state import (
    CellState,
    DoubleBackwardState,
    ItemStatus,
    PlaceReplay,
    PlaceState,
    ReproducerCheck,
    ReproducerState,
)

__all__ = [
    "Acceptance",
    "Case",
    "Cell",
    "CellState",
    "DeclaredExample",
    "DoubleBackwardState",
    "Example",
    "Expression",
    "ExpressionError",
    "FactChange",
    "FactDifference",
    "FactKind",
    "Finding",
    "ItemStatus",
    "Judgement",
    "KnownFault",
    "KnownIssue",
    "Level",
    "Mismatch",
    "MismatchedElement",
    "MissingDoubleBackward",
    "Module",
    "NotCompared",
    "Numerics",
    "Observation",
    "Pattern",
    "PatternKind",
    "PlaceReplay",
    "PlaceState",
    "Reference",
    "ReproducerCheck",
    "ReproducerState",
    "Severity",
    "Size",
    "TensorArgument",
    "TensorRecord",
    "TensorSpec",
    "TorchName",
    "Verification",
    "leaves",
    "matches",
    "sort_by_severity",
    "tensors_in",
]
