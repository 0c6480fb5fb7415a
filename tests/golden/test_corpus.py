"""golden/corpus: what is kept of a case, and how it runs in each of its dtypes."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import Example, Size
from harness.golden import CorpusCase, can_be_kept, corpus_entry, corpus_text, load_corpus
from harness.suites import DeclarationError
from tests.trial.toy import CASE

SUITE = "suites/operators/toy.yaml"
SIZES = {"N": 1, "C": 2, "H": 3, "W": 4}


def example(**changes: object) -> Example:
    """An example of the toy."""
    return Example(CASE.id, "float32", SIZES, {"input": "channels_last"}).but(**changes)


def test_a_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    """Kernels and examples come back, without a dtype and without what is as usual."""
    entry = corpus_entry(example(fill="reals", seed=7, threads=2))
    path = tmp_path / "toy.yaml"
    path.write_text(corpus_text(SUITE, {"double": CorpusCase(("a:jit forward",), (entry,))}))
    corpus = load_corpus(path, SUITE, "golden/corpus/toy.yaml").cases["double"]
    assert entry == {"sizes": SIZES, "layouts": {"input": "channels_last"}, "fill": "reals", "seed": 7, "threads": 2}
    assert corpus.kernels == ("a:jit forward",)
    assert corpus.examples_in(CASE, "float32") == [
        example(fill="reals", seed=7, threads=2, layouts={"input": "channels_last", "grad_output": "contiguous"})
    ]


def test_a_suite_without_a_file_has_no_corpus(tmp_path: Path) -> None:
    """It is no mistake."""
    assert load_corpus(tmp_path / "none.yaml", SUITE, "none.yaml").cases == {}


def test_what_the_case_cannot_draw_any_more_is_left_out() -> None:
    """A size that was renamed, a tensor that is gone."""
    gone = {"sizes": {**SIZES, "D": 1}, "layouts": {}}
    other = {"sizes": SIZES, "layouts": {"mask": "contiguous"}}
    kept = corpus_entry(example())
    corpus = CorpusCase((), (gone, kept, other))
    assert [each.sizes for each in corpus.examples_in(CASE, "float32")] == [SIZES]


def test_a_choice_that_the_case_has_got_since_is_the_first_one() -> None:
    """A new argument does not cost a case its corpus."""
    case = replace(CASE, sizes=(*CASE.sizes, Size("eps", "choice", choices=(1e-5, 0.125))))
    (each,) = CorpusCase((), (corpus_entry(example()),)).examples_in(case, "float32")
    assert each.sizes == {**SIZES, "eps": 1e-5}


def test_a_path_that_a_dtype_has_not_is_the_plain_one() -> None:
    """A case that never runs under autocast: the shapes are worth running all the same."""
    (each,) = CorpusCase((), (corpus_entry(example(path="autocast")),)).examples_in(CASE, "float32")
    assert each.path == "plain"


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{sizes: {N: 1}, layouts: {}, dtype: float32}", "an example of the corpus has no 'dtype'"),
        ("{sizes: {N: 1}}", "the example does not parse: an example needs 'layouts'"),
        ("{sizes: {N: 1}, layouts: {}, seed: -1}", "the example does not parse"),
    ],
)
def test_a_mistake_is_told_with_its_place(tmp_path: Path, entry: str, message: str) -> None:
    """File and line, what is wrong, and nothing else."""
    path = tmp_path / "toy.yaml"
    path.write_text(f"suite: {SUITE}\ncases:\n  double:\n    examples:\n    - {entry}\n")
    with pytest.raises(DeclarationError, match=r"golden/corpus/toy\.yaml:5:\d+: ") as error:
        load_corpus(path, SUITE, "golden/corpus/toy.yaml")
    assert message in str(error.value)


def test_a_size_that_yaml_cannot_say_is_not_kept() -> None:
    """An infinite exponent, alone or in a pair."""
    assert can_be_kept(example())
    assert not can_be_kept(example(sizes={"p": float("inf")}))
    assert not can_be_kept(example(sizes={"p": (1.0, float("nan"))}))


def test_a_small_number_is_written_as_yaml_has_it(tmp_path: Path) -> None:
    """JSON leaves out the point, and YAML reads that as text; a word that looks like it stays a word."""
    sizes = {"eps": 1e-05, "pair": (1e-06, 2.5), "word": "1e-05"}
    path = tmp_path / "toy.yaml"
    path.write_text(corpus_text(SUITE, {"double": CorpusCase((), (corpus_entry(example(sizes=sizes)),))}))
    (entry,) = load_corpus(path, SUITE, "golden/corpus/toy.yaml").cases["double"].examples
    assert {name: entry["sizes"][name] for name in ("eps", "word")} == {"eps": 1e-05, "word": "1e-05"}
    assert list(entry["sizes"]["pair"]) == [1e-06, 2.5]
