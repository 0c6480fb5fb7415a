"""Example: a Case with every free choice drawn. Plain data, JSON both ways."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from typing import Any, Final

from harness.core.json_text import parse_json
from harness.portable.settings import USUAL

_SHAPES: Final[dict[str, tuple[tuple[type, ...], str]]] = {
    "case": ((str,), "text"),
    "dtype": ((str,), "text"),
    "sizes": ((Mapping,), "a mapping"),
    "layouts": ((Mapping,), "a mapping"),
    "absent": ((list, tuple), "a list"),
    "fill": ((str,), "text"),
    "seed": ((int,), "a whole number"),
    "threads": ((int,), "a whole number"),
    "inplace": ((bool,), "true or false"),
    "path": ((str,), "text"),
    "setting": ((str,), "text"),
}
_LEAST: Final = {"seed": 0, "threads": 1}
MOST_THREADS: Final = 1024
"""More than CPUs have; so few that the system starts as many."""
LONGEST_TEXT: Final = 1000
"""Characters of the id of a case, and of any other name; paths of suites are shorter."""


GRAD_OUTPUT: Final = "grad_output"
"""The key in `layouts` of what backward is given, which has the same layout for every output."""


@dataclass(frozen=True)
class Example:
    """Enough to rebuild the inputs bit for bit on any machine.

    `layouts` maps each present tensor, and ``grad_output``, to a layout name (``channels_last:slice_c``); `absent`
    lists optional tensors left out; `threads` is the number of intra-op threads; `path` is how the call is run,
    and `setting` under which setting of PyTorch.
    """

    case: str
    dtype: str
    sizes: Mapping[str, Any]
    layouts: Mapping[str, str]
    absent: tuple[str, ...] = ()
    fill: str = "integers"
    seed: int = 0
    threads: int = 1
    inplace: bool = False
    path: str = "plain"
    setting: str = USUAL

    def to_json(self) -> str:
        """One line of JSON; keys in the order of the fields, tuples as lists.

        `path` and `setting` are only there where they are not the usual ones.
        """
        data = dict(vars(self))  # asdict copies every value, and takes longer than drawing an example
        if self.path == "plain":
            del data["path"]
        if self.setting == USUAL:
            del data["setting"]
        return json.dumps(data, separators=(", ", ": "))

    def json_without_seed(self) -> str:
        """The same line with seed 0: examples that differ in their numbers alone have it in common."""
        return self.but(seed=0).to_json()

    @classmethod
    def from_json(cls, text: str | Mapping[str, Any]) -> Example:
        """Read what `to_json` wrote. Raises ValueError that says what is wrong."""
        data = _parse_mapping(text)
        names = {field.name for field in fields(cls)}
        if unknown := sorted(set(data) - names):
            raise ValueError(f"an example has no {unknown[0]!r}; it has {', '.join(sorted(names))}")
        if missing := [name for name in ("case", "dtype", "sizes", "layouts") if name not in data]:
            raise ValueError(f"an example needs {missing[0]!r}")
        for name, value in data.items():
            _check(name, value)
        return cls(**{name: _frozen(value) for name, value in data.items()})

    def values(self) -> dict[str, Any]:
        """The names a known issue's condition may use: sizes, `dtype`, `fill`, `threads`, `layout_…`, `has_…`."""
        named: dict[str, Any] = dict(self.sizes)
        named.update({"dtype": self.dtype, "fill": self.fill, "threads": self.threads})
        named.update({"inplace": self.inplace, "path": self.path, "setting": self.setting})
        named.update({f"layout_{name}": layout for name, layout in self.layouts.items()})
        named.update({f"has_{name}": True for name in self.layouts})
        named.update({f"has_{name}": False for name in self.absent})
        named.update({f"layout_{name}": "" for name in self.absent})
        return named

    def but(self, **changes: Any) -> Example:
        """A copy with these fields replaced."""
        return replace(self, **changes)


def _parse_mapping(text: str | Mapping[str, Any]) -> Mapping[str, Any]:
    data = parse_json(text) if isinstance(text, str) else text
    if not isinstance(data, Mapping):
        raise ValueError("an example is a JSON object")  # noqa: TRY004 - the one error of `from_json`
    return data


def _check(name: str, value: Any) -> None:
    """Raise ValueError where a field is not of its type, or a number is too small."""
    types, expected = _SHAPES[name]
    fits: bool = isinstance(value, types)
    if not fits or (isinstance(value, bool) and bool not in types):
        raise ValueError(f"an example's {name!r} is {expected}, not {value!r}")
    if name in _LEAST and value < _LEAST[name]:
        raise ValueError(f"an example's {name!r} is at least {_LEAST[name]}, not {value!r}")
    if name == "threads" and value > MOST_THREADS:
        raise ValueError(f"an example's {name!r} is at most {MOST_THREADS}, not {value!r}")
    if isinstance(value, str) and len(value) > LONGEST_TEXT:
        raise ValueError(f"an example's {name!r} has at most {LONGEST_TEXT} characters, not {len(value)}")
    if name == "sizes" and (wrong := [size for size in value.values() if not _is_size(size)]):
        raise ValueError(f"an example's {name!r} are numbers, texts, true, false, null and lists, not {wrong[0]!r}")
    texts: Iterable[Any] = value if name == "absent" else value.values() if name == "layouts" else ()
    if wrong := [text for text in texts if not isinstance(text, str)]:
        raise ValueError(f"an example's {name!r} are names, not {wrong[0]!r}")


def _is_size(value: Any) -> bool:
    """Whether a value is one that a suite can list among the choices of a size."""
    if isinstance(value, list | tuple):
        return all(_is_size(part) for part in value)
    return value is None or isinstance(value, str | int | float)


def _frozen(value: Any) -> Any:
    if isinstance(value, list | tuple):
        return tuple(_frozen(item) for item in value)
    if isinstance(value, Mapping):
        return {key: _frozen(item) for key, item in value.items()}
    return value
