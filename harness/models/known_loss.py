"""What golden/ knows of an operator that loses channels-last: its line in the layout contract, its known issue."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final, TypeAlias

from pydantic import Field

from harness.core import Case, Example, KnownFault
from harness.core.example import GRAD_OUTPUT
from harness.generation import probe_shapes
from harness.golden import Contract, KnownIssues, release_of
from harness.models.image_call import ImageCall
from harness.portable.memory_format import MEMORY_FORMATS
from harness.suites import StrictSchema
from harness.trial import applicable_known_issues

OUTPUT: Final = "output[0]"


class KnownLoss(StrictSchema):
    """What is known of an operator that gives NCHW for NHWC, by the contract, by a known issue, or by both."""

    operator: str = Field(description="Its case, as the suites have it: suites/operators/reduction.yaml::softmax")
    contract: str = Field(description="The file of the layout contract that has it so; empty where it is not so always")
    issue: str = Field(description="The known issue; empty where there is none")
    summary: str = Field(description="What is wrong, in one sentence; empty without an issue")
    link: str = Field(description="The thread about it at PyTorch's; empty where none is known")

    @property
    def sentence(self) -> str:
        """All of it in words."""
        name = f"known of {self.operator}"
        if not self.issue:
            return f"{name}: it gives NCHW for NHWC by the layout contract, {self.contract}; there is no issue about it"
        thread = f", {self.link}" if self.link else ", no thread upstream is known"
        contract = f"; the layout contract has it so, {self.contract}" if self.contract else ""
        return f"{name}: {self.summary.rstrip('.')} (known issue {self.issue}{thread}){contract}"


FindKnownLoss: TypeAlias = Callable[[ImageCall, Collection[str]], KnownLoss | None]
"""What is known of the operator of a call that loses the format in these cells; None where nothing is."""


def find_nothing(_call: ImageCall, _cells: Collection[str]) -> None:
    """Where there is no golden/ to ask."""


@dataclass(frozen=True)
class LossLookup:
    """Looks up what a layout contract and known issues have of an operator in the version `torch` of PyTorch."""

    contract: Contract
    known_issues: KnownIssues
    torch: str

    def find(self, case: Case, example: Example, cells: Collection[str]) -> KnownLoss | None:
        """What is known of a case whose output loses the format in an example in these cells; None: nothing is."""
        fault = self._fault(case, example, cells)
        file = self.contract.file if self._is_always_lost(case, example) else ""
        if fault is None and not file:
            return None
        return KnownLoss(
            operator=case.id,
            contract=file,
            issue="" if fault is None else fault.id,
            summary="" if fault is None else fault.summary,
            link=fault.link if fault is not None and fault.link.startswith("https://") else "",
        )

    def _fault(self, case: Case, example: Example, cells: Collection[str]) -> KnownFault | None:
        """The fault that accepts a lost format of the output of that example in one of these cells."""
        places = applicable_known_issues(self.known_issues.entries, case.id, example.dtype, self.torch)
        about = (place for place in places if place.is_about("strides", OUTPUT, cells) and place.holds(example))
        return next((self.known_issues.fault(place.id) for place in about), None)

    def _is_always_lost(self, case: Case, example: Example) -> bool:
        """Whether the output is contiguous for the formats of that example with every option of the case."""
        release = release_of(self.torch)
        if release not in self.contract.verified:
            return False
        last = {name for name, layout in example.layouts.items() if layout == MEMORY_FORMATS[1]} - {GRAD_OUTPUT}
        shapes = probe_shapes(case, example.dtype)
        rules = self.contract.output_rules(case.name, example.dtype, release, shapes)
        return bool(rules) and all(rule.format_of(last) == MEMORY_FORMATS[0] for rule in rules)
