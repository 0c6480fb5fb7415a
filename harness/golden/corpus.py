"""`golden/corpus/<suite>.yaml`: for each case, examples that between them reach every way that runs have found."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.core import Case, Example
from harness.core.text_file import is_there
from harness.golden.issues.fit import complete_layouts, describe_misfit
from harness.golden.suite_document import SuiteFileSchema, read_suite_document
from harness.suites import DeclarationError, Items, Mistake, StrictSchema

CORPUS_HEAD: Final = """\
# Examples that reach, between them, every way in which nights have seen the kernels of a case run: a gate runs them
# first, in each dtype. They follow from what was reached, not from what failed. `kernels` are oneDNN's that they reach.
# Written by `equivalence corpus RECORD --write`.
"""

_EXPONENT: Final = re.compile(r"(?<=[\[ ]\d)e")
"""Where a number is written as JSON has it, ``1e-05``, which YAML takes for text."""

_SET_BY_RUN: Final = ("case", "dtype")
"""What an example of the file leaves out, because it runs in every dtype of its case."""


class CorpusCaseSchema(StrictSchema):
    """What is kept of one case."""

    kernels: Items[str] = ()
    examples: Items[dict[str, Any]]


class CorpusSchema(SuiteFileSchema):
    """The whole file."""

    cases: dict[str, CorpusCaseSchema]


@dataclass(frozen=True)
class CorpusCase:
    """What is kept of one case: examples without their dtype, and the kernels of oneDNN that they reach."""

    kernels: tuple[str, ...] = ()
    examples: tuple[Mapping[str, Any], ...] = ()

    def examples_in(self, case: Case, dtype: str) -> list[Example]:
        """The examples as they run in one dtype of the case; those that it cannot draw any more are left out."""
        examples = (_example(case, dtype, plain) for plain in self.examples)
        return [example for example in examples if not describe_misfit(case, example)]


@dataclass(frozen=True)
class Corpus:
    """The corpus of one suite by the names of its cases. `file` is what messages call it, empty where there is none."""

    file: str = ""
    cases: Mapping[str, CorpusCase] = field(default_factory=dict)


def load_corpus(path: Path, suite: str, shown: str) -> Corpus:
    """Read the file of a suite; none has no corpus. `shown` names it in messages.

    Raises DeclarationError with all that does not parse.
    """
    if not is_there(path):
        return Corpus()
    schema, positions, mistakes = read_suite_document(path, shown, suite, CorpusSchema, "corpus")
    for name, case in schema.cases.items():
        for index, plain in enumerate(case.examples):
            location = ("cases", name, "examples", index)
            mistakes += [Mistake(shown, *positions.at(location), text) for text in _mistakes(plain)]
    if mistakes:
        raise DeclarationError(mistakes)
    return Corpus(
        shown, {name: CorpusCase(tuple(case.kernels), tuple(case.examples)) for name, case in schema.cases.items()}
    )


def corpus_text(suite: str, cases: Mapping[str, CorpusCase]) -> str:
    """The text of a suite's file."""
    return "".join([CORPUS_HEAD, f"suite: {suite}\n", "cases:\n", *_case_lines(cases)])


def corpus_entry(example: Example) -> dict[str, Any]:
    """What the file has of an example: what is as usual is left out."""
    usual = Example("", "", {}, {})
    plain = json.loads(example.to_json())
    kept = {name: value for name, value in plain.items() if name not in _SET_BY_RUN}
    return {name: value for name, value in kept.items() if name in ("sizes", "layouts") or value != _plain(usual, name)}


def can_be_kept(example: Example) -> bool:
    """Whether YAML can say the example: it has no word for a size that is no finite number."""
    parts = (part for value in example.sizes.values() for part in (value if isinstance(value, tuple) else (value,)))
    return all(not isinstance(part, float) or math.isfinite(part) for part in parts)


def _plain(example: Example, name: str) -> Any:
    value = getattr(example, name)
    return list(value) if isinstance(value, tuple) else value


def _case_lines(cases: Mapping[str, CorpusCase]) -> Iterator[str]:
    for name, case in cases.items():
        yield f"  {name}:\n"
        if case.kernels:
            yield f"    kernels: {json.dumps(case.kernels)}\n"
        yield "    examples:\n"
        yield from (f"    - {_EXPONENT.sub('.0e', json.dumps(plain))}\n" for plain in case.examples)


def _example(case: Case, dtype: str, plain: Mapping[str, Any]) -> Example:
    """The example in that dtype: with a grad_output and on a path only where that has one.

    A choice that the case has got since is the first one.
    """
    firsts = {size.name: size.choices[0] for size in case.sizes if size.choices and not size.length}
    sizes = {**firsts, **plain["sizes"]}
    example = Example.from_json({**plain, "sizes": sizes, "case": case.id, "dtype": dtype})
    if not case.has_grad_output(dtype):
        names = {spec.name for spec in case.tensors}
        kept = {name: layout for name, layout in example.layouts.items() if name in names}
        example = example.but(layouts=kept)
    if example.path not in case.paths_in(dtype):
        example = example.but(path="plain")
    if example.setting not in case.every_setting:
        example = example.but(setting=case.every_setting[0])
    return complete_layouts(case, example)


def _mistakes(plain: Mapping[str, Any]) -> Iterable[str]:
    if known := [name for name in _SET_BY_RUN if name in plain]:
        yield f"an example of the corpus has no {known[0]!r}: it runs in every dtype of the case that it stands below"
        return
    try:
        Example.from_json({**plain, "case": "", "dtype": ""})
    except ValueError as error:
        yield f"the example does not parse: {error}"
