"""Probes: tiny examples that show which memory format a case hands back, and examples that are worth a snapshot.

Nothing here is drawn at random from a seed that may change: the same case gives the same probes in every run.
"""

from __future__ import annotations

import itertools
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from harness.core import Case, Example, Size
from harness.core.example import GRAD_OUTPUT
from harness.generation.argument_rows import argument_rows
from harness.generation.drawing import sampled_examples
from harness.generation.shapes import SIMPLEST, domain_of, largest_numel, legalise
from harness.generation.sizes import UnsatisfiableError
from harness.generation.space import factors
from harness.portable.layouts import CHANNELS_INNERMOST
from harness.portable.memory_format import CHANNELS_LAST_RANKS, MEMORY_FORMATS

ORDINARY: Final = "ordinary"
_PLAIN: Final = {"batch": 2, "channels": 3, "spatial": 5}
"""Sizes with which no format can be taken for another; spatial ones grow by one each, so that axes differ."""

_AMBIGUOUS: Final[Mapping[str, Mapping[str, int]]] = {
    "C = 1": {"channels": 1},
    "H = W = 1": {"spatial": 1},
    "N = 1": {"batch": 1},
    "empty": {"batch": 0},
}
"""Shapes at which `is_contiguous` and `suggest_memory_format` may differ, or at which there is nothing to lay out.

All sizes drawn as that kind take the least value: ``H = W = 1`` is D, H and W.
"""

_ALL_COMBINATIONS: Final = 3
"""Up to this many tensors with formats all 8 combinations are probed; beyond, each tensor alone in the other."""

_SAMPLES: Final = 400
_WHOLE, _OTHER = 60, 12  # candidates with integers, and with each other fill
_SMALL: Final = 2**11  # elements of the largest tensor of a snapshot: the check costs next to nothing


@dataclass(frozen=True)
class LayoutProbe:
    """One tiny example; `shape` names its class: ``ordinary``, ``C = 1``, ``mode = bilinear``."""

    shape: str
    example: Example

    @property
    def channels_last(self) -> frozenset[str]:
        """The tensors, and ``grad_output``, that are channels-last."""
        return frozenset(name for name, layout in self.example.layouts.items() if layout in CHANNELS_INNERMOST)


def probe_shapes(case: Case, dtype: str) -> list[str]:
    """The shape classes of the case at which formats can be told apart: ordinary shapes, with every option."""
    return list(dict.fromkeys(probe.shape for probe in layout_probes(case, dtype) if probe.shape not in _AMBIGUOUS))


def layout_probes(case: Case, dtype: str) -> list[LayoutProbe]:
    """The probes of a case, ordinary shapes first: every shape class in every plain format of tensors and grad_output.

    Optional tensors are present. Where several tensors have a format, only ordinary shapes are probed with combinations
    of them. A class whose sizes the case does not allow, or that comes out as another one, is left out.
    """
    names = [factor.name for factor in factors(case, dtype) if factor.kind == "layout"]
    free = [spec.name for spec in case.tensors if spec.last_layout]
    return [
        LayoutProbe(shape, _example(case, dtype, sizes, _layouts(case, names, chosen)))
        for shape, sizes in _shapes(case, dtype).items()
        for last in _format_combinations(free, every=shape == ORDINARY)
        for chosen in ([last, {*last, GRAD_OUTPUT}] if GRAD_OUTPUT in names else [last])
    ]


def snapshot_candidates(case: Case, dtype: str) -> list[Example]:
    """Small examples for `golden/snapshots`, other ones in each dtype; those with several channels and rows first.

    Each is a call as users write it: channels-last or contiguous tensors, no views, not in place. They hold integers;
    then come some with the case's other fills, for operators to which all integers are alike.
    """
    by_sizes: dict[str, Example] = {}
    for drawn in sampled_examples(case, dtype, _SAMPLES):
        if 1 < largest_numel(case, drawn.sizes) <= _SMALL:
            by_sizes.setdefault(str(sorted(drawn.sizes.items())), drawn)
    several = sorted(by_sizes.values(), key=lambda drawn: min(_extents(case, drawn), default=2) < 2)
    place = case.dtypes.index(dtype)
    mine = several[place :: len(case.dtypes)]
    fills = ["integers"] * _WHOLE + [fill for fill in case.fills if fill != "integers" for _ in range(_OTHER)]
    return [
        _snapshot_example(case, mine[index % len(mine)], index + place).but(fill=fill)
        for index, fill in enumerate(fills if mine else ())
    ]


def argument_examples(case: Case, dtype: str) -> list[Example]:
    """Small examples in which every two arguments take every pair of their values, for `golden/snapshots` as well.

    In the case's first dtype alone: what they are to find is in every dtype, and in the float64 path too.
    """
    if dtype != case.dtypes[0]:
        return []
    names = [factor.name for factor in factors(case, dtype) if factor.kind == "layout"]
    rows = [row for row in argument_rows(case, _plain_sizes(case)) if 1 < largest_numel(case, row) <= _SMALL]
    plain = dict.fromkeys(names, MEMORY_FORMATS[0])
    return [
        _snapshot_example(case, _example(case, dtype, sizes, plain), index).but(fill="integers")
        for index, sizes in enumerate(rows if len(rows) > 1 else ())
    ]


def _extents(case: Case, drawn: Example) -> Iterator[int]:
    """What sizes that make shapes come to."""
    for size in case.sizes:
        if size.kind in _PLAIN:
            yield from drawn.sizes[size.name] if size.length else (drawn.sizes[size.name],)


def _snapshot_example(case: Case, drawn: Example, index: int) -> Example:
    """Two of three in channels-last."""
    last = {GRAD_OUTPUT, *(spec.name for spec in case.tensors if spec.last_layout)} if index % 3 < 2 else ()
    return drawn.but(layouts=_layouts(case, drawn.layouts, last), inplace=False, seed=index)


def _layouts(case: Case, names: Iterable[str], last: Collection[str]) -> dict[str, str]:
    """The layout of each of these: of those in `last`, grad_output among them, that with the channels innermost."""
    innermost = {spec.name: spec.last_layout or MEMORY_FORMATS[0] for spec in case.tensors}
    innermost[GRAD_OUTPUT] = CHANNELS_INNERMOST[case.has_unbatched_results]
    return {name: innermost[name] if name in last else MEMORY_FORMATS[0] for name in names}


def _example(case: Case, dtype: str, sizes: Mapping[str, Any], layouts: Mapping[str, str]) -> Example:
    return Example(case.id, dtype, sizes, layouts, fill=case.fills[0])


def _format_combinations(free: list[str], *, every: bool) -> list[set[str]]:
    """Which tensors are channels-last: none, all, and with `every` each choice of them, or each tensor alone."""
    uniform: list[set[str]] = [set(), set(free)] if free else [set()]
    if not every or len(free) < 2:
        return uniform
    sizes = range(1, len(free)) if len(free) <= _ALL_COMBINATIONS else [1]
    return [*uniform, *({*some} for count in sizes for some in itertools.combinations(free, count))]


def _shapes(case: Case, dtype: str) -> dict[str, dict[str, Any]]:
    """Shape class → sizes, each class once."""
    plain = _plain_sizes(case)
    by_shape = {ORDINARY: plain, **{name: {**plain, **_least(case, kinds)} for name, kinds in _AMBIGUOUS.items()}}
    by_shape |= _options(case, plain)
    classes: dict[str, dict[str, Any]] = {}
    for name, targets in by_shape.items():
        sizes = _legal(case, targets)
        if sizes is not None and _is_meant(case, name, sizes) and sizes not in classes.values():
            classes[name] = sizes
    if ORDINARY in classes:
        return classes
    return {ORDINARY: dict(sampled_examples(case, dtype, 60)[0].sizes), **classes}


def _kind(case: Case, size: Size) -> str:
    """The size's own kind; for a range or a choice that is itself an extent of an image (``H: 1..4``) ``spatial``."""
    images = [spec.shape[2:] for spec in case.tensors if spec.channels_last and len(spec.shape) in CHANNELS_LAST_RANKS]
    is_extent = any(extent.text.strip() == size.name for image in images for extent in image)
    return "spatial" if is_extent and size.kind in ("range", "choice") and not size.length else size.kind


def _plain_sizes(case: Case) -> dict[str, Any]:
    """Plain sizes; a size of another kind that a tensor's shape uses takes its second value, so that it is not 1."""
    spatial = itertools.count(_PLAIN["spatial"])
    shaped = {name for spec in case.tensors for extent in spec.shape for name in extent.names}
    targets: dict[str, Any] = {}
    for size in case.sizes:
        if size.kind in _PLAIN:
            parts = [next(spatial) if size.kind == "spatial" else _PLAIN[size.kind] for _ in range(size.length or 1)]
            targets[size.name] = tuple(parts) if size.length else parts[0]
        elif size.kind == "choice" and _kind(case, size) == "spatial":
            targets[size.name] = size.choices[:2][-1]
        elif size.name in shaped and size.kind == "range":
            targets[size.name] = (2,) * size.length if size.length else 2
    return targets


def _least(case: Case, kinds: Mapping[str, int]) -> dict[str, Any]:
    """The ambiguous value for every size of these kinds; what else makes shapes is simplest with one pixel."""
    simplest = "spatial" in kinds
    least: dict[str, Any] = {}
    for size in case.sizes:
        if (kind := _kind(case, size)) in kinds:
            least[size.name] = (kinds[kind],) * size.length if size.length else kinds[kind]
        elif simplest and size.kind == "range":
            least[size.name] = SIMPLEST
    return least


def _options(case: Case, plain: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Ordinary shapes with one option at another value: every choice, and the second value of a range."""
    base = _legal(case, plain)
    targets = {}
    for size in case.sizes if base else ():
        if _kind(case, size) in _PLAIN:
            continue
        domain = domain_of(case, size, base or {})
        for value in domain.values if size.kind == "choice" else domain.corners[:2]:
            whole = (value,) * size.length if size.length else value
            if whole != (base or {})[size.name]:
                targets[f"{size.name} = {_yaml_text(value)}"] = {**plain, size.name: whole}
    return targets


def _yaml_text(value: Any) -> str:
    """As YAML has it, without spaces; a tuple as Python has it."""
    if isinstance(value, tuple):
        return f"({','.join(map(_yaml_text, value))}{',' if len(value) == 1 else ''})"
    words = {None: "null", True: "true", False: "false"}
    return words[value] if value is None or isinstance(value, bool) else str(value)


def _legal(case: Case, targets: Mapping[str, Any]) -> dict[str, Any] | None:
    try:
        return legalise(case, targets)
    except UnsatisfiableError:
        return None


def _is_meant(case: Case, name: str, sizes: Mapping[str, Any]) -> bool:
    """Whether legalising left the ambiguity: all sizes of the kind have the value."""
    for kind, value in _AMBIGUOUS.get(name, {}).items():
        extents = [sizes[size.name] for size in case.sizes if _kind(case, size) == kind]
        scalars = [part for extent in extents for part in (extent if isinstance(extent, tuple) else (extent,))]
        if not scalars or any(scalar != value for scalar in scalars):
            return False
    return True
