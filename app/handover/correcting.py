"""A completed record is never edited: what was wrong in it is put right by another one, linked and signed."""

from __future__ import annotations

import datetime as dt
import uuid

from sqlalchemy.orm import Session

from app.handover import store
from app.handover.items import MAX_WORDS
from app.handover.model import HandoverLeg
from app.handover.noting import note_leg
from app.handover.proposing import copy_record, latest_word
from app.handover.states import Leg, LegEvent
from app.handover.store import DESK
from app.kernel.errors import Conflict, FieldError, Invalid
from app.kernel.tenancy import Principal
from app.kernel.texts import one_line


def correct(
    session: Session, principal: Principal, leg_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> HandoverLeg:
    """A new leg in draft that says what the record says, to be put right and signed; it moves no custody.

    Raise `Conflict` for a leg that is not completed, and while another correction of it is open.
    """
    case, leg = store.find_leg(session, principal, leg_id, lock=True)
    principal.require_role(case.centre_id, *DESK)
    words = one_line(reason, MAX_WORDS)
    if not words:
        raise Invalid("请写明更正什么、为什么", fields=[FieldError("reason", "required", "必填 / required")])
    if leg.corrects_id is not None:
        leg = session.get_one(HandoverLeg, leg.corrects_id)
    if leg.state != Leg.COMPLETED:
        raise Conflict("签完的记录才需要更正 / only what is signed is corrected", code="handover_state")
    if any(row.state != Leg.COMPLETED for row in store.corrections_of(session, leg.id)):
        raise Conflict("已有一份更正在办理 / a correction of it is open", code="correction_open")
    row = HandoverLeg(
        centre_id=leg.centre_id, handover_id=leg.handover_id, number=leg.number, corrects_id=leg.id,
        correction=store.last_correction(session, leg.handover_id, leg.number) + 1, correction_reason=words,
        state=Leg.DRAFT, giver_id=leg.giver_id, giver_user=leg.giver_user, receiver_id=leg.receiver_id,
        receiver_user=leg.receiver_user, previous_id=leg.previous_id, scale=list(leg.scale), counts={},
        begun_at=now, rounds=0,
    )  # fmt: skip
    session.add(row)
    session.flush()
    copy_record(session, session.get_one(HandoverLeg, latest_word(session, leg.id)), row)
    note_leg(session, principal.user, row, "correct", now, reason=words, details={"corrects": str(leg.id)})
    return row


def drop_correction(
    session: Session, principal: Principal, leg_id: uuid.UUID, *, reason: str, now: dt.datetime
) -> HandoverLeg:
    """Give up a correction that is not signed; what was written of it stays."""
    case, leg = store.find_leg(session, principal, leg_id, lock=True)
    principal.require_role(case.centre_id, *DESK)
    words = one_line(reason, MAX_WORDS)
    if not words:
        raise Invalid("请写明原因", fields=[FieldError("reason", "required", "必填 / required")])
    if leg.corrects_id is None:
        raise Conflict("这不是更正 / it is no correction", code="handover_state")
    if leg.state in (Leg.SIGNING, Leg.HALF_SIGNED):
        row = store.open_round(session, leg)
        row.outcome, row.outcome_words, row.outcome_by, row.outcome_at = (
            "cancelled", words, principal.user, now,
        )  # fmt: skip
    store.move_leg(session, leg, LegEvent.CANCEL)
    note_leg(session, principal.user, leg, "drop_correction", now, reason=words)
    return leg
