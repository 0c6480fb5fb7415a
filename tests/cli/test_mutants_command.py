"""`equivalence mutants`: what it prints and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cli import main
from harness.cli.mutants import select_mutants
from harness.errors import UserError


def test_a_mutant_is_caught_and_another_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of one run both are told, in a file as well; with two examples an item one is missed, and the exit code is 1."""
    monkeypatch.chdir(tmp_path)
    names = ["hardswish_format", "silu_in_place_last_row"]
    assert main(["mutants", *names, "--examples", "2", "-n", "1", "--levels", "sse41", "--json", "m.json"]) == 1
    rows = {row["name"]: row for row in json.loads(Path("m.json").read_text("utf-8"))["rows"]}
    assert [rows[name]["state"] for name in names] == ["caught", "missed"]
    catch = rows["hardswish_format"]["catch"]
    assert (catch["oracle"], catch["tensor"], catch["elements"]) == ("strides", "output[0]", 4)
    assert "missed: silu_in_place_last_row" in capsys.readouterr().out


def test_a_mutant_of_a_level_that_is_not_run_is_not_missed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It could not bite: its state is one of its own, and the exit code is 0."""
    monkeypatch.chdir(tmp_path)
    names = ["hardswish_format", "sigmoid_at_avx2"]
    options = ["--examples", "2", "-n", "1", "--levels", "sse41", "--no-peers", "--json", "m.json"]
    assert main(["mutants", *names, *options]) == 0
    rows = {row["name"]: row for row in json.loads(Path("m.json").read_text("utf-8"))["rows"]}
    assert [rows[name]["state"] for name in names] == ["caught", "not run"]
    assert "avx2" in rows["sigmoid_at_avx2"]["lack"]
    assert "not run: sigmoid_at_avx2" in capsys.readouterr().out


def test_a_family_stands_for_all_its_mutants() -> None:
    """A name of a suite selects what is planted in its operators."""
    assert {mutant.family for mutant in select_mutants(["activation"]).values()} == {"activation"}


def test_an_unknown_name_is_a_mistake() -> None:
    """The nearest one is suggested."""
    with pytest.raises(UserError, match="there is no mutant 'hardswish_formt'; did you mean 'hardswish_format'"):
        select_mutants(["hardswish_formt"])


def test_a_preload_of_ones_own_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It would replace what is planted, or be replaced by it."""
    monkeypatch.chdir(tmp_path)
    Path("own.py").write_text("", "utf-8")
    assert main(["mutants", "--preload", "own.py"]) == 4
    assert "plants kernels in workers of its own" in capsys.readouterr().err
