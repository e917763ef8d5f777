"""A lost phone that a gateway meets again: people are told at once. Nothing is done to the phone by itself."""

from __future__ import annotations

import datetime as dt

from sqlalchemy.orm import Session

from app.hardware import store
from app.hardware.loss_rules import SEEN
from app.hardware.model import HardwareCase
from app.hardware.noting import ask, write_step
from app.hardware.tools import SUBJECT, case_path
from app.kernel.tenancy import SYSTEM
from app.notify import Recipients, tell
from app.policy import PolicyFiles, effective
from app.readings import PhoneNow, phone_states
from app.registry import Handset

_SWEEP = 500


def look_for_lost(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Ask about each lost phone that was read since its loss, at most once in policy's hours. How many were met."""
    met, after = 0, None
    while rows := store.still_lost(session, after, _SWEEP):
        after = rows[-1].id
        states = phone_states(session, SYSTEM, [row.handset_id for row in rows])
        met += sum(_look(session, policies, row, states.get(row.handset_id), now) for row in rows)
    return met


def _look(
    session: Session, policies: PolicyFiles, case: HardwareCase, state: PhoneNow | None, now: dt.datetime
) -> bool:
    if state is None or state.at is None or state.at <= case.created_at:
        return False
    hours = effective(session, policies, SUBJECT, case.centre_id).body["lost_seen_hours"]
    last = store.last_step(session, case.id, "seen")
    if last is not None and (state.at <= last.at or now < last.at + dt.timedelta(hours=hours)):
        return False
    _tell(session, case, state, now)
    return True


def _tell(session: Session, case: HardwareCase, state: PhoneNow, now: dt.datetime) -> None:
    phone = session.get_one(Handset, case.handset_id)
    write_step(
        session, SYSTEM, case, "seen", f"在 {state.target or '网关'} 上读到", now, read_at=str(state.at)
    )
    ask(
        session,
        case,
        SEEN.what,
        SEEN.title,
        now,
        roles=SEEN.roles,
        body=SEEN.how,
        due_at=now,
        kind="lost_phone",
    )
    tell(
        session, key=f"hardware:{case.id}:seen:{int(now.timestamp())}", kind="hardware", centre_id=case.centre_id,
        to=Recipients(roles=SEEN.roles), title=f"{SEEN.title}：{phone.asset_tag}", body=SEEN.how,
        link=case_path(case.id), urgent=True, now=now,
    )  # fmt: skip
