"""What of handovers a caller may read, and what he may do with them now."""

from __future__ import annotations

import uuid

from sqlalchemy.orm import Session

from app.handover import store
from app.handover.items import is_side, may_be_witnessed
from app.handover.model import (
    Handover,
    HandoverException,
    HandoverItem,
    HandoverLeg,
    HandoverPhoto,
    HandoverRound,
    HandoverSignature,
    HandoverTest,
)
from app.handover.states import FROZEN_LEGS, Case, Leg
from app.handover.store import DESK
from app.kernel.errors import NotFound
from app.kernel.tenancy import Principal


def find(session: Session, principal: Principal, handover_id: uuid.UUID) -> Handover:
    """Raise `NotFound`, also for one that the caller may not see."""
    return store.find(session, principal, handover_id)


def find_leg(session: Session, principal: Principal, leg_id: uuid.UUID) -> tuple[Handover, HandoverLeg]:
    """A leg with its case: for staff of the centre, and for the employee who is a side of it. Raise `NotFound`."""
    return store.find_leg(session, principal, leg_id)


def legs_of(session: Session, principal: Principal, handover_id: uuid.UUID) -> list[HandoverLeg]:
    """Those that the caller may read, in their order, corrections behind what they correct."""
    case = store.find(session, principal, handover_id)
    staff = principal.may(case.centre_id, *store.VIEWERS)
    own = principal.employee
    legs = store.legs_of(session, case.id)
    return [leg for leg in legs if staff or (own is not None and own in (leg.giver_id, leg.receiver_id))]


def items_of(session: Session, leg_id: uuid.UUID, *, removed: bool = False) -> list[HandoverItem]:
    return store.items_of(session, leg_id, removed=removed)


def photos_of(session: Session, item_ids: list[uuid.UUID]) -> dict[uuid.UUID, list[HandoverPhoto]]:
    return store.photos_of(session, item_ids)


def photo_in(session: Session, principal: Principal, leg_id: uuid.UUID, sha256: str) -> str:
    """The name of a picture or drawn signature of a leg that the caller may read. Raise `NotFound`."""
    store.find_leg(session, principal, leg_id)
    if not store.has_picture(session, leg_id, sha256):
        raise NotFound("没有这张图片 / no such picture")
    return sha256


def hand_tests_of(session: Session, leg_id: uuid.UUID) -> list[HandoverTest]:
    return store.tests_of(session, leg_id)


def exceptions_of(session: Session, leg_id: uuid.UUID) -> list[HandoverException]:
    return store.exceptions_of(session, leg_id)


def rounds_of(session: Session, leg_id: uuid.UUID) -> list[HandoverRound]:
    """Every text that was put up, the declined ones too."""
    return store.rounds_of(session, leg_id)


def signatures_of(session: Session, round_id: uuid.UUID) -> list[HandoverSignature]:
    return store.signatures_of(session, round_id)


def acts(session: Session, principal: Principal, case: Handover, leg: HandoverLeg | None) -> frozenset[str]:
    """What the caller may do now, for the buttons of a page; each act checks it again."""
    desk = principal.may(case.centre_id, *DESK)
    found: set[str] = set()
    if desk and case.state == Case.OPEN:
        found |= _case_acts(session, case)
    if leg is None:
        return frozenset(found)
    sides = [side for side in ("giver", "receiver") if is_side(principal, leg, side)]
    if leg.state == Leg.DRAFT:
        found |= {f"except_{side}" for side in (("giver", "receiver") if desk else sides)}
        found |= {"edit", "freeze"} if desk else set()
    if leg.state in FROZEN_LEGS:
        found |= _frozen_acts(session, leg, sides, desk=desk)
    if desk and leg.state == Leg.COMPLETED:
        found.add("correct")
    if desk and leg.corrects_id is not None and leg.state in (Leg.DRAFT, *FROZEN_LEGS):
        found.add("drop_correction")
    return frozenset(found)


def _case_acts(session: Session, case: Handover) -> set[str]:
    legs = [leg for leg in store.legs_of(session, case.id) if leg.corrects_id is None]
    done = any(leg.state == Leg.COMPLETED for leg in legs)
    found = {"reschedule"}
    found.add("conclude" if done else "cancel")
    if case.kind != "return" and legs[-1].state in (Leg.WAITING, Leg.DRAFT):
        found.add("name_receiver")
    if all(leg.state in (Leg.WAITING, Leg.DRAFT, Leg.COMPLETED) for leg in legs):
        found.add("set_lead")
    return found


def _frozen_acts(session: Session, leg: HandoverLeg, sides: list[str], *, desk: bool) -> set[str]:
    row = store.open_round(session, leg)
    signed = {signature.side for signature in store.signatures_of(session, row.id)}
    found = {"unfreeze"} if desk else set()
    for side in ("giver", "receiver"):
        if desk or side in sides:
            found.add(f"decline_{side}")
            if side not in signed:
                # At the desk's own screen the other side may sign too, by his own name and password.
                found.add(f"sign_{side}")
            if desk and side not in signed and may_be_witnessed(session, leg, side):
                found.add(f"witness_{side}")
    return found
