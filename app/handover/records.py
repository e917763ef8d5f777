"""What completed handovers say: who received what when, and what changed in whose custody (R04, R08)."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.handover import store
from app.handover.model import Handover, HandoverLeg
from app.handover.proposing import handsets_of, item_states, states_of
from app.handover.rules import (
    Change,
    InCustody,
    ItemState,
    Stretch,
    blamed,
    custody_between,
    difference,
)
from app.handover.states import Case, Leg
from app.kernel.tenancy import SYSTEM, Principal
from app.people import names_of
from app.registry import RESOURCES, Employee, PostHolding, history_of, ties_of


@dataclass(frozen=True)
class LegRecord:
    """A completed leg. `giver`, `receiver` are names; `items` as its latest correction tells them."""

    leg_id: uuid.UUID
    handover_id: uuid.UUID
    post_id: uuid.UUID
    centre_id: uuid.UUID
    kind: str
    number: int
    at: dt.datetime
    giver: str
    giver_id: uuid.UUID | None
    receiver: str
    receiver_id: uuid.UUID | None
    paper_id: uuid.UUID | None
    items: tuple[ItemState, ...]


def received_at(session: Session, post_id: uuid.UUID) -> dt.datetime | None:
    """When the present holder of a post signed for its kit: R08's clock. None for a post that nobody holds, and for a
    holder who never signed. Internal: the caller may see the post.
    """
    ties: list[PostHolding] = ties_of(session, RESOURCES["post-holdings"], "post_id", post_id)
    holding = next((tie for tie in ties if tie.valid_to is None), None)
    if holding is None:
        return None
    legs = store.completed_legs(session, post_id=post_id, limit=50)
    # A later receipt by the same person (a phone changed) does not begin the month anew, and one from an earlier time
    # at this post is not this one's.
    receipts = [
        leg.completed_at
        for leg in legs
        if leg.receiver_id == holding.employee_id
        and leg.completed_at
        and leg.completed_at >= holding.valid_from
    ]
    return min(receipts, default=None)


def open_handovers(
    session: Session,
    principal: Principal,
    *,
    handset_id: uuid.UUID | None = None,
    post_id: uuid.UUID | None = None,
    employee_id: uuid.UUID | None = None,
) -> list[Handover]:
    """The cases that are not ended, of one phone, post or person, the first due first."""
    query = store.cases(
        principal, state=Case.OPEN, handset_id=handset_id, post_id=post_id, employee_id=employee_id
    )
    return list(session.scalars(query.order_by(Handover.due_at, Handover.id)))


def last_records(session: Session, handset_id: uuid.UUID, *, limit: int = 20) -> list[LegRecord]:
    """The completed records of a phone, the latest first. Internal: the caller may see the phone."""
    return [
        record_of(session, leg)
        for leg in store.completed_legs(session, handset_ids=[handset_id], limit=limit)
    ]


def record_of(session: Session, leg: HandoverLeg) -> LegRecord:
    case = session.get_one(Handover, leg.handover_id)
    assert leg.completed_at is not None
    return LegRecord(
        leg_id=leg.id, handover_id=case.id, post_id=case.post_id, centre_id=leg.centre_id, kind=case.kind,
        number=leg.number, at=leg.completed_at, giver=name_of(session, leg.giver_id, leg.giver_user),
        giver_id=leg.giver_id, receiver=name_of(session, leg.receiver_id, leg.receiver_user),
        receiver_id=leg.receiver_id, paper_id=leg.paper_id, items=tuple(states_of(session, leg.id)),
    )  # fmt: skip


def name_of(session: Session, employee_id: uuid.UUID | None, user: str | None) -> str:
    """A side's name: of the employee with his number, or of the user."""
    if employee_id is not None:
        row = session.get_one(Employee, employee_id)
        return f"{row.name}（{row.number}）"
    return names_of(session, [user])[user] if user else ""


def differences_of(session: Session, principal: Principal, leg_id: uuid.UUID) -> list[Change]:
    """Against the record before it, each with in whose custody it came about; empty for the first record of a kit.

    Raise `NotFound` for a leg that the caller may not see.
    """
    _, leg = store.find_leg(session, principal, leg_id)
    return changes_of(session, leg)


def changes_of(session: Session, leg: HandoverLeg) -> list[Change]:
    """As `differences_of`. Internal."""
    if leg.previous_id is None:
        return []
    before = session.get_one(HandoverLeg, leg.previous_id)
    after = states_of(session, leg.id) if leg.state == Leg.COMPLETED else item_states(session, leg.id)
    changes = difference(states_of(session, before.id), after, scale=leg.scale)
    known = set(handsets_of(store.items_of(session, before.id)))
    here = handsets_of(store.items_of(session, leg.id))
    told = blamed(changes, _custody(session, before, leg, [i for i in here if i in known] or here))
    # A phone that came to this post from another has its last record there.
    strangers = {f"handset:{i}": i for i in here if i not in known}
    return [
        _by_own_record(session, leg, change, strangers[change.key]) if change.key in strangers else change
        for change in told
    ]


def _by_own_record(session: Session, leg: HandoverLeg, change: Change, handset_id: uuid.UUID) -> Change:
    told = _told(session, leg)
    found = store.completed_legs(session, handset_ids=[handset_id], before=told.begun_at)
    if not found or change.after is None:
        return change
    before = [state for state in states_of(session, found[0].id) if state.key == change.key]
    (own,) = blamed(
        difference(before, [change.after], scale=leg.scale), _custody(session, found[0], leg, [handset_id])
    )
    return own


def _told(session: Session, leg: HandoverLeg) -> HandoverLeg:
    """A correction tells of the hour it corrects: whoever has had the kit since then has nothing to do with it."""
    return leg if leg.corrects_id is None else session.get_one(HandoverLeg, leg.corrects_id)


def _custody(
    session: Session, before: HandoverLeg, leg: HandoverLeg, handset_ids: Sequence[uuid.UUID]
) -> InCustody:
    assert before.completed_at is not None
    name = name_of(session, before.receiver_id, before.receiver_user)
    receiver = InCustody(before.receiver_id, name, before.completed_at, None)
    until = _told(session, leg).completed_at
    stretches = [
        Stretch(part.employee_id, part.employee_name or "", part.since, part.until)
        for handset_id in handset_ids
        for part in history_of(session, SYSTEM, handset_id)
    ]
    return custody_between(receiver, stretches, until)
