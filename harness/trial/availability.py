"""Whether the release under test has what an item runs at all: the rule by which an item is not available."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from harness.core import Case, KnownIssue, Observation, Reference
from harness.execution import Executor, Result
from harness.generation import sampled_examples
from harness.portable.tensor_name import TensorKind, kind_of
from harness.trial.known_issues import fatal_cells

_NO_KERNEL: Final = re.compile(r"\"\w+\" not implemented for '\w+'")
"""What ATen's dispatch macros say (aten/src/ATen/Dispatch.h), in a RuntimeError before PyTorch 2.1."""

PROBES: Final = 8
"""Examples that are run to see whether an item is available where no trial of it is."""


def reason_not_callable(case: Case, executor: Executor) -> str:
    """What the build lacks to run the case at all, a package or a callable; empty where it lacks nothing."""
    return executor.missing_packages(case) or "; ".join(executor.check(case))


def lacks_kernel(observation: Observation) -> bool:
    """Whether the forward call raised because ATen has no kernel for it in that dtype, and computed nothing."""
    if observation.status != "raised" or any(kind_of(name) is TensorKind.OUTPUT for name in observation.tensors):
        return False
    return observation.error == "NotImplementedError" or _NO_KERNEL.match(observation.message) is not None


@dataclass
class Availability:
    """Gathers over the examples of a trial whether any of them could be computed.

    An item is not available where each example comes to nothing in every cell and in both layouts, contiguous included,
    in one of three ways, and not in the third alone:

    - there is no kernel for it in that dtype (`lacks_kernel`);
    - it raises, and the float64 reference raises the same: nothing can compute it in this release;
    - all that it returns is empty: many operators return before they look at the dtype.

    An operator that raises in one layout or in one cell only is there, and so is one that raises otherwise than the
    reference does. Whether a release may be without an item at all is not decided here, but by golden/: one that
    golden/ was verified with may not.
    """

    reasons: list[str] = field(default_factory=list)
    is_refuted: bool = False

    def note(self, result: Result) -> None:
        """Take what one example came to."""
        reasons = [_reason(observation, result.reference) for observation in result.observations]
        if any(reason is None for reason in reasons):
            self.is_refuted = True
        self.reasons += [reason for reason in reasons if reason]

    @property
    def lack(self) -> str:
        """What is missing, in the words of the first call that raised; empty where something could be computed."""
        return "" if self.is_refuted or not self.reasons else self.reasons[0]


def missing_kernel(case: Case, dtype: str, executor: Executor, known_issues: Sequence[KnownIssue]) -> str:
    """What a few examples of an item say that the build lacks; empty where something could be computed."""
    examples = [each for each in sampled_examples(case, dtype, PROBES) if not fatal_cells(known_issues, each)]
    availability = Availability()
    for result in executor.run(case, examples):
        availability.note(result)
    return availability.lack


def _reason(observation: Observation, reference: Reference) -> str | None:
    """Why the observation says nothing of the operator; empty where it is empty, None where the operator is there."""
    if observation.status == "ok":
        outputs = [record for name, record in observation.tensors.items() if kind_of(name) is TensorKind.OUTPUT]
        return "" if outputs and all(0 in record.shape for record in outputs) else None
    refused_alike = (observation.status, observation.error) == (reference.status, reference.error)
    if observation.status == "raised" and (refused_alike or lacks_kernel(observation)):
        return f"{observation.error}: {observation.message.strip().partition(chr(10))[0]}"
    return None
