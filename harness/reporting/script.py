"""The smallest script that shows a fault: plain PyTorch, written from an example that shows it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from harness.core import Case, KnownFault, KnownIssue, Level, matches
from harness.golden import complete_layouts
from harness.portable import tensor_name
from harness.reporting.script_subject import NoScriptError, ScriptSubject
from harness.reporting.script_writer import ScriptWriter, count_elements

MOST_LINES: Final = 40
"""Lines of a script: what does not fit into them is not written."""


def fault_scripts(
    fault: KnownFault, cases: Mapping[str, Case], levels: Sequence[Level], *, poison: bool
) -> Iterator[str]:
    """Scripts of the fault's places, for each tensor that is named, in their order.

    A script prints ``the fault is here`` and exits with 1, or prints ``no fault here`` and exits with 0, as ``git
    bisect run`` wants it.
    """
    for place in fault.places:
        case = cases.get(place.reproducer.case)
        level = next((level for level in levels if level.name in place.cells and level.default), None)
        if case is None or level is None:
            continue
        example = complete_layouts(case, place.reproducer)
        contiguous = example.but(layouts=dict.fromkeys(example.layouts, "contiguous"))
        for tensor in _tensors_of(place, case):
            subject = ScriptSubject(
                title=f"{place.id}: {place.oracle} at the level {level.name}",
                case=case,
                example=example,
                level=level,
                oracle=place.oracle,
                tensor=tensor,
                only_as_laid_out=not place.holds(contiguous),
            )
            try:
                yield write_script(subject, poison=poison)
            except NoScriptError:
                continue


def _tensors_of(place: KnownIssue, case: Case) -> list[str]:
    """The tensors that the place may be about, outputs first."""
    if place.oracle in ("crash", "hang", "error"):
        return ["*"]
    example = place.reproducer
    present = [spec for spec in case.tensors if spec.name not in example.absent]
    names = [tensor_name.output(0), tensor_name.output(1)]
    has_gradients = example.path in ("plain", "per_sample")
    names += [tensor_name.gradient(spec.name) for spec in present if spec.grad] if has_gradients else []
    names += [tensor_name.buffer(spec.name) for spec in present if spec.buffer]
    names += [tensor_name.tangent(0)] if example.path == "jvp" else []
    names += [spec.name for spec in present] if place.oracle == "written" else []
    return [name for name in names if matches(name, place.tensors)]


def write_script(subject: ScriptSubject, *, poison: bool) -> str:
    """The script; `poison`: it fills the memory that malloc hands out. Raises NoScriptError where there is none.

    Numbers are written out as far as the lines reach; those of the largest tensors are drawn where they do not.
    """
    writer = ScriptWriter(subject, poison=poison)
    drawn: set[str] = set()
    while len((text := writer.text(drawn)).splitlines()) > MOST_LINES:
        candidates = [tensor for tensor in writer.tensors if tensor.name not in drawn and writer.may_draw(tensor)]
        if not candidates:
            raise NoScriptError(f"it would have more than {MOST_LINES} lines")
        drawn.add(max(candidates, key=count_elements).name)
    return text
