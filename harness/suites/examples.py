"""Declared examples: every name and value must be one that the case can draw."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.core import DeclaredExample, Size, TensorSpec
from harness.errors import did_you_mean
from harness.portable.layouts import LAYOUTS
from harness.portable.memory_format import MEMORY_FORMATS
from harness.suites.entry import Entry
from harness.suites.mistakes import suggestion
from harness.suites.schema import ExampleSchema
from harness.suites.scope import constant_value, is_whole
from harness.suites.validation import Report

_KINDS = {2: "a pair such as [1, 1]", 3: "a triple such as [1, 1, 1]"}


def build_examples(
    entry: Entry, report: Report, sizes: Mapping[str, Size], tensors: Mapping[str, TensorSpec]
) -> tuple[DeclaredExample, ...]:
    """The examples of an entry; mistakes go to the report.

    `sizes` and `tensors` are those without a mistake. Nothing is said of what an example has of the others.
    """
    builder = _ExampleBuilder(entry, report, sizes, tensors)
    return tuple(builder.build(index, schema) for index, schema in enumerate(entry.get("examples")))


class _ExampleBuilder:
    """Builds the examples of one case, and reports what it could not draw."""

    def __init__(
        self, entry: Entry, report: Report, sizes: Mapping[str, Size], tensors: Mapping[str, TensorSpec]
    ) -> None:
        self.entry = entry
        self.report = report
        self.sizes = sizes
        self.tensors = tensors

    def build(self, index: int, schema: ExampleSchema) -> DeclaredExample:
        """The example at this place in the list, as it is written; what is wrong with it goes to the report."""
        for name, value in schema.sizes.items():
            self._size(index, name, value, schema.sizes)
        for name, layout in schema.layouts.items():
            self._layout(index, name, layout, schema.absent)
        for place, name in enumerate(schema.absent):
            self._absent(index, place, name)
        if schema.inplace and self.entry.get("inplace") is None and not self.entry.is_wrong("inplace"):
            message = f"{self.entry.key!r} declares no in-place form; add inplace: to the case, or remove this"
            self._add(message, index, "inplace")
        return DeclaredExample(
            schema.why,
            dict(schema.sizes),
            dict(schema.layouts),
            schema.absent,
            schema.fill,
            schema.threads,
            schema.inplace,
        )

    def _add(self, message: str, index: int, *below: int | str, key: bool = False) -> None:
        self.report.add(self.entry.at("examples", index, *below), message, key=key)

    def _size(self, index: int, name: str, value: Any, pinned: Mapping[str, Any]) -> None:
        if name not in self.sizes:
            if name in (names := list(self.entry.get("sizes"))):
                return
            tail = suggestion(name, names, otherwise="its sizes are")
            self._add(f"{name!r} is not a size of {self.entry.key!r}{tail}", index, "sizes", name, key=True)
            return
        size = self.sizes[name]
        values = value if size.length and isinstance(value, tuple) else (value,)
        if size.length and (not isinstance(value, tuple) or len(value) != size.length):
            self._add(f"{name!r} is {_KINDS[size.length]}, not {_yaml_text(value)}", index, "sizes", name)
            return
        problem = next(filter(None, (_size_problem(size, item, pinned) for item in values)), "")
        if problem:
            self._add(problem, index, "sizes", name)

    def _layout(self, index: int, name: str, layout: str, absent: tuple[str, ...]) -> None:
        at = (index, "layouts", name)
        names = [*self.entry.get("tensors"), "grad_output"]
        if name not in names:
            tail = suggestion(name, names, otherwise="its tensors are")
            self._add(f"{name!r} is not a tensor of {self.entry.key!r}{tail}", *at, key=True)
        elif name in absent:
            self._add(f"{name!r} is absent in this example; remove its layout", *at, key=True)
        elif layout not in LAYOUTS:
            otherwise = f"; a layout is {' or '.join(MEMORY_FORMATS)}, or channels_last:slice_c"
            self._add(f"there is no layout {layout!r}{did_you_mean(layout, LAYOUTS) or otherwise}", *at)
        elif layout.startswith("channels_last") and self._lacks(name, "channels_last"):
            self._add(f"{name!r} is never channels_last here; declare it with layout: channels_last", *at)

    def _lacks(self, name: str, mark: str) -> bool:
        """Whether a tensor was declared without a mark; a key of it that is misspelt may have been meant for it."""
        has_wrong_key = self.report.has_wrong_key(self.entry.at("tensors", name))
        return name in self.tensors and not has_wrong_key and not getattr(self.tensors[name], mark)

    def _absent(self, index: int, place: int, name: str) -> None:
        if name not in self.tensors:
            if name in (names := list(self.entry.get("tensors"))):
                return
            tail = suggestion(name, names, otherwise="its tensors are")
            self._add(f"{name!r} is not a tensor of {self.entry.key!r}{tail}", index, "absent", place)
        elif self._lacks(name, "optional"):
            message = f"{name!r} cannot be absent; declare it with optional: true, or remove it here"
            self._add(message, index, "absent", place)


def _size_problem(size: Size, value: Any, pinned: Mapping[str, Any]) -> str:
    """Why this value can never be drawn for the size, as far as the sizes given beside it tell; "" if it can."""
    if size.kind == "choice":
        offered = any(type(choice) is type(value) and choice == value for choice in size.choices)
        listed = ", ".join(_yaml_text(choice) for choice in size.choices)
        return "" if offered else f"{size.name!r} is never {_yaml_text(value)}; its choices are {listed}"
    if not is_whole(value):
        return f"{size.name!r} is a whole number, not {_yaml_text(value)}"
    low, high = _limits(size, pinned)
    if low is not None and value < low:
        return f"{size.name!r} is never {value}; it is at least {low}"
    return f"{size.name!r} is never {value}; it is at most {high}" if high is not None and value > high else ""


def _limits(size: Size, pinned: Mapping[str, Any]) -> tuple[int | None, int | None]:
    low, high = constant_value(size.low, pinned), constant_value(size.high, pinned)
    if size.kind == "range":
        return low, high
    least = 0 if size.empty else 1
    return max(least, low) if is_whole(low) else least, None


def _yaml_text(value: Any) -> str:
    """A value as a suite file has it."""
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, tuple):
        return f"[{', '.join(_yaml_text(item) for item in value)}]"
    return repr(value)
