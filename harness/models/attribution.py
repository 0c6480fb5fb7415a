"""Which module the findings of an example come from, and which of them come from nothing but known faults."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from harness.core import Finding
from harness.models.faulty_module import FaultyModule
from harness.models.localise import Localisation, Localiser
from harness.models.outcome import is_of_run

LOCALISED: Final = 3
"""Findings of one example that are traced to a module; more of them cost time and say little."""


@dataclass
class Attribution:
    """The findings of one example by what they come from.

    `failures` remain, the worst first, and come from `faulty_modules`, unless the search for these was given up for the
    reason `not_localised`. `explained` come from nothing but known faults of operators, in `explaining_modules`;
    `known_issues` counts them by the issue.
    """

    failures: list[Finding] = field(default_factory=list)
    faulty_modules: list[FaultyModule] = field(default_factory=list)
    not_localised: str = ""
    explained: list[Finding] = field(default_factory=list)
    explaining_modules: list[FaultyModule] = field(default_factory=list)
    known_issues: Counter[str] = field(default_factory=Counter)

    def add(self, group: Sequence[Finding], localisation: Localisation) -> None:
        """Take in findings that have one cause, and the modules to which that was traced."""
        if localisation.is_explained:
            self.explained += group
            self.explaining_modules += localisation.modules
            issues = dict.fromkeys(issue for module in localisation.modules for issue in module.known_issues)
            self.known_issues.update(dict.fromkeys(issues, len(group)))
            return
        self.failures += group
        self.faulty_modules += [module for module in localisation.modules if not module.known_issues]
        self.not_localised = self.not_localised or localisation.given_up


def attribute_findings(findings: Iterable[Finding], localiser: Localiser) -> Attribution:
    """The findings of one example, each with the module that it comes from.

    A fault travels: all that is wrong in values is traced at once, by the worst of it. A lost format is one module's. A
    way to convert the model is wrong before any module is run.
    """
    everything = sorted(findings, key=lambda finding: (finding.oracle != "crash", -_worst_ratio(finding)))
    ordered = [finding for finding in everything if is_of_run(finding)]
    travelling = [finding for finding in ordered if finding.oracle != "strides"]
    format_losses = [[finding] for finding in ordered if finding.oracle == "strides"]
    attribution = Attribution()
    for group in [travelling, *format_losses] if travelling else format_losses:
        is_traced = len(attribution.failures) < LOCALISED
        attribution.add(group, localiser.localise(_widest(group)) if is_traced else Localisation())
    attribution.failures += [finding for finding in everything if finding not in ordered]
    return attribution


def _worst_ratio(finding: Finding) -> float:
    return max(finding.cells.values(), default=0.0)


def _widest(findings: Sequence[Finding]) -> Finding:
    """The worst finding, in every cell and under every conversion in which one of them shows."""
    cells = {cell: ratio for finding in reversed(findings) for cell, ratio in finding.cells.items()}
    layouts = tuple(dict.fromkeys(layout for finding in findings for layout in finding.layouts))
    return replace(findings[0], cells=cells, layouts=layouts)
