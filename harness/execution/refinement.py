"""A reference that knows better how far roundings move it, for what the usual one condemns."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from harness.core import Case
from harness.execution import replies
from harness.execution.executor import Executor
from harness.execution.isolated_runs import REFERENCE_LIMIT_FACTOR
from harness.execution.requests import reference_request
from harness.execution.result import Result
from harness.execution.workers.supervisor import WorkerLost
from harness.generation import resolve_example
from harness.portable.operator_protocol import MORE_PATTERNS, PATTERNS, ReferReply


def refine_reference(executor: Executor, case: Case, result: Result) -> Result:
    """The result of an executor with a reference of `MORE_PATTERNS` perturbations.

    It is as it was where the reference did not return, or its worker is lost over so many.
    """
    example = result.example
    try:
        reply = executor.ask_reference(
            reference_request(resolve_example(case, example), MORE_PATTERNS),
            about=example.to_json(),
            limit=executor.limit * REFERENCE_LIMIT_FACTOR * MORE_PATTERNS / PATTERNS,
            preloaded=executor.lookup.needs_preload(case),
        )
    except WorkerLost:
        return result
    is_independent = executor.has_independent_reference(case)
    refined = replies.reference(case, example, cast("ReferReply", reply), is_independent=is_independent)
    return replace(result, reference=refined) if refined.status == "ok" else result
