"""The agent killed at each step of a try at a lock: the phone counts one try at most, and what is told is true.

The phone lives in this process, the agent's worker in a child that kills itself. Afterwards the agent starts anew on
the same disk and the server sends the same command again, as it does while it has no answer.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from agent import identity, lock, wire
from agent.boxes import Boxes
from agent.inbox import Inbox
from agent.transport_tcp import TcpTransport
from tests.agent.lock_rig import OLD, Rig
from tests.support.killing import Watched, killed_at_any_moment, killed_at_each_step
from tests.support.orders import Told

NEW = "86420913"
ROUNDS = int(os.environ.get("BUTLER_PROVE_LOCK", "5"))
_WATCHED: Watched = [
    (Inbox, "next"),
    (Inbox, "start"),
    (Boxes, "take"),
    (wire, "open_box"),
    (identity, "open_transport"),
    (identity, "read_snapshot"),
    (TcpTransport, "run"),
    (TcpTransport, "close"),
    (lock, "verify_code"),
    (Inbox, "finish"),
]


def _true_of(rig: Rig, kind: str, told: list[Told]) -> None:
    phone = rig.phone
    outcome = told[-1][1]["outcome"]
    assert outcome in ("unknown", "mismatch" if kind == "wrong" else "match" if kind == "check" else "set"), (
        told
    )
    if kind == "set":
        assert phone.lock_pin == NEW if outcome == "set" else phone.lock_pin in (OLD, NEW)
        assert phone.lock_tries <= 2, "the old one to change it, the new one to prove it"
    else:
        assert phone.lock_tries == 1 if outcome != "unknown" else phone.lock_tries <= 1
    assert phone.wrong_pins <= 1


def _order(rig: Rig, kind: str) -> wire.Command:
    texts = {"check": {"old": OLD}, "wrong": {"old": "00000000"}, "set": {"old": OLD, "new": NEW}}[kind]
    rig.phone.lock_pin, rig.phone.lock_tries, rig.phone.wrong_pins = OLD, 0, 0
    rig.phone.throttled_until = 0.0
    command = rig.command("set_lock" if kind == "set" else "check_lock", texts)
    rig.receive(command)
    return command


@pytest.mark.parametrize("kind", ["check", "wrong", "set"])
def test_killed_at_each_step_of_a_try(tmp_path: Path, kind: str) -> None:
    seen = set()
    with Rig(tmp_path).up() as rig:
        for told in killed_at_each_step(rig, _WATCHED, lambda _: _order(rig, kind), unmet=4):
            _true_of(rig, kind, told)
            seen.add(told[-1][1]["outcome"])
    assert seen == {"unknown", {"check": "match", "wrong": "mismatch", "set": "set"}[kind]}


@pytest.mark.parametrize("kind", ["check", "wrong", "set"])
def test_killed_at_any_moment_of_a_try(tmp_path: Path, kind: str) -> None:
    with Rig(tmp_path).up() as rig:
        for told in killed_at_any_moment(rig, ROUNDS, 0.05, lambda: _order(rig, kind), seed=11):
            _true_of(rig, kind, told)
