"""Arguments of a case: what a call gets by position and by keyword, tensors among it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from harness.core import TensorArgument, TorchName, tensors_in
from harness.errors import did_you_mean
from harness.suites.entry import Entry
from harness.suites.positions import Location
from harness.suites.schema import WordsSchema
from harness.suites.scope import Scope


def build_arguments(entry: Entry, scope: Scope, held: Collection[str] = ()) -> dict[str, Any]:
    """`positional` and `arguments` of a case; mistakes go to the report. A module's state is `held`, and not passed."""
    reader = ArgumentReader(scope, tuple(entry.get("tensors")))
    arguments = {}
    for name, written in entry.get("arguments").items():
        if not name.isidentifier():
            scope.report.add(entry.at("arguments", name), f"{name!r} is not the name of an argument", key=True)
        arguments[name] = reader.read(written, entry.at("arguments", name))
    return {"positional": _positional(entry, scope, reader, arguments, held), "arguments": arguments}


def _positional(
    entry: Entry, scope: Scope, reader: ArgumentReader, arguments: dict[str, Any], held: Collection[str]
) -> tuple[Any, ...] | None:
    written = entry.get("positional")
    if written is None:
        return None
    values = tuple(reader.read(item, entry.at("positional", index)) for index, item in enumerate(written))
    if any(entry.is_wrong(field) for field in ("positional", "arguments", "call", "module", "state")):
        return values  # what is wrong there may pass any tensor
    passed = {*tensors_in((*values, *arguments.values())), *held}
    for name in entry.get("tensors"):
        if name not in passed:
            message = f"{name!r} is passed nowhere; name it in positional or in arguments, or leave positional out"
            scope.report.add(entry.at("tensors", name), message, key=True)
    return values


class ArgumentReader:
    """Reads the values of arguments, of which a text may be the name of a tensor."""

    def __init__(self, scope: Scope, tensors: Collection[str]) -> None:
        self.scope = scope
        self.tensors = tensors

    def read(self, written: Any, at: Location) -> Any:
        """The value as a Case has it; None where there is a mistake."""
        if isinstance(written, tuple):
            return tuple(self.read(item, (*at, index)) for index, item in enumerate(written))
        if isinstance(written, WordsSchema):
            return self.words(written, at)
        if not isinstance(written, str):
            return written
        if written in self.tensors:
            if written in self.scope.names:
                self.scope.report.add(at, f"{written!r} is a size and a tensor of {self.scope.case!r}; rename one")
            return TensorArgument(written)
        return self.scope.parse(written, at, hint=self._hint(written))

    def words(self, written: WordsSchema, at: Location) -> Any:
        """What ``{text: ...}`` or ``{torch: ...}`` stands for. Both, or neither, is a mistake."""
        if (written.text is None) == (written.torch is None) and not self.scope.report.has_wrong_key(at):
            message = "give one of {text: ...}, passed as it is, and {torch: ...}, a name that torch has"
            self.scope.report.add(at, message)
        return written.text if written.torch is None else TorchName(written.torch)

    def _hint(self, written: str) -> str:
        """What else an unknown name may have been meant as."""
        otherwise = f"; for the text itself write {{text: {written}}}" if written.isidentifier() else ""
        return did_you_mean(written, self.tensors, "the tensor") or otherwise
