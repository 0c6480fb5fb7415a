"""Matching findings against the known issues that name them."""

from __future__ import annotations

from dataclasses import replace

from harness.core import Example, Expression, Finding, KnownIssue
from harness.models.known_issue import ModelKnownIssue
from harness.trial.known_issues import (
    accumulators,
    applicable_known_issues,
    fatal_cells,
    subtract_accepted,
    subtract_known,
)

CASE = "suites/operators/pooling.yaml::max_pool2d"
EXAMPLE = Example(CASE, "float32", {"W": 1, "stride": (2, 2)}, {"input": "channels_last"})
CELLS = ("avx2", "avx512_core")
FINDING = Finding("values", "output[0]", "layout", {"avx2": 3.0, "avx512_core": 4.0})
ISSUE = KnownIssue(
    id="one-column",
    cases=(CASE, "suites/operators/pooling.yaml::max_pool2d_with_indices"),
    dtypes=("float32",),
    tensors=("output[0]",),
    oracle="values",
    cells=("avx2",),
    when=Expression.parse("W == 1 and stride[0] > 1"),
    reason="because",
    link="no thread found",
    reproducer=EXAMPLE,
    torch=">=2.13",
)


def test_a_known_issue_concerns_its_case_dtype_and_versions() -> None:
    """An entry is left out for another case, another dtype, or a PyTorch outside its range."""
    assert applicable_known_issues([ISSUE], CASE, "float32", "2.15.0+cpu") == (ISSUE,)
    assert applicable_known_issues([ISSUE], CASE, "float32", "2.12.1") == ()
    assert applicable_known_issues([ISSUE], CASE + "_with_indices", "float32", "2.15.0") == (ISSUE,)
    assert applicable_known_issues([ISSUE], CASE, "float64", "2.15.0") == ()
    assert applicable_known_issues([ISSUE], CASE + "x", "float32", "2.15.0") == ()
    assert applicable_known_issues([replace(ISSUE, torch="")], CASE, "float32", "2.16.0a0+gitabc") != ()


def test_an_entry_about_models_names_cells_and_tensors_by_patterns() -> None:
    """What remains of a finding are the cells that no pattern is; another tensor is no matter of it."""
    entry = ModelKnownIssue(
        id="drift",
        models=("*",),
        items=("*",),
        tensors=("output*",),
        oracle="values",
        cells=("avx512*",),
        when=Expression.parse("True"),
        reason="because",
        link="no thread found",
    )
    other = replace(FINDING, tensor="grad:weight")
    partition = subtract_accepted([FINDING, other], [entry])
    assert partition.failures == (replace(FINDING, cells={"avx2": 3.0}), other)
    assert partition.accepted == (("drift", FINDING),)


def test_a_condition_decides() -> None:
    """The condition is evaluated over the example's own values; what cannot be evaluated does not hold."""
    assert ISSUE.holds(EXAMPLE)
    assert not ISSUE.holds(EXAMPLE.but(sizes={"W": 2, "stride": (2, 2)}))
    assert not ISSUE.holds(EXAMPLE.but(sizes={"W": 1}))


def test_only_the_cells_it_names_are_accepted() -> None:
    """What fails in a cell that the known issue does not name is still a failure, with that cell only."""
    partition = subtract_known([FINDING], [ISSUE], EXAMPLE)
    assert [finding.cells for finding in partition.failures] == [{"avx512_core": 4.0}]
    assert partition.accepted == (("one-column", FINDING),)


def test_two_known_issues_share_a_finding() -> None:
    """Each takes its own cells; when all are taken nothing fails."""
    other = replace(ISSUE, id="other", cells=("avx512_core",))
    partition = subtract_known([FINDING], [ISSUE, other], EXAMPLE)
    assert partition.failures == ()
    assert [name for name, _ in partition.accepted] == ["one-column", "other"]


def test_another_oracle_or_tensor_is_not_accepted() -> None:
    """A known issue of one tensor's values says nothing about its strides, nor about another tensor."""
    for finding in (replace(FINDING, oracle="strides"), replace(FINDING, tensor="grad:input")):
        assert subtract_known([finding], [ISSUE], EXAMPLE).failures == (finding,)


def test_a_known_issue_takes_nothing_from_other_tensors_and_properties() -> None:
    """Of every property of every tensor, in both cells, only what the entry names is gone, and only in its cell."""
    oracles = ("values", "strides", "shape", "dtype", "range", "written", "repeat", "error", "crash", "hang")
    tensors = ("", "output[0]", "output[1]", "grad:input", "grad:weight", "buffer:running_mean", "grad_output[0]")
    findings = [replace(FINDING, oracle=oracle, tensor=tensor) for oracle in oracles for tensor in tensors]
    for oracle in oracles:
        entry = replace(ISSUE, oracle=oracle, tensors=("grad:weight",))
        partition = subtract_known(findings, [entry], EXAMPLE)
        accepted = {oracle} | ({"repeat"} if oracle == "values" else set())
        assert {finding.key for _, finding in partition.accepted} == {(each, "grad:weight") for each in accepted}
        assert {finding.key: set(finding.cells) for finding in partition.failures} == {
            finding.key: {"avx512_core"} if finding.key in {(each, "grad:weight") for each in accepted} else {*CELLS}
            for finding in findings
        }


def test_a_star_accepts_every_tensor() -> None:
    """An entry for a crash or an error names no tensor."""
    finding = replace(FINDING, cells={"avx2": 1.0}, tensor="")
    assert subtract_known([finding], [replace(ISSUE, tensors=("*",))], EXAMPLE).failures == ()


def test_a_pattern_accepts_the_tensors_it_matches() -> None:
    """``grad:*`` stands for every gradient; the brackets of ``output[0]`` are literal."""
    pattern = replace(ISSUE, tensors=("grad:*", "output[0]"))
    accepted = [tensor for tensor in ("grad:input", "output[0]", "output0") if pattern.names(tensor)]
    assert accepted == ["grad:input", "output[0]"]


def test_accumulators_of_the_known_issues_that_hold() -> None:
    """An entry that admits a coarser accumulator does so for its tensors and cells, where its condition holds."""
    coarse = replace(ISSUE, accumulates_in="bfloat16", tensors=("grad:weight",))
    assert accumulators([coarse, ISSUE], EXAMPLE) == {"grad:weight": {"avx2": "bfloat16"}}
    assert accumulators([coarse], EXAMPLE.but(sizes={"W": 2, "stride": (2, 2)})) == {}


def test_fatal_cells_are_those_of_crashes_and_hangs() -> None:
    """Only entries of kind crash or hang keep an example from being run in a cell."""
    assert fatal_cells([ISSUE], EXAMPLE) == frozenset()
    assert fatal_cells([replace(ISSUE, oracle="crash")], EXAMPLE) == {"avx2"}
