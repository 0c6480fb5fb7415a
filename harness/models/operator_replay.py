"""Whether the operator that a faulty module calls is wrong by itself, and whether that is known of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from harness.core import Case, CellState, Example, Finding, KnownIssue
from harness.execution import Executor
from harness.models.faulty_module import OperatorReplay
from harness.models.function_call import FunctionCall
from harness.models.operator_match import match_operator
from harness.portable.tensor_name import TensorKind, kind_of
from harness.trial import DEATHS, fatal_known_issues, judge_run, reason_not_callable


@dataclass(frozen=True)
class OperatorReplayer:
    """Runs the operator example that makes a module's call. `cases` gives the cases to look in, when one is needed.

    `known_issues` gives those of a case and a dtype.
    """

    executor: Executor
    cases: Callable[[], Iterable[Case]]
    known_issues: Callable[[Case, str], Sequence[KnownIssue]]

    def replay(self, calls: Sequence[FunctionCall], wrong: Sequence[Finding], cell: str) -> OperatorReplay | None:
        """What comes, in that cell, of the first of these calls that a case makes; None where no case does.

        `wrong` are the findings about the module that made them. Each fill of the case is tried until one fails. What
        ends a module and not the example is known all the same where a known issue says that the call ends a worker:
        what is written past the end of memory does so now and then.
        """
        match = match_operator(self.cases(), calls)
        if match is None:
            return None
        case, example = match
        if reason_not_callable(case, self.executor):
            return None
        for fill in dict.fromkeys((example.fill, *case.fills)):
            filled = example.but(fill=fill)
            result = self.executor.run_isolated(case, filled, cells=[cell])
            judged = judge_run(case, result, self.known_issues(case, filled.dtype), self.executor)
            if judged.failures:
                return OperatorReplay(filled.to_json(), CellState.FAILED)
            if judged.partition.accepted:
                known = explaining_issues(judged.partition.accepted, wrong)
                verdict = CellState.KNOWN_ISSUE if known else CellState.FAILED
                return OperatorReplay(filled.to_json(), verdict, known)
        fatal = self._fatal_issues(case, example, wrong, cell)
        return OperatorReplay(example.to_json(), CellState.PASSED, fatal)

    def _fatal_issues(self, case: Case, example: Example, wrong: Sequence[Finding], cell: str) -> tuple[str, ...]:
        """The known issues that say that the example ends a worker in that cell, where the module has ended one."""
        if not any(finding.oracle in DEATHS for finding in wrong):
            return ()
        known = fatal_known_issues(self.known_issues(case, example.dtype), example)
        return tuple(dict.fromkeys(issue.id for issue in known if issue.covers(cell)))


def explaining_issues(accepted: Iterable[tuple[str, Finding]], wrong: Iterable[Finding]) -> tuple[str, ...]:
    """The known issues by which each wrong tensor of a module is known of its operator; none where one is left over.

    `accepted` are the operator's own findings, each with the id of the known issue that accepts it.
    """
    explaining: dict[str, None] = {}
    candidates = list(accepted)
    for module_finding in wrong:
        issues = [issue for issue, finding in candidates if _is_same_fault(finding, module_finding)]
        if not issues:
            return ()
        explaining.update(dict.fromkeys(issues))
    return tuple(explaining)


def _is_same_fault(operator_finding: Finding, module_finding: Finding) -> bool:
    """Whether an operator's finding is about what a module's is: of images in, of parameters, of what comes out."""
    kind = kind_of(operator_finding.tensor)
    if "strides" in (operator_finding.oracle, module_finding.oracle):
        return operator_finding.oracle == module_finding.oracle and kind is TensorKind.OUTPUT
    if kind_of(module_finding.tensor) is TensorKind.INPUT_GRADIENT:
        return kind is TensorKind.GRADIENT
    return module_finding.tensor in ("", operator_finding.tensor) or operator_finding.oracle in DEATHS
