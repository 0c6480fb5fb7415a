"""What an update writes, keeps and takes away, and what it says of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import Case
from harness.errors import UserError
from harness.golden import Golden, ItemObservation, write_golden
from tests.golden.toy import DOUBLE, DOUBLE_3D, SUITE, observation

CONTRACT, SNAPSHOTS = "golden/contract/toy.yaml", "golden/snapshots/toy.yaml"
BOTH = [DOUBLE, DOUBLE_3D]
ALL = {(case.name, dtype): observation(case, dtype) for case in BOTH for dtype in case.dtypes}
COMMAND = f"python -m pytest {SUITE} --eq-update-golden"


def update(root: Path, observations: dict[tuple[str, str], ItemObservation], cases: list[Case] = BOTH) -> list[str]:
    """An update by a run that begins by reading what there is."""
    return write_golden(Golden(root), cases, observations)


def text(root: Path, name: str = CONTRACT) -> str:
    """What a file says."""
    return (root / name).read_text("utf-8")


def test_the_first_update_writes_both_files(tmp_path: Path) -> None:
    """What agrees over shapes, dtypes and levels is one line; the head says what the file is and what wrote it."""
    assert update(tmp_path, ALL) == [f"{CONTRACT}: new, 13 lines", f"{SNAPSHOTS}: new, 26 lines"]
    body = f'suite: {SUITE}\ntorch: "2.15"\ncases:\n'
    assert text(tmp_path).endswith(
        f"{body}  double:\n    output[0]: like input\n  double_3d:\n    output[0]: like input\n"
    )
    assert COMMAND in text(tmp_path)
    assert COMMAND in text(tmp_path, SNAPSHOTS)
    assert (
        text(tmp_path, SNAPSHOTS).count("    output[0]: float32 [1, 2] strides [2, 1] sha256 0123456789abcdef\n") == 4
    )


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    """The same run once more changes nothing, and what it saw agrees with the files."""
    update(tmp_path, ALL)
    assert update(tmp_path, ALL) == []
    golden = Golden(tmp_path)
    assert golden.contract(DOUBLE).compare("double", "float32", ALL["double", "float32"].facts) == []
    assert golden.snapshots(DOUBLE).torch == golden.contract(DOUBLE).torch == "2.15"
    assert len(golden.snapshots(DOUBLE).snapshots("double", "bfloat16")) == 2
    assert list(golden.misfits(BOTH)) == []


def test_a_change_is_listed_line_by_line(tmp_path: Path) -> None:
    """Old and new, as a reviewer of the diff will see them."""
    update(tmp_path, ALL)
    changed = {("double", "float32"): observation(DOUBLE, "float32", "contiguous", ("avx2",))}
    assert update(tmp_path, changed) == [
        f"{CONTRACT}:",
        "  -    output[0]: like input",
        "  +    output[0] in float32 at sse41, avx512_core: like input",
        "  +    output[0] in float32 at avx2: contiguous",
        "  +    output[0] in bfloat16: like input",
    ]


def test_only_a_whole_run_takes_away(tmp_path: Path) -> None:
    """What a suite has no more stays until all of it is run, at every level of the contract."""
    update(tmp_path, ALL)
    here = {key: ALL[key] for key in ALL if key[0] == "double"}
    narrow = {key: observation(DOUBLE, key[1], levels=("sse41", "avx2")) for key in here}
    assert update(tmp_path, {("double", "float32"): here["double", "float32"]}, [DOUBLE]) == []
    assert update(tmp_path, narrow, [DOUBLE]) == []
    assert [line for line in update(tmp_path, here, [DOUBLE]) if "double_3d:" in line] == ["  -  double_3d:"] * 2


def test_a_file_is_of_one_release(tmp_path: Path) -> None:
    """With another PyTorch a part of the suite is refused and nothing is written; the whole of it is taken over."""
    update(tmp_path, ALL)
    before = text(tmp_path), text(tmp_path, SNAPSHOTS)
    other = {key: replace(before, torch="2.16") for key, before in ALL.items()}
    with pytest.raises(UserError, match=r"golden/ is of PyTorch 2\.15, and this is 2\.16; a file is of one release"):
        update(tmp_path, {("double", "float32"): other["double", "float32"]})
    assert before == (text(tmp_path), text(tmp_path, SNAPSHOTS))
    assert update(tmp_path, other)[:3] == [f"{CONTRACT}:", '  -torch: "2.15"', '  +torch: "2.16"']


def test_what_is_missing_or_unknown_is_named_with_the_command(tmp_path: Path) -> None:
    """No file at all, a case without lines or with too few snapshots, a case and a dtype that the suite lacks."""
    none = list(Golden(tmp_path).misfits(BOTH))
    assert none[0].startswith(f"{SUITE} has no layout contract, {CONTRACT}; observe it with `{COMMAND}`")
    assert none[1].startswith(f"{SNAPSHOTS} has fewer than 4 snapshots of double, double_3d; observe")
    update(tmp_path, {key: ALL[key] for key in ALL if key[0] == "double"})
    assert next(Golden(tmp_path).misfits(BOTH)).startswith(f"{CONTRACT} has no line of double_3d; observe it with")
    (tmp_path / CONTRACT).write_text(text(tmp_path).replace("  double:", "  duoble:"))
    problems = "\n".join(Golden(tmp_path).misfits([DOUBLE]))
    assert f"{CONTRACT}: unknown case 'duoble': {SUITE} has none of that name; did you mean 'double'?" in problems
    (tmp_path / CONTRACT).write_text(
        text(tmp_path).replace("duoble:\n    output[0]:", "double:\n    output[0] in int8:")
    )
    (problem,) = Golden(tmp_path).misfits([DOUBLE])
    assert problem.startswith(f"{CONTRACT}:11: unknown line: output[0] in int8: double is not run in int8")
