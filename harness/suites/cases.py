"""What the words of a checked suite file mean, and whether they make sense together: from entries to cases."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from harness.core import Case, Expression, Numerics, Size
from harness.core.case import BATCHED_PATHS
from harness.suites.arguments import build_arguments
from harness.suites.depth import build_depth, names_with_depth, with_depth
from harness.suites.entry import Entry
from harness.suites.examples import build_examples
from harness.suites.mistakes import suggestion
from harness.suites.modules import build_module
from harness.suites.names import PLACEHOLDER, is_dotted, is_name
from harness.suites.nothing import EMPTY, build_empty, empty_case
from harness.suites.positions import Location
from harness.suites.schema import NumericsSchema, TensorNumericsSchema
from harness.suites.scope import Scope
from harness.suites.sizes import build_size
from harness.suites.tensors import build_shape, build_tensors
from harness.suites.unbatched import UNBATCHED, unbatched_case, wants_unbatched
from harness.suites.validation import Report

_OUTPUT: Final = re.compile(r"output\[\d+\]")


def build_cases(entry: Entry, report: Report, file: str, suite: str) -> Iterator[Case]:
    """The case of an entry, or one for each of its names; and those over volumes, unbatched and empty that it asks for.

    Mistakes go to the report.
    """
    scope = Scope(report, entry.key, tuple(entry.get("sizes")))
    depth = build_depth(entry, scope)
    common = _common_fields(entry, scope)
    unbatched, empty = wants_unbatched(entry, scope), build_empty(entry, scope)
    for member, name, at, key in _names(entry, report):
        if not is_name(name):
            report.add(at, f"{name!r} is not a name for a case; use letters, digits, _, . and -", key=key)
        line, column = report.positions.key(at) if key else report.positions.at(at)
        call, inplace = _calls(entry, report, member)
        fields = {**common, "column": column, "inplace": inplace, "reference": _reference(entry, report, member, call)}
        case = Case(id=f"{file}::{name}", name=name, suite=suite, line=line, call=call, **fields)
        for each in with_depth(case, depth):
            yield each
            yield from empty_case(each, empty)
            yield from unbatched_case(each, unbatched)


def _common_fields(entry: Entry, scope: Scope) -> dict[str, Any]:
    """The fields that all cases of an entry share; sizes come first, because all else is written in them."""
    report = scope.report
    sizes = _sizes(entry, scope)
    require = _require(entry, scope)
    tensors = build_tensors(entry, scope)
    module = build_module(entry, scope)
    fields: dict[str, Any] = {
        "sizes": tuple(sizes.values()),
        "require": require,
        "tensors": tuple(tensors.values()),
        **build_arguments(entry, scope, tuple(module.state.values()) if module else ()),
        "module": module,
        "numerics": _numerics(entry, scope),
        "result": _result(entry, scope),
        "channels_last": entry.get("output") == "channels_last",
        **_output(entry, report, list(entry.get("tensors"))),
        **_dtypes(entry, report),
        "fills": _distinct(entry, report, "fills"),
        "paths": _paths(entry, report),
        "settings": _distinct(entry, report, "settings"),
        "requires": entry.get("requires"),
    }
    return fields | {"examples": build_examples(entry, report, sizes, tensors)}


def case_names(entry: Entry) -> tuple[str, ...]:
    """What its cases over images are called: its key; of a family the names, in the place of ``{name}`` in the key."""
    pattern = entry.key if PLACEHOLDER in entry.key else PLACEHOLDER
    names = entry.schema.names
    return (entry.key,) if names is None else tuple(pattern.replace(PLACEHOLDER, name) for name in names)


def derived_names(name: str) -> list[str]:
    """The names of a case over images and of all that may be derived from it."""
    return [each + suffix for each in names_with_depth(name) for suffix in ("", EMPTY, UNBATCHED)]


def _names(entry: Entry, report: Report) -> list[tuple[str, str, Location, bool]]:
    """What stands for ``{name}``, the name of the case, its place, and whether that place is a key."""
    names = entry.schema.names
    callee, call_at = _callee(entry)
    if entry.is_wrong("names"):
        return []
    if names is None:
        if PLACEHOLDER in callee:
            report.add(call_at, "'{name}' stands for the names of a family; add names: [...], or write the name")
        return [(entry.key, entry.key, entry.location, True)]
    if PLACEHOLDER not in callee and not (entry.is_wrong("call") or entry.is_wrong("module")):
        report.add(call_at, "a family with names: needs '{name}' in its call, such as torch.nn.functional.{name}")
    places = [(*entry.location, "names", index) for index in range(len(names))]
    return [(*each, False) for each in zip(names, case_names(entry), places, strict=True)]


def _callee(entry: Entry) -> tuple[str, Location]:
    """The name of what is called, and where it was written."""
    field = "call" if entry.schema.module is None else "module"
    return getattr(entry.schema, field) or "", (*entry.location, field)


def _calls(entry: Entry, report: Report, name: str) -> tuple[str, str | None]:
    (callee, at), inplace = _callee(entry), entry.get("inplace")
    call = callee.replace(PLACEHOLDER, name)
    if callee and not is_dotted(call):
        report.add(at, f"{call!r} is not a dotted name, such as torch.nn.functional.conv2d")
    if inplace is None:
        return call, None
    inplace = inplace.replace(PLACEHOLDER, name)
    if not (inplace.isidentifier() or is_dotted(inplace)):
        message = f"{inplace!r} is neither a keyword, such as inplace, nor a dotted name, such as torch.relu_"
        report.add(entry.at("inplace"), message)
    return call, inplace


def _reference(entry: Entry, report: Report, name: str, call: str) -> str | None:
    """What the float64 reference runs, which must be another name than what is called."""
    written: str | None = entry.schema.reference
    if written is None:
        return None
    reference, at = written.replace(PLACEHOLDER, name), (*entry.location, "reference")
    if not is_dotted(reference):
        report.add(at, f"{reference!r} is not a dotted name, such as torch.nn.functional.conv2d")
    elif reference == call:
        report.add(
            at, f"{reference!r} is what is called; name a function of PyTorch's own operators that gives the same"
        )
    return reference


def _sizes(entry: Entry, scope: Scope) -> dict[str, Size]:
    sizes: dict[str, Size | None] = {}
    for name, written in entry.get("sizes").items():
        if entry.is_wrong("sizes", name):
            scope.draw(name, None)
        else:
            sizes[name] = build_size(name, written, scope, entry.at("sizes", name))
    return {name: size for name, size in sizes.items() if size is not None}


def _require(entry: Entry, scope: Scope) -> tuple[Expression, ...]:
    parsed = [scope.parse(text, entry.at("require", index)) for index, text in enumerate(entry.get("require"))]
    conditions = [condition for condition in parsed if condition is not None]
    scope.trusted = all(scope.value(condition) for condition in conditions) and not entry.is_wrong("require")
    return tuple(conditions)


def _numerics(entry: Entry, scope: Scope) -> Numerics | None:
    written = entry.get("numerics")
    if entry.is_wrong("numerics"):
        return None
    if written is None:
        rules = "exact, multilinear, elementwise, normwise or resampling"
        message = f"{entry.key!r} has no numerics; write {rules}, here or in defaults"
        scope.report.add(entry.location, message, key=True)
        return None
    schema = written if isinstance(written, NumericsSchema) else NumericsSchema(output=written)
    gradient = schema.gradient or ("selection" if schema.output == "exact" else schema.output)
    terms = None if schema.terms is None else scope.parse(schema.terms, entry.at("numerics", "terms"))
    each = {name: _tensor_numerics(entry, scope, name, rule) for name, rule in schema.each.items()}
    return Numerics(schema.output, gradient, terms, schema.ulps, schema.magnitude, constant=schema.constant, each=each)


def _result(entry: Entry, scope: Scope) -> tuple[Expression, ...] | None:
    """The shape of each output; None where the case does not say, and where it is mistaken."""
    written = entry.get("result")
    if written is None or entry.is_wrong("result"):
        return None
    shape = [extent for extent in build_shape(written, scope, entry.at("result")) if extent is not None]
    return tuple(shape) if len(shape) == len(written) else None


def _tensor_numerics(entry: Entry, scope: Scope, tensor: str, written: TensorNumericsSchema | str) -> Numerics:
    """The rule of one tensor; reports a name that no tensor of the case can have."""
    at = entry.at("numerics", "each", tensor)
    names = [f"{kind}:{name}" for name in entry.get("tensors") for kind in ("grad", "buffer")]
    if not _OUTPUT.fullmatch(tensor) and tensor not in names:
        tail = suggestion(tensor, ["output[0]", *names], otherwise="there are")
        scope.report.add(at, f"{tensor!r} is not an output, a gradient or a buffer of {entry.key!r}{tail}", key=True)
    schema = written if isinstance(written, TensorNumericsSchema) else TensorNumericsSchema(rule=written)  # type: ignore[arg-type] # a rule
    terms = None if schema.terms is None else scope.parse(schema.terms, (*at, "terms"))
    below = None if schema.below is None else scope.parse(schema.below, (*at, "below"))
    return Numerics(schema.rule, schema.rule, terms, schema.ulps, schema.magnitude, below)


def _output(entry: Entry, report: Report, tensors: list[str]) -> dict[str, Any]:
    """Whose format the output has, and whether all of them must have it."""
    written = entry.get("output")
    if isinstance(written, str):
        return {"preserves": {"preserves": tuple(tensors[:1]), "contiguous": None}.get(written, ())}
    at = entry.at("output")
    if (written.preserves is None) == (written.shared is None):
        if not report.has_wrong_key(at):
            report.add(at, "give one of {preserves: [...]} and {shared: [...]}")
        return {}
    key = "shared" if written.preserves is None else "preserves"
    names: tuple[str, ...] = getattr(written, key)
    for index, name in enumerate(names):
        if name not in tensors:
            tail = suggestion(name, tensors, otherwise="its tensors are")
            report.add((*at, key, index), f"{name!r} is not a tensor of {entry.key!r}{tail}")
    return {"preserves": tuple(names), "shared": key == "shared"}


def _dtypes(entry: Entry, report: Report) -> dict[str, tuple[str, ...]]:
    """What is run, and what must be refused: the one without the other, but both may not be written side by side."""
    run, refused = _distinct(entry, report, "dtypes"), _distinct(entry, report, "unsupported")
    side_by_side = entry.at("dtypes")[:-1] == entry.at("unsupported")[:-1]
    for index, dtype in enumerate(refused):
        if dtype in run and side_by_side and entry.has("dtypes"):
            report.add(entry.at("unsupported", index), f"{dtype!r} is among the dtypes that are run; remove one")
    supported = tuple(dtype for dtype in run if dtype not in refused)
    if not supported and not (entry.is_wrong("dtypes") or entry.is_wrong("unsupported")):
        report.add(entry.at("unsupported"), "no dtype is left to run; at least one must be supported")
    return {"dtypes": supported, "unsupported": refused}


def _paths(entry: Entry, report: Report) -> tuple[str, ...]:
    """Other ways to run the call; a way that this case cannot go is reported."""
    paths, written = _distinct(entry, report, "paths"), entry.get("numerics")
    output = getattr(written, "output", written)
    for index, path in enumerate(paths):
        if path == "jvp" and not entry.is_wrong("numerics") and output not in (None, "exact", "multilinear"):
            report.add(entry.at("paths", index), f"jvp needs outputs that are exact or multilinear, not {output}")
        derived = getattr(written, "gradient", None) or output
        if path == "double_backward" and derived not in (None, "exact", "multilinear", "selection"):
            report.add(entry.at("paths", index), f"a double backward needs multilinear gradients, not {derived}")
        if path == "out" and entry.schema.module is not None:
            report.add(entry.at("paths", index), "a module takes no out=; remove one")
        if path in BATCHED_PATHS and any(schema.buffer for schema in entry.get("tensors").values()):
            report.add(entry.at("paths", index), "under vmap two copies would write one buffer; remove one")
    return paths


def _distinct(entry: Entry, report: Report, field: str) -> tuple[str, ...]:
    values: tuple[str, ...] = entry.get(field)
    for index, value in enumerate(values):
        if value in values[:index]:
            report.add(entry.at(field, index), f"{value!r} is given twice; remove one")
    return values
