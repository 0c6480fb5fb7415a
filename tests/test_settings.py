"""Options become settings: what wins, what is refused, and what a replay needs of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from harness.errors import UserError
from harness.profiles import PROFILES
from harness.settings import Folders, Settings, settings


@pytest.fixture(autouse=True)
def _clean(monkeypatch: pytest.MonkeyPatch) -> None:
    """No option comes from the environment of whoever runs these tests."""
    for name in os.environ:
        if name.startswith("EQUIVALENCE_"):
            monkeypatch.delenv(name)


def test_the_defaults(tmp_path: Path) -> None:
    """Without options a run is the gate, with seed 0, default levels and this interpreter, and without a limit."""
    expected = Settings(tmp_path, PROFILES["gate"], 0, record=tmp_path / ".equivalence/record.json")
    assert settings(tmp_path, {}) == expected


def test_the_command_line_wins_over_environment_over_ini(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The first of the three that says anything decides; an empty text says nothing."""
    assert settings(tmp_path, {}, {"seed": "3"}).seed == 3
    monkeypatch.setenv("EQUIVALENCE_SEED", "2")
    assert settings(tmp_path, {}, {"seed": "3"}).seed == 2
    assert settings(tmp_path, {"seed": "1"}, {"seed": "3"}).seed == 1
    assert settings(tmp_path, {"seed": 0}, {"seed": "3"}).seed == 0
    assert settings(tmp_path, {"seed": ""}, {}).seed == 2


def test_hosts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the environment each is a line of its own, for their words have blanks; a replay needs them too."""
    monkeypatch.setenv("EQUIVALENCE_HOST", "ssh=-p 22 me@there//python=py\n\nssh=other\n")
    chosen = settings(tmp_path, {})
    assert chosen.hosts == ("ssh=-p 22 me@there//python=py", "ssh=other")
    assert chosen.replay_options == " --host 'ssh=-p 22 me@there//python=py' --host ssh=other"
    assert settings(tmp_path, {"host": ["ssh=one"]}).hosts == ("ssh=one",)


@pytest.mark.parametrize(("name", "value"), [("in_process", True), ("update_golden", True), ("against", "stock")])
def test_what_runs_on_this_machine_alone_has_no_hosts(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """One of the two options has to go."""
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "kernels.py").touch()
    preload = {"preload": ["kernels.py"]} if name == "against" else {}
    with pytest.raises(UserError, match=rf"--eq-host: with --eq-{name.replace('_', '-')} everything runs on this"):
        settings(tmp_path, {"host": ["ssh=one"], name: value, **preload})


@pytest.mark.parametrize(("name", "value"), [("in_process", True), ("update_golden", True), ("against", "stock")])
def test_rediscovery_is_of_a_usual_gate(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """What has another purpose cannot say how well the gate finds what is known."""
    monkeypatch.delenv("CI", raising=False)
    (tmp_path / "kernels.py").touch()
    preload = {"preload": ["kernels.py"]} if name == "against" else {}
    with pytest.raises(UserError, match=rf"--eq-rediscover: --eq-{name.replace('_', '-')} runs something else"):
        settings(tmp_path, {"rediscover": True, name: value, **preload})


def test_several_values(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Levels are separated by commas, files in the environment as in PATH; a level given twice runs once."""
    for name in ("a.py", "b.py"):
        (tmp_path / name).touch()
    monkeypatch.setenv("EQUIVALENCE_PRELOAD", os.pathsep.join(["a.py", "b.py"]))
    chosen = settings(tmp_path, {"levels": "avx2, sse41,avx2"})
    assert chosen.levels == ("avx2", "sse41")
    assert chosen.preload == (tmp_path / "a.py", tmp_path / "b.py")


@pytest.mark.parametrize(("text", "value"), [("1", True), ("Yes", True), ("0", False), ("off", False), (True, True)])
def test_flags(tmp_path: Path, text: str | bool, value: bool) -> None:
    """A flag in the environment or an ini file is a word; `0` is no."""
    assert settings(tmp_path, {"in_process": text}).in_process is value


def test_a_fresh_seed_for_each_nightly_run(tmp_path: Path) -> None:
    """The nightly profile draws its seed; a seed that is given stays."""
    seeds = {settings(tmp_path, {"profile": "nightly"}).seed for _ in range(4)}
    assert len(seeds) > 1
    assert settings(tmp_path, {"profile": "nightly", "seed": "7"}).seed == 7


@pytest.mark.parametrize(("examples", "rows", "drawn"), [("10", 5, 5), ("200", 30, 170)])
def test_the_number_of_examples(tmp_path: Path, examples: str, rows: int, drawn: int) -> None:
    """At most half of them are rows of the covering array, and no more than the profile allows."""
    profile = settings(tmp_path, {"profile": "quick", "examples": examples}).profile
    assert (profile.rows, profile.random) == (rows, drawn)


def test_the_replay_profile_draws_nothing_whatever_is_asked(tmp_path: Path) -> None:
    """The replay profile runs what is saved and declared, and no other number of examples."""
    assert settings(tmp_path, {"profile": "replay", "examples": "10"}).profile == PROFILES["replay"]


def test_an_unknown_profile_without_a_neighbour(tmp_path: Path) -> None:
    """Where no name is near, all are listed."""
    with pytest.raises(UserError, match="there is no profile 'x'; there are quick, gate, nightly, replay"):
        settings(tmp_path, {"profile": "x"})


def test_the_options_of_a_replay(tmp_path: Path) -> None:
    """The options are the interpreter, the levels and the preload files, quoted for a shell."""
    (tmp_path / "my kernels.py").touch()
    chosen = settings(Path(tmp_path), {"python": "py thon", "levels": "avx2", "preload": ["my kernels.py"]})
    assert chosen.replay_options == f" --python 'py thon' --levels avx2 --preload '{tmp_path}/my kernels.py'"
    assert settings(tmp_path, {}).replay_options == ""


def test_a_relative_path_is_relative_to_who_wrote_it(tmp_path: Path) -> None:
    """Options are relative to where a person stands, an ini file's to its folder, and neither to pytest's root."""
    root, here, beside_ini = tmp_path / "root", tmp_path / "here", tmp_path / "ini"
    for folder in (here, beside_ini):
        folder.mkdir()
        (folder / "kernels.py").touch()
    folders = Folders(invocation=here, ini=beside_ini)
    typed = settings(root, {"preload": ["kernels.py"], "record": "record.json"}, folders=folders)
    assert (typed.preload, typed.record) == ((here / "kernels.py",), here / "record.json")
    assert settings(root, {}, {"preload": ["kernels.py"]}, folders=folders).preload == (beside_ini / "kernels.py",)
    assert settings(root, {}, folders=folders).record == root / ".equivalence/record.json"
