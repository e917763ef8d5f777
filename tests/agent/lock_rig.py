"""A simulated phone with a lock, and a gateway's worker that gets orders about it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from agent import lock, wire
from agent.commands import Kind
from agent.lock import LockKind
from agent.simulator.fleet import Mode
from agent.simulator.make import make_phone
from agent.simulator.state import AuthMode, PhoneState
from agent.transport import CommandResult, TransportOptions
from tests.support.orders import OrdersRig, Told

OLD, NEW = "73915462", "canary 9'\"$(id)`x\\中文"


class Rig(OrdersRig):
    def __init__(self, tmp_path: Path, mode: Mode = "canned", **state: Any) -> None:
        phone = make_phone(0)
        phone.identity.sdk, phone.lock_pin, phone.auth = 33, OLD, AuthMode.OPEN
        super().__init__(tmp_path, [phone], mode, **state)
        self.options = TransportOptions()
        self.changes: dict[str, Any] = {}

    @property
    def phone(self) -> PhoneState:
        return self.phones[0]

    @property
    def target(self) -> str:
        return self.targets[0]

    def kinds(self) -> dict[str, Kind]:
        return {name: self.kind(what, **self.changes) for name, what in lock.LOCK_KINDS.items()}

    def kind(self, what: lock.What, **changes: Any) -> LockKind:
        return LockKind(what, self.key, self.boxes, replace(self.at_hand, **changes))

    def command(
        self, kind: str = "check_lock", texts: dict[str, str] | None = None, **changes: Any
    ) -> wire.Command:
        made = self.make(kind, {}, expires_s=60, **changes)
        sealed = self.sealed(made, {"old": OLD} if texts is None else texts)
        return replace(made, args={"order": "o1", "sealed": sealed.args["sealed"], **made.args})

    def tried(self, kind: str = "check_lock", texts: dict[str, str] | None = None, **changes: Any) -> Told:
        """An order and what came of it; `changes` of how the phone is taken in hand."""
        self.changes = changes
        return self.order(self.command(kind, texts))


def settles(outcome: str, reason: str | None = None) -> tuple[str, dict[str, str]]:
    state = "failed" if outcome == "unknown" else "succeeded"
    return state, {"outcome": outcome, **({"reason": reason} if reason else {})}


def said(out: str, code: int | None = 255, err: str = "") -> CommandResult:
    return CommandResult(out.encode(), err.encode(), code, 0.0, 0.0)
