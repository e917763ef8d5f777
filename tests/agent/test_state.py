from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from dataclasses import asdict, replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from agent import wire
from agent.state import Identity, State, StateError, write_private
from tests.agent.stub_server import raw

IDENTITY = Identity(
    "https://mdm.example.com", "a1", wire.b64(raw(Ed25519PrivateKey.generate())), "前台", "gateway", 60
)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_directory_and_files_are_for_the_owner_only(tmp_path: Path) -> None:
    old = os.umask(0)
    try:
        (tmp_path / "state").mkdir(mode=0o777)
        state = State(tmp_path / "state")
        state.keys()
        state.save_identity(IDENTITY)
    finally:
        os.umask(old)
    assert mode(state.path) == 0o700
    files = list(state.path.iterdir())
    assert {f.name for f in files} == {"ed25519.pem", "x25519.pem", "agent.json"}
    assert {mode(f) for f in files} == {0o600}


def test_keys_are_made_once(state: State) -> None:
    first = state.keys()
    again = State(state.path).keys()
    assert raw(first.ed25519) == raw(again.ed25519)
    assert first.x25519.private_bytes_raw() == again.x25519.private_bytes_raw()


def test_an_identity_goes_there_and_back(state: State) -> None:
    assert state.identity() is None
    state.save_identity(IDENTITY)
    assert state.identity() == IDENTITY


@pytest.mark.parametrize(
    "change",
    [{"server_url": 5}, {"agent_id": None}, {"kind": "boss"}, {"interval_s": "60"}, {"interval_s": True}],
)
def test_fields_of_another_type_are_damage(state: State, change: dict[str, object]) -> None:
    (state.path / "agent.json").write_text(json.dumps({**asdict(IDENTITY), **change}))
    with pytest.raises(StateError, match="damaged"):
        state.identity()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"server_url": 1}', "\x00"])
def test_a_damaged_identity_is_said_not_taken_for_none(state: State, content: str) -> None:
    (state.path / "agent.json").write_text(content)
    with pytest.raises(StateError, match=r"agent\.json"):
        state.identity()


def test_a_damaged_command_key_is_said(state: State) -> None:
    state.save_identity(replace(IDENTITY, command_key="AAAA"))
    with pytest.raises(StateError, match="damaged"):
        state.identity()


def test_a_damaged_key_is_never_replaced_by_a_new_one(state: State) -> None:
    state.keys()
    (state.path / "ed25519.pem").write_text("rubbish")
    with pytest.raises(StateError, match=r"ed25519\.pem"):
        state.keys()
    assert (state.path / "ed25519.pem").read_text() == "rubbish"


def test_keys_that_were_swapped_are_refused(state: State) -> None:
    state.keys()
    (state.path / "x25519.pem").replace(state.path / "ed25519.pem")
    with pytest.raises(StateError, match="another kind"):
        state.keys()


@pytest.mark.parametrize("cut_after", [None, "ed25519.pem", "x25519.pem"])
def test_a_successor_takes_over_also_after_a_kill(state: State, cut_after: str | None) -> None:
    state.keys()
    state.save_identity(IDENTITY)
    (state.path / "targets.txt").write_text("tcp:10.0.0.1:5555\n")
    successor = state.successor()
    keys = successor.keys()
    successor.save_identity(replace(IDENTITY, agent_id="a2"))
    for name in ("ed25519.pem", "x25519.pem"):
        if cut_after:
            (successor.path / name).replace(state.path / name)
        if name == cut_after:
            break
    state.take_over(state.successor())
    assert state.identity() == replace(IDENTITY, agent_id="a2")
    assert raw(state.keys().ed25519) == raw(keys.ed25519)
    assert state.keys().x25519.private_bytes_raw() == keys.x25519.private_bytes_raw()
    assert {path.name for path in state.path.iterdir()} == {
        "agent.json",
        "ed25519.pem",
        "x25519.pem",
        "targets.txt",
    }


def test_somebody_elses_directory_is_neither_used_nor_closed_to_the_others(tmp_path: Path) -> None:
    (tmp_path / "home").mkdir(mode=0o755)
    (tmp_path / "home" / "letter.txt").write_text("")
    with pytest.raises(StateError, match="directory of its own"):
        State(tmp_path / "home")
    assert mode(tmp_path / "home") == 0o755


def test_a_lock_that_cannot_be_made_is_said(state: State) -> None:
    (state.path / "lock").mkdir()
    with pytest.raises(StateError, match="cannot use"), state.only_one():
        raise AssertionError


def test_the_lock_is_for_the_owner_only(state: State) -> None:
    with state.only_one():
        assert mode(state.path / "lock") == 0o600


def test_a_second_process_does_not_get_the_directory(state: State) -> None:
    script = "import sys\nfrom pathlib import Path\nfrom agent.state import State\n"
    script += "with State(Path(sys.argv[1])).only_one(): print('held')\n"
    command = [sys.executable, "-c", script, str(state.path)]
    with state.only_one():
        refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode != 0
    assert "another agent is running" in refused.stderr
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "held\n"


def test_a_path_that_is_a_file_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(StateError, match="state directory"):
        State(tmp_path / "file")


def test_a_write_that_fails_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "f"
    write_private(target, b"old")

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_private(target, b"new")
    assert target.read_bytes() == b"old"
    assert [p.name for p in tmp_path.iterdir()] == ["f"]
