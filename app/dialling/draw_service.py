"""The list of the day: drawn once for each centre, from chance that nobody can foresee, and cleared when it is over."""

from __future__ import annotations

import datetime as dt
import random
import uuid

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.dialling import store
from app.dialling.rules import PRIORITY, draw, how_many, local_day, may_draw
from app.dialling.service import keep_task
from app.dialling.states import Event, State
from app.kernel.errors import Conflict
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM
from app.policy import Policy

_DAY = dt.timedelta(days=1)


def draw_centre(session: Session, centre_id: uuid.UUID, policy: Policy, now: dt.datetime) -> int:
    """Draw a centre's list of today, once its hour has come; 0 when that was done, or no phone can be called.

    Only phones that are at a post with a number take part. `policy`: the centre's `dialling`.
    """
    day, body = local_day(now), policy.body
    if not may_draw(now, body["draw_hour"]) or store.was_drawn(session, centre_id, day):
        return 0
    rested = _rested(session, centre_id, now)
    number = how_many(len(rested), body["calls_a_day"], body["at_least_every_days"])
    # The operating system's chance, not a seeded one: whoever knew the seed would know tomorrow's list.
    drawn = draw(rested, number, body["at_least_every_days"], random.SystemRandom())
    values = {
        "centre_id": centre_id, "day": day, "at": now, "phones": len(rested), "drawn": len(drawn),
        "policy_sha256": policy.sha256,
    }  # fmt: skip
    if not store.claim_draw(session, values):
        return 0
    for handset_id in drawn:
        call = {
            "id": new_id(), "centre_id": centre_id, "handset_id": handset_id, "source": "drawn",
            "priority": PRIORITY["drawn"], "cause": "", "day": day, "state": State.OPEN, "opened_at": now,
        }  # fmt: skip
        store.insert_call(session, call)  # one that is on the list for a better reason stays there for that
    record(
        session,
        AuditEvent(
            at=now, actor=SYSTEM.user, action="dialling.draw", object=f"dial_draw:{day}", centre_id=centre_id,
            details={"phones": len(rested), "drawn": len(drawn), "policy": policy.sha256},
        ),
    )  # fmt: skip
    return len(drawn)


def _rested(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> dict[uuid.UUID, float]:
    """Days since each phone that can be called was called last, or was registered."""
    phones = store.live_phones(session, centre_id)
    called = store.last_called(session, centre_id)
    kits = store.kits(session, SYSTEM, list(phones), now)
    callable_ = [phone for phone, kit in kits.items() if kit.e164 is not None and phone in phones]
    return {phone: (now - called.get(phone, phones[phone])) / _DAY for phone in callable_}


def lapse_centre(session: Session, centre_id: uuid.UUID, policy: Policy, now: dt.datetime) -> int:
    """Take calls off the list that nobody made in their time; how many."""
    asked_before = now - dt.timedelta(hours=policy.body["asked_hours"])
    gone = 0
    for call in store.overdue(session, centre_id, local_day(now), asked_before):
        try:
            store.move(session, call, Event.LAPSE, ended_at=now, ended_by=SYSTEM.user)
        except Conflict:
            continue  # it was made in this moment
        gone += 1
    if gone:
        keep_task(session, centre_id, SYSTEM.user, now)
    return gone
