"""From a dotted name to a callable, with an answer to what is wrong where there is none."""

from __future__ import annotations

import difflib
import functools
import importlib
import importlib.util
import inspect
import sys
from typing import Any, Callable, Iterable

import torch

from .. import messages

SYNONYMS = {"self": "input", "dim": "axis", "keepdim": "keepdims"}
"""Names of ATen's schemas, and the ones that torch's Python bindings take as well."""


class Unresolved(Exception):  # noqa: N818 - it names the state, and never leaves the worker
    """A callable that cannot be had; the text says which part of its name is at fault."""


@functools.lru_cache(maxsize=None)
def resolve(dotted: str) -> Callable[..., Any]:
    """The callable of that name. Modules are imported as they are met. Raises Unresolved."""
    parts = dotted.split(".")
    found: Any = _module(parts[0], dotted)
    if parts[:2] == ["torch", "ops"] and len(parts) > 3:
        _register(parts[2])
    for index, part in enumerate(parts[1:], 1):
        found = _attribute(found, part, ".".join(parts[:index]), dotted)
    if not callable(found):
        msg = f"{dotted} is not callable: it is {type(found).__name__}"
        raise Unresolved(msg)
    function: Callable[..., Any] = found
    return function


def named(name: str) -> Any:
    """What torch has under this name: a dtype, a memory format. Raises Unresolved."""
    return _attribute(torch, name, "torch", "torch." + name)


def preload(path: str) -> str:
    """Run a Python file as the module of its name; returns what it raised as one sentence, or nothing."""
    name = path.rpartition("/")[2].rpartition(".")[0]
    try:
        spec = importlib.util.spec_from_file_location(name, path)
        if spec is None or spec.loader is None:
            return f"preload {path} is not a Python file"
        module = importlib.util.module_from_spec(spec)
        sys.modules.setdefault(name, module)
        spec.loader.exec_module(module)
    except BaseException as error:
        return f"preload {path} raised {messages.told(error)}"
    return ""


def problems(request: dict[str, Any]) -> list[str]:
    """What keeps a function from being called: `call` and `inplace` with `positional` and `arguments` of a request.

    The function itself must take ``out=`` where the request says so; its in-place form need not.
    """
    inplace, count = request["inplace"] or "", request["positional"]
    keywords = [*request["arguments"], *(["out"] if request["out"] else []), *([inplace] if "." not in inplace else [])]
    found = asked(request["call"], count, keywords)
    if "." in inplace:
        found += asked(inplace, count, request["arguments"])
    return found


def unnamed(name: str) -> str:
    """Why torch has nothing under this name, or nothing."""
    try:
        named(name)
    except Unresolved as error:
        return str(error)
    return ""


def asked(call: str, positional: int, keywords: Iterable[str]) -> list[str]:
    """What keeps the callable of that name from being called with so many positions and these keywords."""
    try:
        function = resolve(call)
    except Unresolved as error:
        return [str(error)]
    return complaints(call, function, positional, [name for name in keywords if name])


def complaints(call: str, function: Callable[..., Any], positional: int, keywords: list[str]) -> list[str]:
    """The same for a callable at hand; of several forms what the one has against it that comes closest."""
    found = [_complaints(call, form, positional, keywords) for form in parameters(function)]
    return min(found, key=len) if found else []


def _complaints(call: str, form: list[str], positional: int, keywords: list[str]) -> list[str]:
    """What one signature has against the call. A form that ends in ``**`` takes any keyword, ``*`` any position."""
    names = [name for name in form if not name.startswith("*")]
    found = []
    if positional > len(names) and "*" not in form:
        found.append(f"{call} takes {len(names)} arguments; the case passes {positional} by position")
    for keyword in keywords:
        if keyword in names[:positional]:
            found.append(f"{call} gets {keyword!r} twice: by position and by keyword")
        elif keyword not in names and keyword not in [SYNONYMS.get(name) for name in names] and "**" not in form:
            found.append(f"{call} takes no argument {keyword!r}{_hint(keyword, names[positional:])}")
    return found


def parameters(function: Callable[..., Any]) -> list[list[str]]:
    """The parameter names of each form of a callable; no form at all where nothing is known."""
    pair = _dispatched(function)
    if pair:
        return [form for each in pair for form in parameters(each)]
    try:
        return [_signature(inspect.signature(function))]
    except (TypeError, ValueError):
        return _schemas(function)


def _signature(signature: inspect.Signature) -> list[str]:
    kinds = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}
    return [kinds.get(each.kind.name, name) for name, each in signature.parameters.items()]


def _dispatched(function: Any) -> list[Any]:
    """The two functions behind one of torch's `boolean_dispatch`, which itself takes ``*args, **kwargs``."""
    table = getattr(getattr(torch, "_jit_internal", None), "boolean_dispatched", {})
    try:
        entry = table.get(function)
    except TypeError:  # not every callable can be weakly referenced
        entry = None
    return [entry["if_true"], entry["if_false"]] if entry else []


def _schemas(function: Any) -> list[list[str]]:
    if hasattr(function, "_schema"):
        return [[argument.name for argument in function._schema.arguments]]
    qualified = getattr(function, "_qualified_op_name", None) or "aten::" + getattr(function, "__name__", "")
    schemas = torch._C._jit_get_schemas_for_operator(str(qualified))
    return [[argument.name for argument in schema.arguments] for schema in schemas]


def _module(name: str, dotted: str) -> Any:
    try:
        return importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name == name:
            msg = f"no module named {name!r} (for {dotted})"
            raise Unresolved(msg) from None
        msg = f"{name} cannot be imported: {messages.first_line(error)}"
        raise Unresolved(msg) from None
    except Exception as error:
        raise Unresolved(_mismatch(name, error)) from None


def _mismatch(name: str, error: Exception) -> str:
    if name != "torchvision":
        return f"{name} cannot be imported: {messages.told(error)}"
    text = "the installed torchvision does not match PyTorch {} and cannot be imported ({}); install its own build"
    return text.format(torch.__version__, messages.told(error))


def _register(namespace: str) -> None:
    """Import the package that registers a ``torch.ops`` namespace, where one has its name."""
    if importlib.util.find_spec(namespace) is not None:
        _module(namespace, namespace)


def _attribute(owner: Any, name: str, path: str, dotted: str) -> Any:
    try:
        return getattr(owner, name)
    except AttributeError:
        pass
    try:
        return importlib.import_module(path + "." + name)
    except ImportError:
        close = _hint(name, [known for known in dir(owner) if not known.startswith("_")], path + ".")
        where = "" if path + "." + name == dotted else f" (for {dotted})"
        msg = f"{path} has no {name!r}{where}{close}"
        raise Unresolved(msg) from None


def _hint(name: str, known: Iterable[str], prefix: str = "") -> str:
    listed = list(known)
    close = difflib.get_close_matches(name, listed, 1)
    if close:
        return f"; did you mean {prefix}{close[0]}?"
    return "; it takes {}".format(", ".join(listed)) if not prefix and listed else ""
