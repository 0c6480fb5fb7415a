"""What an update writes, keeps and takes away, and what it says of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import Case
from harness.errors import UserError
from harness.golden import Golden, Observed, update
from tests.golden.toy import DOUBLE, DOUBLE_3D, SUITE, observed

LAYOUTS, SNAPSHOTS_HEAD = "golden/contract/toy.yaml", "golden/snapshots/toy.yaml"
BOTH = [DOUBLE, DOUBLE_3D]
ALL = {(case.name, dtype): observed(case, dtype) for case in BOTH for dtype in case.dtypes}
COMMAND = f"python -m pytest {SUITE} --eq-update-golden"


def updated(root: Path, seen: dict[tuple[str, str], Observed], cases: list[Case] = BOTH) -> list[str]:
    """An update by a run that begins by reading what there is."""
    return update(Golden(root), cases, seen)


def text(root: Path, name: str = LAYOUTS) -> str:
    """What a file says."""
    return (root / name).read_text("utf-8")


def test_the_first_update_writes_both_files(tmp_path: Path) -> None:
    """What agrees over shapes, dtypes and levels is one line; the head says what the file is and what wrote it."""
    assert updated(tmp_path, ALL) == [f"{LAYOUTS}: new, 13 lines", f"{SNAPSHOTS_HEAD}: new, 26 lines"]
    body = f'suite: {SUITE}\ntorch: "2.15"\ncases:\n'
    assert text(tmp_path).endswith(
        f"{body}  double:\n    output[0]: like input\n  double_3d:\n    output[0]: like input\n"
    )
    assert COMMAND in text(tmp_path)
    assert COMMAND in text(tmp_path, SNAPSHOTS_HEAD)
    assert (
        text(tmp_path, SNAPSHOTS_HEAD).count("    output[0]: float32 [1, 2] strides [2, 1] sha256 0123456789abcdef\n")
        == 4
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """The same run once more changes nothing, and what it saw agrees with the files."""
    updated(tmp_path, ALL)
    assert updated(tmp_path, ALL) == []
    golden = Golden(tmp_path)
    assert golden.contract(DOUBLE).compare("double", "float32", ALL["double", "float32"].facts) == []
    assert golden.snapshots(DOUBLE).torch == golden.contract(DOUBLE).torch == "2.15"
    assert len(golden.snapshots(DOUBLE).snapshots("double", "bfloat16")) == 2
    assert list(golden.misfits(BOTH)) == []


def test_a_change_is_listed_line_by_line(tmp_path: Path) -> None:
    """Old and new, as a reviewer of the diff will see them."""
    updated(tmp_path, ALL)
    seen = {("double", "float32"): observed(DOUBLE, "float32", "contiguous", ("avx2",))}
    assert updated(tmp_path, seen) == [
        f"{LAYOUTS}:",
        "  -    output[0]: like input",
        "  +    output[0] in float32 at sse41, avx512_core: like input",
        "  +    output[0] in float32 at avx2: contiguous",
        "  +    output[0] in bfloat16: like input",
    ]


def test_only_a_whole_run_takes_away(tmp_path: Path) -> None:
    """What a suite has no more stays until all of it is run, at every level of the contract."""
    updated(tmp_path, ALL)
    here = {key: seen for key, seen in ALL.items() if key[0] == "double"}
    narrow = {key: observed(DOUBLE, key[1], levels=("sse41", "avx2")) for key in here}
    assert updated(tmp_path, {("double", "float32"): here["double", "float32"]}, [DOUBLE]) == []
    assert updated(tmp_path, narrow, [DOUBLE]) == []
    assert [line for line in updated(tmp_path, here, [DOUBLE]) if "double_3d:" in line] == ["  -  double_3d:"] * 2


def test_a_file_is_of_one_release(tmp_path: Path) -> None:
    """With another PyTorch a part of the suite is refused and nothing is written; the whole of it is taken over."""
    updated(tmp_path, ALL)
    before = text(tmp_path), text(tmp_path, SNAPSHOTS_HEAD)
    other = {key: replace(seen, torch="2.16") for key, seen in ALL.items()}
    with pytest.raises(UserError, match=r"golden/ is of PyTorch 2\.15, and this is 2\.16; a file is of one release"):
        updated(tmp_path, {("double", "float32"): other["double", "float32"]})
    assert before == (text(tmp_path), text(tmp_path, SNAPSHOTS_HEAD))
    assert updated(tmp_path, other)[:3] == [f"{LAYOUTS}:", '  -torch: "2.15"', '  +torch: "2.16"']


def test_what_is_missing_or_unknown_is_told_with_the_command(tmp_path: Path) -> None:
    """No file at all; a case without lines, or with too few snapshots; a case and a dtype that the suite does not have."""
    none = list(Golden(tmp_path).misfits(BOTH))
    assert none[0].startswith(f"{SUITE} has no layout contract, {LAYOUTS}; observe it with `{COMMAND}`")
    assert none[1].startswith(f"{SNAPSHOTS_HEAD} has fewer than 4 snapshots of double, double_3d; observe")
    updated(tmp_path, {key: seen for key, seen in ALL.items() if key[0] == "double"})
    assert next(Golden(tmp_path).misfits(BOTH)).startswith(f"{LAYOUTS} has no line of double_3d; observe it with")
    (tmp_path / LAYOUTS).write_text(text(tmp_path).replace("  double:", "  duoble:"))
    said = "\n".join(Golden(tmp_path).misfits([DOUBLE]))
    assert f"{LAYOUTS}: unknown case 'duoble': {SUITE} has none of that name; did you mean 'double'?" in said
    (tmp_path / LAYOUTS).write_text(
        text(tmp_path).replace("duoble:\n    output[0]:", "double:\n    output[0] in int8:")
    )
    (said,) = Golden(tmp_path).misfits([DOUBLE])
    assert said.startswith(f"{LAYOUTS}:11: unknown line: output[0] in int8: double is not run in int8")
