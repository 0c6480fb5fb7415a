"""The nouns that cross rooms: Case, Example, Cell, Observation, Finding, Deviation. Plain data and nothing else."""

from harness.nouns.case import (
    ALL_DTYPES,
    FILLS,
    PATHS,
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
from harness.nouns.cell import Cell, Level
from harness.nouns.deviation import Accepted, Deviation, NetworkDeviation, matches
from harness.nouns.example import Example
from harness.nouns.expression import Expression, ExpressionError
from harness.nouns.finding import Finding, Judgement
from harness.nouns.network import (
    BASELINE,
    CONVERSIONS,
    PRECISIONS,
    RUNNERS,
    STEPS,
    Blame,
    Call,
    InputSpec,
    ModuleRecord,
    Network,
    NetworkExample,
    NetworkObservation,
    NetworkReference,
)
from harness.nouns.observation import Observation, Reference, TensorRecord
from harness.nouns.refusal import Refusal

__all__ = [
    "ALL_DTYPES",
    "BASELINE",
    "CONVERSIONS",
    "FILLS",
    "PATHS",
    "PRECISIONS",
    "RUNNERS",
    "STEPS",
    "Accepted",
    "Blame",
    "Call",
    "Case",
    "Cell",
    "DeclaredExample",
    "Deviation",
    "Example",
    "Expression",
    "ExpressionError",
    "Finding",
    "InputSpec",
    "Judgement",
    "Level",
    "Module",
    "ModuleRecord",
    "Network",
    "NetworkDeviation",
    "NetworkExample",
    "NetworkObservation",
    "NetworkReference",
    "Numerics",
    "Observation",
    "Reference",
    "Refusal",
    "Size",
    "TensorArgument",
    "TensorRecord",
    "TensorSpec",
    "TorchName",
    "leaves",
    "matches",
    "tensors_in",
]
