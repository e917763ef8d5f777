"""A simulated phone with a lock, and a gateway's worker that gets orders about it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from agent import lock, wire
from agent.boxes import Boxes
from agent.clock import steady
from agent.commands import CommandWorker
from agent.hands import Hands
from agent.identity import PhoneAtHand
from agent.inbox import Inbox, receive
from agent.lock import LockKind
from agent.simulator.fleet import Fleet, Mode
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode
from agent.sweep import Serials
from agent.transport import CommandResult, TransportOptions
from tests.agent.builders import Box

OLD, NEW = "73915462", "canary 9'\"$(id)`x\\中文"
AGENT = "a1"


class Rig:
    """One phone and one gateway's worker; `order` gives what the worker made of one command."""

    def __init__(self, tmp_path: Path, mode: Mode = "canned", **state: Any) -> None:
        self.phone = make_phone(0)
        self.phone.identity.sdk = 33
        self.phone.lock_pin = OLD
        self.phone.auth = AuthMode.OPEN
        for name, value in state.items():
            setattr(self.phone, name, value)
        self.fleet = Fleet([self.phone], mode)
        self.key = X25519PrivateKey.generate()
        self.boxes = Boxes()
        self.box = Box(tmp_path / "spool.db")
        self.number = 0

    @contextmanager
    def up(self) -> Iterator[Rig]:
        with self.fleet:
            self.target = f"tcp:127.0.0.1:{self.fleet.ports[0]}"
            self.serials = Serials({self.target: self.phone.identity.serial})
            yield self
        self.box.database.close()

    def kind(self, what: lock.What, **changes: Any) -> LockKind:
        at_hand = PhoneAtHand(
            TransportOptions(), Hands(), self.serials, lambda: [self.target], steady, hand_wait_s=1.0
        )
        return LockKind(what, self.key, self.boxes, replace(at_hand, **changes))

    def worker(self, **changes: Any) -> CommandWorker:
        kinds = {name: self.kind(what, **changes) for name, what in lock.LOCK_KINDS.items()}
        return CommandWorker(
            Inbox(self.box.database, self.box.clock), kinds, self.box.clock, on_result=lambda: None
        )

    def command(
        self, kind: str = "check_lock", texts: dict[str, str] | None = None, **changes: Any
    ) -> wire.Command:
        self.number += 1
        made = wire.Command(
            f"c{self.number}", kind, AGENT, self.phone.identity.serial, tuple(self.phone.identity.imeis), {}, 60,
            wire.DANGER_PURPOSE,
        )  # fmt: skip
        made = replace(made, **changes)
        sealed = wire.seal_box(
            {"old": OLD} if texts is None else texts, self.key.public_key().public_bytes_raw(), command=made.id,
            agent=made.agent, serial=made.serial,
        )  # fmt: skip
        return replace(made, args={"order": "o1", "sealed": sealed, **made.args})

    def receive(self, command: wire.Command) -> None:
        with self.box.database.transaction() as db:
            receive(db, [self.boxes.put(command)], self.box.clock.now())

    def order(
        self, kind: str = "check_lock", texts: dict[str, str] | None = None, **changes: Any
    ) -> tuple[str, Any]:
        self.receive(self.command(kind, texts))
        worker = self.worker(**changes)
        assert worker.step() is True
        return self.result()

    def result(self) -> tuple[str, Any]:
        (told,) = self.box.send()["results"]
        return told["state"], told["detail"]


def settles(outcome: str, reason: str | None = None) -> tuple[str, dict[str, str]]:
    state = "failed" if outcome == "unknown" else "succeeded"
    return state, {"outcome": outcome, **({"reason": reason} if reason else {})}


def said(out: str, code: int | None = 255, err: str = "") -> CommandResult:
    return CommandResult(out.encode(), err.encode(), code, 0.0, 0.0)
