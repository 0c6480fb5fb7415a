"""The catalogue of faults: what is known, how bad it is, and in which releases of PyTorch, as one Markdown page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Final

from harness.core import Case, KnownFault, KnownIssue, Level, PlaceState, Severity, sort_by_severity
from harness.golden import FaultMatrix, complete_layouts, describe_levels
from harness.reporting.condition_words import describe_condition
from harness.reporting.script import fault_scripts
from harness.reporting.templating import TEMPLATES

SYMBOLS: Final = {
    PlaceState.FAILS: "●",
    PlaceState.DOES_NOT_FAIL: "○",
    PlaceState.NOT_AVAILABLE: "-",
    PlaceState.NOT_CHECKED: "?",
    None: " ",
}
"""What a release comes to in the table; nothing where it was not measured."""


@dataclass(frozen=True)
class FaultEntry:
    """One fault as the catalogue has it. `states` are by release; `script` is None where none has shown the fault.

    `refusals`: what a call raises where a release does not have it, with the releases that raise it.
    """

    fault: KnownFault
    states: Mapping[str, PlaceState | None]
    levels: str
    dtypes: str
    releases: str
    refusals: tuple[str, ...]
    places: tuple[str, ...]
    script: str | None
    replay: str

    @property
    def symbols(self) -> list[str]:
        """One for each release."""
        return [SYMBOLS[state] for state in self.states.values()]


def catalogue_text(
    faults: Sequence[KnownFault], matrix: FaultMatrix, cases: Mapping[str, Case], levels: Sequence[Level]
) -> str:
    """The page. It follows from the entries and from what was measured, and from nothing else."""
    entries = [_entry(fault, matrix, cases, levels) for fault in sort_by_severity(faults)]
    return TEMPLATES.get_template("faults.md.jinja").render(
        entries=entries,
        releases=matrix.releases,
        builds=matrix.builds,
        counts=[(severity, count_faults(entries, matrix.releases, severity)) for severity in Severity],
        totals=count_faults(entries, matrix.releases, None),
        missing=count_states(entries, matrix.releases, PlaceState.NOT_AVAILABLE),
        unchecked=count_states(entries, matrix.releases, PlaceState.NOT_CHECKED),
        symbols=SYMBOLS,
        states=PlaceState,
    )


def count_faults(entries: Sequence[FaultEntry], releases: Sequence[str], severity: Severity | None) -> list[int]:
    """How many faults of that severity (None: of any) each release has."""
    chosen = [entry for entry in entries if severity is None or entry.fault.severity is severity]
    return count_states(chosen, releases, PlaceState.FAILS)


def count_states(entries: Sequence[FaultEntry], releases: Sequence[str], state: PlaceState) -> list[int]:
    """How many faults come to that in each release."""
    return [sum(entry.states[release] is state for entry in entries) for release in releases]


def _entry(fault: KnownFault, matrix: FaultMatrix, cases: Mapping[str, Case], levels: Sequence[Level]) -> FaultEntry:
    states = {release: matrix.fault_state(fault, release) for release in matrix.releases}
    scripts = (text for poison in (False, True) for text in fault_scripts(fault, cases, levels, poison=poison))
    first = fault.places[0]
    case = cases.get(first.reproducer.case)
    example = complete_layouts(case, first.reproducer) if case else first.reproducer
    cells = tuple(dict.fromkeys(cell for place in fault.places for cell in place.cells))
    return FaultEntry(
        fault=fault,
        states=states,
        levels=describe_levels(cells, levels),
        dtypes=", ".join(dict.fromkeys(dtype for place in fault.places for dtype in place.dtypes)),
        releases=describe_releases(states),
        refusals=_refusals(fault, matrix),
        places=tuple(describe_place(place, levels) for place in fault.places),
        script=next((text for text in scripts if matrix.shows(fault.id, text)), None),
        replay=example.to_json(),
    )


def _refusals(fault: KnownFault, matrix: FaultMatrix) -> tuple[str, ...]:
    """What the calls raise in the releases in which no place could be run."""
    releases: dict[str, list[str]] = {}
    for release in matrix.releases:
        if matrix.fault_state(fault, release) is PlaceState.NOT_AVAILABLE:
            replays = [matrix.replay(place, release) for place in fault.places]
            detail = next(replay.detail for replay in replays if replay and replay.state is PlaceState.NOT_AVAILABLE)
            releases.setdefault(detail, []).append(release)
    return tuple(f"{', '.join(names)}: `{detail}`" for detail, names in releases.items())


def describe_place(place: KnownIssue, levels: Sequence[Level]) -> str:
    """Cases, dtypes, tensors, levels and condition of a place, in one line."""
    cases = ", ".join(f"`{case.rpartition('::')[2]}`" for case in place.cases)
    tensors = "" if "*" in place.tensors else f": {', '.join(f'`{tensor}`' for tensor in place.tensors)}"
    condition = describe_condition(place.when.text)
    names = {name: meaning.text for name, meaning in place.aliases.items() if name != meaning.text}
    aliases = "".join(f"; `{name}` is `{text}` where there is none" for name, text in names.items())
    at = describe_levels(place.cells, levels)
    when = "" if condition == "always" else f", where {condition}{aliases}"
    return f"{cases} in {', '.join(place.dtypes)}{tensors}; levels {at}{when}"


def describe_releases(states: Mapping[str, PlaceState | None]) -> str:
    """What each run of releases comes to, in their order: ``fails in 2.4.0 to 2.15.0; not available in 2.0.1``."""
    parts = []
    for state, group in groupby(states, key=lambda release: states[release]):
        names = list(group)
        span = names[0] if len(names) == 1 else f"{names[0]} to {names[-1]}"
        parts.append(f"{state or 'not measured'} in {span}")
    return "; ".join(parts)


def matrix_table(faults: Sequence[KnownFault], matrix: FaultMatrix) -> list[str]:
    """The faults and the releases as lines of text, the worst first, with how many each release has."""
    width = max((len(fault.id) for fault in faults), default=0)
    releases = matrix.releases
    lines = [f"{'':{width}}  {'':14}  {'  '.join(releases)}"]
    for fault in sort_by_severity(faults):
        symbols = (SYMBOLS[matrix.fault_state(fault, release)].center(len(release)) for release in releases)
        lines.append(f"{fault.id:{width}}  {fault.severity:14}  {'  '.join(symbols)}")
    numbers = (
        str(sum(matrix.fault_state(fault, release) is PlaceState.FAILS for fault in faults)).center(len(release))
        for release in releases
    )
    return [*lines, f"{'faults':{width}}  {'':14}  {'  '.join(numbers)}"]
