"""Which arguments a callable takes, as far as it says so, and what is wrong with a call of it."""

from __future__ import annotations

import difflib
import inspect
from typing import Any, Callable, Sequence

import torch

from ...portable.operator_protocol import SchemaData
from ..argument_kinds import operator_schema
from . import lookup

SYNONYMS = {"self": "input", "dim": "axis", "keepdim": "keepdims"}
"""Names of ATen's schemas, and the ones that torch's Python bindings take as well."""


def call_problems(dotted: str, positional: int, keywords: Sequence[str]) -> list[str]:
    """What keeps the callable of that name from being called with so many positions and these keywords."""
    try:
        function = lookup.resolve(dotted)
    except lookup.Unresolved as error:
        return [str(error)]
    return argument_problems(dotted, function, positional, keywords)


def argument_problems(
    dotted: str, function: Callable[..., object], positional: int, keywords: Sequence[str]
) -> list[str]:
    """The same for a callable at hand; of several forms what the one has against it that comes closest."""
    sentences = [_form_problems(dotted, form, positional, keywords) for form in parameter_names(function)]
    return min(sentences, key=len) if sentences else []


def _form_problems(dotted: str, form: list[str], positional: int, keywords: Sequence[str]) -> list[str]:
    """What one signature has against the call. A form that ends in ``**`` takes any keyword, ``*`` any position."""
    names = [name for name in form if not name.startswith("*")]
    sentences = []
    if positional > len(names) and "*" not in form:
        sentences.append(f"{dotted} takes {len(names)} arguments; the case passes {positional} by position")
    for keyword in keywords:
        if keyword in names[:positional]:
            sentences.append(f"{dotted} gets {keyword!r} twice: by position and by keyword")
        elif keyword not in names and keyword not in [SYNONYMS.get(name) for name in names] and "**" not in form:
            sentences.append(f"{dotted} takes no argument {keyword!r}{_hint(keyword, names[positional:])}")
    return sentences


def _hint(name: str, parameters: list[str]) -> str:
    close = difflib.get_close_matches(name, parameters, 1)
    if close:
        return f"; did you mean {close[0]}?"
    return "; it takes {}".format(", ".join(parameters)) if parameters else ""


def parameter_names(function: Callable[..., object]) -> list[list[str]]:
    """The parameter names of each form of a callable; no form at all where nothing is known."""
    pair = _dispatched_pair(function)
    if pair:
        return [form for each in pair for form in parameter_names(each)]
    try:
        return [_signature_names(inspect.signature(function))]
    except (TypeError, ValueError):
        return _schema_names(function)


def _signature_names(signature: inspect.Signature) -> list[str]:
    kinds = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    return [kinds.get(each.kind.name, name) for name, each in signature.parameters.items()]


def _dispatched_pair(function: Callable[..., object]) -> list[Callable[..., object]]:
    """The two functions behind one of torch's `boolean_dispatch`, which itself takes ``*args, **kwargs``."""
    table = getattr(getattr(torch, "_jit_internal", None), "boolean_dispatched", {})
    try:
        entry = table.get(function)
    except TypeError:  # not every callable can be weakly referenced
        entry = None
    return [entry["if_true"], entry["if_false"]] if entry else []


def _schema_names(function: Callable[..., object]) -> list[list[str]]:
    if hasattr(function, "_schema"):
        return [[argument.name for argument in function._schema.arguments]]
    qualified = getattr(function, "_qualified_op_name", None) or "aten::" + getattr(function, "__name__", "")
    schemas = torch._C._jit_get_schemas_for_operator(str(qualified))
    return [[argument.name for argument in schema.arguments] for schema in schemas]


def operator_schemas(operators: Sequence[str]) -> dict[str, SchemaData]:
    """The schemas of the operators of that name (``aten::add.Tensor``) that this build has."""
    schemas = {operator: operator_schema(*_name_and_overload(operator)) for operator in operators}
    return {operator: _schema_data(schema) for operator, schema in schemas.items() if schema is not None}


def _name_and_overload(operator: str) -> tuple[str, str]:
    name, _dot, overload = operator.partition(".")
    return name, overload


def _schema_data(schema: Any) -> SchemaData:
    return {
        "arguments": [
            {
                "name": argument.name,
                "type": str(argument.type),
                "default": repr(argument.default_value) if argument.has_default_value() else None,
                "written": argument.alias_info is not None and bool(argument.alias_info.is_write),
            }
            for argument in schema.arguments
        ],
        "pointwise": _is_pointwise(schema.name, schema.overload_name or "default"),
    }


def _is_pointwise(name: str, overload: str) -> bool:
    """Whether PyTorch tags the operator so; releases before 2.0 tag none."""
    packet = getattr(torch.ops.aten, name.partition("::")[2], None)
    return getattr(torch.Tag, "pointwise", None) in getattr(getattr(packet, overload, None), "tags", ())
