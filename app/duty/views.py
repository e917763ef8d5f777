"""Delegations and excuses as people see them: with names, and what the reader may do."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.duty import store
from app.duty.delegations import DESK
from app.duty.excuses import APPROVERS, FILERS
from app.duty.messages import REASONS
from app.duty.model import Delegation, Excuse
from app.duty.states import IN_FORCE_EXCUSES, STATE_WORDS
from app.duty.states import Delegation as DState
from app.duty.states import Excuse as EState
from app.kernel.tenancy import Principal
from app.people import names_of, user_of_employee
from app.registry import Employee, Handset, Post

BADGES = {
    DState.PROPOSED: "busy", DState.ACCEPTED: "good", DState.DECLINED: "bad", EState.PENDING: "busy",
    EState.APPROVED: "good", EState.REJECTED: "bad",
}  # fmt: skip


@dataclass(frozen=True)
class DelegationLine:
    """`acts`: what the one who looks may do now; `on_behalf`: he would answer for somebody who has no user."""

    row: Delegation
    tag: str
    giver: str
    from_post: str
    to_post: str
    taker: str
    created_by: str
    badge: str
    word: str
    in_force: bool
    acts: tuple[str, ...]
    on_behalf: bool


@dataclass(frozen=True)
class ExcuseLine:
    row: Excuse
    tag: str
    reason: str
    filed_by: str
    decided_by: str
    badge: str
    word: str
    in_force: bool
    acts: tuple[str, ...]


def delegation_lines(
    session: Session, principal: Principal, rows: Sequence[Delegation], now: dt.datetime
) -> list[DelegationLine]:
    tags = store.labels(session, Handset, {r.handset_id for r in rows})
    posts = store.labels(session, Post, {p for r in rows for p in (r.from_post_id, r.to_post_id)})
    holders = {r.id: store.holder_of_post(session, r.to_post_id, now) for r in rows if r.delegate_id is None}
    known = {e for r in rows for e in (r.giver_id, r.delegate_id) if e is not None}
    people = store.labels(session, Employee, known)
    actors = names_of(session, {r.created_by for r in rows})
    lines = []
    for row in rows:
        holder = holders.get(row.id)
        taker = people[row.delegate_id] if row.delegate_id else holder.name if holder else "无人在岗"
        for_him = _answers_for(session, principal, row, holder.id if holder else None)
        lines.append(
            DelegationLine(
                row=row,
                tag=tags[row.handset_id],
                giver=people[row.giver_id],
                from_post=posts[row.from_post_id],
                to_post=posts[row.to_post_id],
                taker=taker,
                created_by=actors.get(row.created_by, ""),
                badge=BADGES.get(DState(row.state), "quiet"),
                word=STATE_WORDS["Delegation", row.state],
                in_force=_in_force(row, now),
                acts=_delegation_acts(principal, row, for_him is not None, now),
                on_behalf=bool(for_him),
            )
        )
    return lines


def _in_force(row: Delegation, now: dt.datetime) -> bool:
    spans = row.force_from is not None and row.force_to is not None and row.force_from <= now < row.force_to
    return row.state == DState.ACCEPTED and spans


def _answers_for(
    session: Session, principal: Principal, row: Delegation, holder_id: uuid.UUID | None
) -> bool | None:
    """None: he may not answer; False: as himself; True: on behalf of one who has no user."""
    if row.state != DState.PROPOSED or holder_id is None or holder_id == row.giver_id:
        return None
    if principal.employee == holder_id:
        return False
    if not principal.may(row.centre_id, *DESK) or user_of_employee(session, holder_id) is not None:
        return None
    other = principal.user != row.created_by and principal.employee != row.giver_id
    return True if other else None


def _delegation_acts(
    principal: Principal, row: Delegation, answers: bool, now: dt.datetime
) -> tuple[str, ...]:
    desk, me = principal.may(row.centre_id, *DESK), principal.employee
    both = tuple(e for e in (row.giver_id, row.delegate_id) if e is not None)
    if row.state == DState.PROPOSED:
        own = ("withdraw",) if desk or me == row.giver_id else ()
        return (("accept", "decline", *own) if row.ends_at > now else ("decline", *own)) if answers else own
    acts: tuple[str, ...] = ()
    if row.state == DState.ACCEPTED and row.ends_at > now and (desk or (me is not None and me in both)):
        acts = ("return",)
    if row.state in (DState.ACCEPTED, DState.RETURNED, DState.ENDED) and desk and me not in both:
        acts = (*acts, "void")
    return acts


def excuse_lines(
    session: Session, principal: Principal, rows: Sequence[Excuse], now: dt.datetime
) -> list[ExcuseLine]:
    tags = store.labels(session, Handset, {r.handset_id for r in rows})
    actors = names_of(session, {a for r in rows for a in (r.filed_by, r.decided_by) if a})
    return [
        ExcuseLine(
            row=row,
            tag=tags[row.handset_id],
            reason=REASONS[row.reason],
            filed_by=actors.get(row.filed_by, ""),
            decided_by=actors.get(row.decided_by or "", ""),
            badge=BADGES.get(EState(row.state), "quiet"),
            word=STATE_WORDS["Excuse", row.state],
            in_force=_excuses(row, now),
            acts=_excuse_acts(principal, row, now),
        )
        for row in rows
    ]


def _excuses(row: Excuse, now: dt.datetime) -> bool:
    inside = row.starts_at <= now and (row.ends_at is None or now < row.ends_at)
    return row.state in IN_FORCE_EXCUSES and inside


def _excuse_acts(principal: Principal, row: Excuse, now: dt.datetime) -> tuple[str, ...]:
    """That its custodian may not approve is checked by the act itself: it asks the registry of that day."""
    mine, desk = principal.user == row.filed_by, principal.may(row.centre_id, *APPROVERS)
    if row.state == EState.PENDING:
        own = ("withdraw",) if mine or desk else ()
        return ("approve", "reject", *own) if desk and not mine else own
    acts: tuple[str, ...] = ()
    running = row.ends_at is None or row.ends_at > now
    if row.state == EState.APPROVED and running and principal.may(row.centre_id, *FILERS):
        acts = ("close",)
    if row.state in IN_FORCE_EXCUSES and desk and not mine:
        acts = (*acts, "void")
    return acts
