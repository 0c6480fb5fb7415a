"""Snapshots: the language of their file, and its mistakes."""

from __future__ import annotations

from pathlib import Path

import pytest

from harness.golden import Digest, Snapshot, load_snapshots
from harness.suites import DeclarationError

SUITE = "suites/operators/toy.yaml"
EXAMPLE = f'{{"case": "{SUITE}::double", "dtype": "float32", "sizes": {{"N": 1}}, "layouts": {{}}}}'
DIGEST = "float32 [1, 2] strides [2, 1] sha256 0123456789abcdef"
TEXT = f"""\
suite: {SUITE}
verified: ["2.15"]
cases:
  double:
  - example: {EXAMPLE}
    output[0]: {DIGEST}
    grad:input: int64 [] sha256 0123456789abcdef
"""


def read(tmp_path: Path, text: str) -> tuple[Snapshot, ...]:
    """The snapshots of the file's one case."""
    path = tmp_path / "toy.yaml"
    path.write_text(text)
    return load_snapshots(path, SUITE, "golden/snapshots/toy.yaml").snapshots("double", "float32")


def test_a_snapshot_is_read(tmp_path: Path) -> None:
    """Example and digests, without strides where levels differ in them; those of another dtype are not among them."""
    (snapshot,) = read(tmp_path, TEXT)
    assert snapshot.example.sizes == {"N": 1}
    assert snapshot.results["output[0]"] == Digest("float32", (1, 2), (2, 1), "0123456789abcdef")
    assert snapshot.results["grad:input"] == Digest("int64", (), None, "0123456789abcdef")
    assert snapshot.results["output[0]"].text == DIGEST
    assert snapshot.place == 5
    assert read(tmp_path, TEXT.replace('"float32"', '"float64"')) == ()
    assert load_snapshots(tmp_path / "none.yaml", SUITE, "none").cases == {}


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("0123456789abcdef\n    grad", "0123\n    grad", "6:16: 'float32 [1, 2] strides [2, 1] sha256 0123' is not"),
        ('"dtype": "float32", ', "", "5:14: the example does not parse: an example needs 'dtype'"),
        ("::double", "::triple", f"5:14: this is an example of {SUITE}::triple, not of {SUITE}::double"),
        (
            f"{DIGEST}",
            "float32 [1,,2] sha256 0123456789abcdef",
            "6:16: 'float32 [1,,2] sha256 0123456789abcdef' is not",
        ),
        ("[2, 1]", "[2, ]", "6:16: 'float32 [1, 2] strides [2, ] sha256 0123456789abcdef' is not"),
        ("[1, 2]", "[1" + "0" * 5000 + "]", "6:16: 'float32 [1000"),
        ("[1, 2]", "[1, ²]", "6:16: 'float32 [1, ²] strides [2, 1] sha256 0123456789abcdef' is not"),
        (EXAMPLE, "'" + "[" * 3000 + "'", "5:14: the example does not parse: nested too deeply to be read"),
        (EXAMPLE, "3", "5:14: the example does not parse: an example is a JSON object"),
        ('{"N": 1}', '{"N": {}}', "5:14: the example does not parse: an example's 'sizes' are numbers, texts"),
        ('"2.15"', "2.15", "2:"),
        (
            "    output[0]",
            '    torch: "<2.15"\n    output[0]',
            "6:12: '<2.15' is not a range of releases such as '<=2.11'",
        ),
        (f"suite: {SUITE}", "suite: other.yaml", "1:8: this is golden data of other.yaml"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, old: str, new: str, message: str) -> None:
    """A file that a person has edited wrongly is refused with line and column."""
    assert old in TEXT
    with pytest.raises(DeclarationError) as error:
        read(tmp_path, TEXT.replace(old, new, 1))
    assert f"golden/snapshots/toy.yaml:{message}" in str(error.value)
    assert len(error.value.mistakes) == 1


def test_a_link_that_leads_nowhere_is_no_empty_file(tmp_path: Path) -> None:
    """What is there and cannot be read is a mistake, where a file that is not there has no snapshots."""
    (tmp_path / "toy.yaml").symlink_to("nothing")
    with pytest.raises(DeclarationError, match="cannot be read: there is no such file"):
        load_snapshots(tmp_path / "toy.yaml", SUITE, "golden/snapshots/toy.yaml")
