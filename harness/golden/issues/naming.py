"""Whether a place of a fault names what its cases have: dtypes, tensors, sizes, and a reproducer that fits."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.core import Case, KnownIssue
from harness.core.example import GRAD_OUTPUT
from harness.golden.issues.fit import complete_layouts, describe_misfit
from harness.portable.tensor_name import DERIVED, TensorKind, parse
from harness.suites import Location, suggestion

_BESIDE: Final = (TensorKind.FAKED, TensorKind.COMPILED)
"""What is seen of a tensor beside the call, where the case goes that way."""


def place_mistakes(place: KnownIssue, cases: Mapping[str, Case]) -> Iterator[tuple[str, Location]]:
    """What the place says that its cases do not have, and where below it that is said.

    A dtype and a tensor must be those of one case at least; the names of the condition must be known in every case,
    or the entry would not cover it and nobody would notice.
    """
    for dtype in place.dtypes:
        if not any(dtype in case.every_dtype for case in cases.values()):
            yield f"{_list_names(cases)} is not run in {dtype}", ("dtypes",)
    yield from ((message, ("tensors",)) for message in _tensor_mistakes(place, cases))
    for case in cases.values():
        yield from _condition_mistakes(place, case)
    yield from _reproducer_mistakes(place, cases)


def _list_names(cases: Mapping[str, Case]) -> str:
    return ", ".join(case.name for case in cases.values())


def _condition_mistakes(place: KnownIssue, case: Case) -> Iterator[tuple[str, Location]]:
    """The names that neither the case nor `as` explains."""
    own = _condition_names(case)
    for name in sorted(place.when.names - set(own) - place.aliases.keys()):
        yield f"{case.name} has no {name!r}{suggestion(name, own)}", ("when",)
    for alias, meaning in place.aliases.items():
        if alias not in own and alias in place.when.names:
            for name in sorted(meaning.names - set(own)):
                yield f"{case.name} has no {name!r}{suggestion(name, own)}", ("as", alias)


def _reproducer_mistakes(place: KnownIssue, cases: Mapping[str, Case]) -> Iterator[tuple[str, Location]]:
    reproducer = place.reproducer
    case = cases.get(reproducer.case)
    if case is None or reproducer.dtype not in place.dtypes:
        item = f"{reproducer.case}[{reproducer.dtype}]"
        yield f"the reproducer is of {item}, not of this entry's cases and dtypes", ("reproducer",)
        return
    complete = complete_layouts(case, reproducer)
    if problem := describe_misfit(case, complete):
        yield f"the reproducer does not fit the case: {problem}", ("reproducer",)
    elif not place.holds(complete):
        yield f"the condition {place.when.text!r} is not true of the reproducer", ("when",)


def _tensor_mistakes(place: KnownIssue, cases: Mapping[str, Case]) -> Iterator[str]:
    """What is said of names that no tensor of an observation of any of the cases has."""
    paths = {path for case in cases.values() for path in case.paths}
    for text in place.tensors:
        kind, of = parse(text)
        kind, of = parse(of) if kind in _BESIDE and kind.value in paths else (kind, of)
        name = of if kind in (*DERIVED, TensorKind.BUFFER) else text
        tensors = [spec.name for case in cases.values() for spec in case.tensors]
        has_tangents = any("jvp" in case.paths for case in cases.values())
        returned = kind is TensorKind.OUTPUT or (kind is TensorKind.TANGENT and has_tangents)
        if "*" not in text and not returned and name not in tensors:
            yield f"{_list_names(cases)} has no tensor {name!r}{suggestion(name, list(dict.fromkeys(tensors)))}"


def _condition_names(case: Case) -> Sequence[str]:
    tensors = [spec.name for spec in case.tensors]
    return [
        *(size.name for size in case.sizes),
        *("dtype", "fill", "threads", "inplace", "path", "setting"),
        *(f"layout_{name}" for name in [*tensors, GRAD_OUTPUT]),
        *(f"has_{name}" for name in [*tensors, GRAD_OUTPUT]),
    ]
