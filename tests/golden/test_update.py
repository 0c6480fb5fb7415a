"""What an update writes, keeps and takes away, and what it says of that."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from harness.core import Case
from harness.errors import UserError
from harness.golden import LEVELS, Digest, Golden, ItemObservation, write_golden
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
    body = f'suite: {SUITE}\nverified: ["2.15"]\ncases:\n'
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
    assert golden.contract(DOUBLE).compare("double", "float32", ALL["double", "float32"].facts, "2.15") == []
    assert golden.snapshots(DOUBLE).verified == golden.contract(DOUBLE).verified == ("2.15",)
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


def of_release(release: str, rule: str = "like input", digest: str = "") -> dict[tuple[str, str], ItemObservation]:
    """The whole suite observed with another release; `rule` and `digest` are those of `double` in float32."""
    observations = {key: replace(before, torch=release) for key, before in ALL.items()}
    changed = replace(observation(DOUBLE, "float32", rule), torch=release)
    if digest:
        results = {"output[0]": Digest("float32", (1, 2), (2, 1), digest)}
        changed = replace(changed, snapshots=(replace(changed.snapshots[0], results=results), changed.snapshots[1]))
    return observations | {("double", "float32"): changed}


def test_a_release_that_gives_the_same_is_added_to_the_list(tmp_path: Path) -> None:
    """No line and no snapshot is written twice."""
    update(tmp_path, ALL)
    listed = ['  -verified: ["2.15"]', '  +verified: ["2.11", "2.15"]']
    assert update(tmp_path, of_release("2.11")) == [f"{CONTRACT}:", *listed, f"{SNAPSHOTS}:", *listed]


def test_what_another_release_gives_stands_beside_what_was_verified(tmp_path: Path) -> None:
    """A line and a snapshot that differ get a range each, and nothing that was verified is overwritten."""
    update(tmp_path, ALL)
    changes = update(tmp_path, of_release("2.11", "contiguous", "fedcba9876543210"))
    assert [change for change in changes if "with torch" in change] == [
        "  +    output[0] in float32 with torch <=2.11: contiguous",
        "  +    output[0] in float32 with torch >=2.15: like input",
    ]
    golden = Golden(tmp_path)
    snapshots = golden.snapshots(DOUBLE).snapshots("double", "float32")
    assert [(entry.releases.specifier, entry.results["output[0]"].sha256) for entry in snapshots] == [
        ("<=2.11", "fedcba9876543210"),
        (">=2.15", "0123456789abcdef"),
        ("", "0123456789abcdef"),
    ]
    assert golden.snapshots(DOUBLE).verified == golden.contract(DOUBLE).verified == ("2.11", "2.15")
    before = text(tmp_path), text(tmp_path, SNAPSHOTS)
    assert update(tmp_path, ALL) == []
    assert update(tmp_path, of_release("2.11", "contiguous", "fedcba9876543210")) == []
    assert before == (text(tmp_path), text(tmp_path, SNAPSHOTS))
    assert list(golden.misfits(BOTH)) == []


def test_a_part_of_a_suite_adds_snapshots_of_another_release_only(tmp_path: Path) -> None:
    """The contract is left as it is, with the command that adds its lines; a digest that differs gets its range."""
    update(tmp_path, ALL)
    before = text(tmp_path)
    part = {("double", "float32"): of_release("2.11", "contiguous", "fedcba9876543210")["double", "float32"]}
    advice, *changes = update(tmp_path, part)
    assert advice.startswith(
        f"{CONTRACT} is of PyTorch 2.15, and this is 2.11: its lines were left as they are; to add"
    )
    assert advice.endswith(f"observe the whole suite at {', '.join(LEVELS)}: `{COMMAND}`")
    assert text(tmp_path) == before
    digest = "    output[0]: float32 [1, 2] strides [2, 1] sha256"
    example = '  - example: {"case": "suites/operators/toy.yaml::double", "dtype": "float32",'
    assert [change.partition(' "sizes"')[0] for change in changes] == [
        f"{SNAPSHOTS}:",
        '  +    torch: "<=2.11"',
        f"  +{digest} fedcba9876543210",
        f"  +{example}",
        '  +    torch: ">=2.15"',
    ]
    file = Golden(tmp_path).snapshots(DOUBLE)
    older, newer, same = file.snapshots("double", "float32")
    assert [file.is_verified(entry, "2.11") for entry in (older, newer, same)] == [True, False, False]
    assert [file.is_verified(entry, "2.15") for entry in (older, newer, same)] == [False, True, True]


def test_what_a_release_lacks_does_not_keep_it_out(tmp_path: Path) -> None:
    """A suite is whole without the items that are not available; what other releases gave of them stays."""
    update(tmp_path, ALL)
    part = {key: entry for key, entry in of_release("2.0").items() if key[1] == "float32"}
    lacking = [key for key in ALL if key not in part]
    assert write_golden(Golden(tmp_path), BOTH, part, lacking)[:3] == [
        f"{CONTRACT}:",
        '  -verified: ["2.15"]',
        '  +verified: ["2.0", "2.15"]',
    ]
    assert text(tmp_path).endswith("  double:\n    output[0]: like input\n  double_3d:\n    output[0]: like input\n")


def test_an_example_that_a_release_does_not_give_exactly_is_not_said_of_it(tmp_path: Path) -> None:
    """Once the release is verified, its snapshots are those that it gave."""
    update(tmp_path, ALL)
    observations = of_release("2.11")
    kept = observations["double", "float32"]
    observations["double", "float32"] = replace(kept, snapshots=kept.snapshots[1:])
    update(tmp_path, observations)
    snapshots = Golden(tmp_path).snapshots(DOUBLE).snapshots("double", "float32")
    assert [entry.releases.specifier for entry in snapshots] == [">=2.15", ""]


def test_a_release_that_does_not_give_an_example_bounds_it_for_good(tmp_path: Path) -> None:
    """A part of a suite takes its release out of the range, and a later release in between does not let it in again."""
    update(tmp_path, ALL)
    for torch, kept in (("2.6", 1), ("2.11", 0)):
        observation = of_release(torch)["double", "float32"]
        update(tmp_path, {("double", "float32"): replace(observation, snapshots=observation.snapshots[kept:])})
        snapshots = Golden(tmp_path).snapshots(DOUBLE).snapshots("double", "float32")
        oldest = {"2.6": "2.15", "2.11": "2.11"}[torch]
        assert [entry.releases.specifier for entry in snapshots] == [f">={oldest}", ""]
    assert [entry.releases.is_open_below for entry in snapshots] == [False, True]


def test_a_version_that_is_no_release_is_refused(tmp_path: Path) -> None:
    """A range of releases can say nothing of it."""
    with pytest.raises(UserError, match="'main' is no release of PyTorch"):
        update(tmp_path, of_release("main"))


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
