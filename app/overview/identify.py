"""Which of these phones is it? Asks one to light up, and tells what came of it."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.commands import ACTIVE, Command, State, enqueue, list_commands
from app.kernel.tenancy import Principal
from app.overview.words import UNREACHED
from app.registry import Handset, find_handset

KIND = "identify_phone"
BEACONS = ("operations", "lead", "it")
_MAX_LABEL = 40
SIGNALS: Mapping[str, str] = {
    "screen": "屏幕亮起", "brightness": "屏幕明暗闪动", "vibrate": "震动", "notification": "通知栏显示资产编号",
}  # fmt: skip


@dataclass(frozen=True)
class Beacon:
    """The last time that the phone was asked. `did`, `failed`: in words, as its gateway told; `why`: why it could not.

    `stage`: `waiting` for a gateway, `sent` to one, `lit`, `dark` (it was reached and could do nothing), `later` (it is
    tried again), `failed`, `over` (nobody took it in time).
    """

    command_id: uuid.UUID
    stage: str
    at: dt.datetime
    until: dt.datetime
    did: tuple[str, ...]
    failed: tuple[str, ...]
    why: str

    @property
    def active(self) -> bool:
        return self.stage in ("waiting", "sent", "later")


def light_up(session: Session, principal: Principal, handset_id: uuid.UUID, now: dt.datetime) -> Command:
    """Ask it, once while an earlier asking is not done. Raise `NotFound`, `Forbidden`, `Conflict` (retired)."""
    handset = find_handset(session, principal, handset_id)
    principal.require_role(handset.centre_id, *BEACONS)
    label = {"label": handset.asset_tag[:_MAX_LABEL]}
    command, _ = enqueue(session, principal, handset.id, KIND, label, now=now)
    return command


def last_beacon(session: Session, principal: Principal, handset: Handset) -> Beacon | None:
    page = list_commands(session, principal, kind=KIND, handset_id=handset.id, limit=1)
    return beacon_of(page.items[0]) if page.items else None


def beacon_of(command: Command) -> Beacon:
    detail = (command.result or {}).get("detail")
    told: Mapping[str, Any] = detail if isinstance(detail, dict) else {}
    did, failed = _signals(told.get("did")), _signals(told.get("failed"))
    reason = told.get("reason")
    return Beacon(
        command_id=command.id,
        stage=_stage(command.state, bool(did)),
        at=command.finished_at or command.leased_at or command.created_at,
        until=command.expires_at,
        did=did,
        failed=failed,
        why=UNREACHED.get(str(reason), str(reason)) if reason else "",
    )


def _stage(state: str, lit: bool) -> str:
    if state in ACTIVE:
        return {State.QUEUED.value: "waiting", State.NOT_NOW.value: "later"}.get(state, "sent")
    if state == State.SUCCEEDED:
        return "lit" if lit else "dark"
    return "failed" if state == State.FAILED else "over"


def _signals(codes: object) -> tuple[str, ...]:
    """What an agent says is shown as text, whatever it is."""
    listed = codes if isinstance(codes, list) else []
    return tuple(SIGNALS.get(str(code), str(code)[:_MAX_LABEL]) for code in listed[: len(SIGNALS) * 2])
