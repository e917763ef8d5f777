"""The agent killed at each step of a try at a lock: the phone counts one try at most, and what is told is true.

The phone lives in this process, the agent's worker in a child that kills itself. Afterwards the agent starts anew on
the same disk and the server sends the same command again, as it does while it has no answer.
"""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from agent import identity, lock, wire
from agent.boxes import Boxes
from agent.inbox import Inbox
from agent.transport_tcp import TcpTransport
from tests.agent.lock_rig import OLD, Rig

NEW = "86420913"
ROUNDS = int(os.environ.get("BUTLER_PROVE_LOCK", "5"))
_WATCHED: list[tuple[Any, str]] = [
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


def _die_at(step: int) -> None:
    """SIGKILL to this process at the `step`-th time that one of the watched calls begins or ends."""
    passed = 0

    def watch(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        def called(*args: Any, **kwargs: Any) -> Any:
            count()
            found = real(*args, **kwargs)
            count()
            return found

        setattr(owner, name, called)

    def count() -> None:
        nonlocal passed
        passed += 1
        if passed == step:
            os.kill(os.getpid(), signal.SIGKILL)

    for owner, name in _WATCHED:
        watch(owner, name)


def _child(rig: Rig, prepare: Callable[[], None]) -> int:
    """Run the worker in a child; its number. The child never returns."""
    rig.box.database.close()
    number = os.fork()
    if number == 0:
        with contextlib.suppress(BaseException):
            rig.box.open("g1")
            prepare()
            rig.worker().step()
        os._exit(0)
    return number


def _ended(number: int) -> bool:
    """Whether it was killed."""
    return os.WIFSIGNALED(os.waitpid(number, 0)[1])


def _settle(rig: Rig, command: wire.Command) -> list[tuple[str, Any]]:
    """All that the agent, started anew, tells of the command, the server sending it again while it hears "not now"."""
    rig.box.open("g1")
    rig.boxes = Boxes()
    told: list[tuple[str, Any]] = []
    for _ in range(3):
        worker = rig.worker()
        Inbox(rig.box.database, rig.box.clock).recover(worker._cut_off)
        while worker.step():
            pass
        told += [(r["state"], r["detail"]) for r in rig.box.send()["results"]]
        if told and told[-1][0] != "not_now":
            return told
        rig.receive(command)
    return told


def _true_of(rig: Rig, kind: str, told: list[tuple[str, Any]]) -> None:
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
    seen, step = set(), 0
    with Rig(tmp_path).up() as rig:
        while True:
            step += 1
            command = _order(rig, kind)
            killed = _ended(_child(rig, lambda at=step: _die_at(at)))  # type: ignore[misc]
            told = _settle(rig, command)
            _true_of(rig, kind, told)
            seen.add(told[-1][1]["outcome"])
            if not killed:
                break
    assert step > 2 * len(_WATCHED) - 4, "each of the steps was met"
    assert seen == {"unknown", {"check": "match", "wrong": "mismatch", "set": "set"}[kind]}


@pytest.mark.parametrize("kind", ["check", "wrong", "set"])
def test_killed_at_any_moment_of_a_try(tmp_path: Path, kind: str) -> None:
    rng = random.Random(11)
    with Rig(tmp_path).up() as rig:
        for _ in range(ROUNDS):
            command = _order(rig, kind)
            number = _child(rig, lambda: None)
            time.sleep(rng.uniform(0, 0.05))
            with contextlib.suppress(ProcessLookupError):
                os.kill(number, signal.SIGKILL)
            _ended(number)
            _true_of(rig, kind, _settle(rig, command))
