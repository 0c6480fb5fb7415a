"""Which findings of an example come from which module, and which of them from nothing but known faults."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from harness.core import CellState, Finding
from harness.models.attribution import LOCALISED, Attribution, attribute_findings
from harness.models.faulty_module import FaultyModule, OperatorReplay
from harness.models.localise import Localisation

KNOWN = FaultyModule("act", "LogSigmoid", "avx2", "wrong", replay=OperatorReplay("{}", CellState.KNOWN_ISSUE, ("log",)))
UNKNOWN = FaultyModule("conv", "Conv2d", "avx2", "wrong", replay=OperatorReplay("{}", CellState.FAILED))
LOST = "the reference's worker no longer has the module calls (died: killed by SIGKILL)"


def finding(tensor: str, ratio: float = 2.0, oracle: Any = "values", cell: str = "avx2") -> Finding:
    """A finding about a tensor in one cell."""
    return Finding(oracle, tensor, "layout", {cell: ratio}, ("both",))


@dataclass
class ScriptedLocaliser:
    """Says of every finding what it was told to, and notes which it was asked about."""

    localisation: Localisation
    findings: list[Finding] = field(default_factory=list)

    def localise(self, finding: Finding) -> Localisation:
        """What was scripted."""
        self.findings.append(finding)
        return self.localisation


def attribute(localisation: Localisation, *findings: Finding) -> tuple[Attribution, list[Finding]]:
    """The attribution where the localiser says this, and what it was asked about."""
    localiser = ScriptedLocaliser(localisation)
    return attribute_findings(findings, localiser), localiser.findings  # type: ignore[arg-type] # a stand-in


def test_all_wrong_values_are_traced_at_once_by_the_worst() -> None:
    """A fault travels: one search with the worst tensor, in every cell in which some tensor is wrong."""
    tensors = [finding("output[0]"), finding("grad:weight", 9.0, cell="avx512_core")]
    attribution, traced = attribute(Localisation((UNKNOWN,)), *tensors)
    assert [(search.tensor, dict(search.cells)) for search in traced] == [
        ("grad:weight", {"avx2": 2.0, "avx512_core": 9.0})
    ]
    assert [failure.tensor for failure in attribution.failures] == ["grad:weight", "output[0]"]
    assert attribution.faulty_modules == [UNKNOWN]


def test_each_lost_format_is_traced_by_itself_up_to_a_limit() -> None:
    """Losses are faults of several modules; after the first few, findings are kept and not traced."""
    losses = [finding(f"module:{index}", oracle="strides") for index in range(LOCALISED + 2)]
    attribution, traced = attribute(Localisation((UNKNOWN,)), *losses)
    assert traced == losses[:LOCALISED]
    assert attribution.failures == losses


def test_findings_of_known_operators_only_are_explained() -> None:
    """They are no failures, and count under the known issue of the operator."""
    attribution, _traced = attribute(Localisation((KNOWN,)), finding("output[0]"), finding("grad:weight"))
    assert attribution.failures == []
    assert [explained.tensor for explained in attribution.explained] == ["output[0]", "grad:weight"]
    assert attribution.known_issues == {"log": 2}
    assert attribution.explaining_modules == [KNOWN]


def test_one_module_that_is_not_known_makes_a_failure() -> None:
    """The known module is not blamed beside it."""
    attribution, _traced = attribute(Localisation((KNOWN, UNKNOWN)), finding("output[0]"))
    assert [failure.tensor for failure in attribution.failures] == ["output[0]"]
    assert attribution.faulty_modules == [UNKNOWN]
    assert attribution.known_issues == {}


def test_a_search_that_was_given_up_explains_nothing() -> None:
    """Another module may be wrong as well: the finding stays a failure, and the reason is kept."""
    attribution, _traced = attribute(Localisation((KNOWN,), LOST), finding("output[0]"))
    assert [failure.tensor for failure in attribution.failures] == ["output[0]"]
    assert (attribution.faulty_modules, attribution.not_localised) == ([], LOST)
