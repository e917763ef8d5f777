"""Queries of calls and tests. A call's state changes only by compare-and-set."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, exists, func, or_, select, text, update
from sqlalchemy.orm import Session, aliased

from app.dialling.model import IS_OPEN, DialCall, DialDraw, DialTest
from app.dialling.rules import PRIORITY, WITHDRAWN
from app.dialling.states import Event, State, advance
from app.kernel.db import insert_into
from app.kernel.errors import Conflict
from app.kernel.moving import change_if
from app.kernel.spans import holds_at
from app.kernel.tenancy import SYSTEM, Principal, within
from app.registry import Handset, KitAssignment, Number, Post, holders_of

CHUNK = 500


@dataclass(frozen=True)
class Kit:
    """Whose a phone is at an instant, and the number that reaches it then; None: there is nothing to call."""

    handset_id: uuid.UUID
    post_id: uuid.UUID
    post_name: str
    employee_id: uuid.UUID | None
    number_id: uuid.UUID | None
    e164: str | None


def insert_call(session: Session, values: Mapping[str, Any]) -> bool:
    """Put a phone on the list; False when it stands there."""
    new = insert_into(session, DialCall).values(**values)
    new = new.on_conflict_do_nothing(index_elements=["handset_id"], index_where=text(IS_OPEN))
    return session.scalar(new.returning(DialCall.id)) is not None


def raise_priority(
    session: Session, handset_id: uuid.UUID, source: str, cause: str, now: dt.datetime
) -> bool:
    """A call that stands further down moves up for a better reason."""
    moved = (
        update(DialCall)
        .where(
            DialCall.handset_id == handset_id,
            DialCall.state == State.OPEN,
            DialCall.priority > PRIORITY[source],
        )
        .values(source=source, priority=PRIORITY[source], cause=cause, opened_at=now)
    )
    found = moved.returning(DialCall.id).execution_options(synchronize_session=False)
    return session.execute(found).one_or_none() is not None


def find_call(session: Session, principal: Principal, call_id: uuid.UUID) -> DialCall | None:
    query = select(DialCall).where(DialCall.id == call_id, within(principal, DialCall.centre_id))
    return session.scalar(query.execution_options(populate_existing=True))


def open_call(session: Session, handset_id: uuid.UUID) -> DialCall | None:
    query = select(DialCall).where(DialCall.handset_id == handset_id, DialCall.state == State.OPEN)
    return session.scalar(query.execution_options(populate_existing=True))


def move(session: Session, call: DialCall, event: Event, **changes: Any) -> None:
    """Advance a call. Raise `Conflict` when it moved meanwhile or may not move so."""
    conflict = Conflict(
        "刚有人处理了这个号码，请刷新名单 / somebody dealt with it just now", code="call_state"
    )
    after = advance(State(call.state), event)
    change_if(session, call, ("state",), conflict, state=after, **changes)


def calls(
    session: Session, principal: Principal, centre_ids: Collection[uuid.UUID] | None, ended_since: dt.datetime
) -> Sequence[DialCall]:
    """The open calls, those with a suspicion first, and what was done since; of some or all of the caller's centres."""
    shown = or_(
        DialCall.state == State.OPEN, and_(DialCall.state == State.DONE, DialCall.ended_at >= ended_since)
    )
    query = select(DialCall).where(shown, within(principal, DialCall.centre_id))
    if centre_ids is not None:
        query = query.where(DialCall.centre_id.in_(centre_ids))
    return session.scalars(query.order_by(DialCall.priority, DialCall.opened_at, DialCall.id)).all()


def overdue(
    session: Session, centre_id: uuid.UUID, day: dt.date, asked_before: dt.datetime
) -> Sequence[DialCall]:
    """Open calls past their time: drawn ones of an earlier day, others that stand there for too long."""
    late = or_(
        and_(DialCall.source == "drawn", DialCall.day < day),
        and_(DialCall.source != "drawn", DialCall.opened_at < asked_before),
    )
    query = select(DialCall).where(DialCall.centre_id == centre_id, DialCall.state == State.OPEN, late)
    return session.scalars(query).all()


def has_asked(session: Session, centre_id: uuid.UUID) -> bool:
    """Whether a suspected phone waits to be called."""
    query = select(DialCall.id).where(
        DialCall.centre_id == centre_id, DialCall.state == State.OPEN, DialCall.source == "asked"
    )
    return session.scalar(query.limit(1)) is not None


def claim_draw(session: Session, values: Mapping[str, Any]) -> bool:
    """False when the lot of this centre and day was drawn before."""
    new = insert_into(session, DialDraw).values(**values).on_conflict_do_nothing()
    return session.execute(new.returning(DialDraw.centre_id)).one_or_none() is not None


def was_drawn(session: Session, centre_id: uuid.UUID, day: dt.date) -> bool:
    return session.get(DialDraw, (centre_id, day)) is not None


def live_phones(session: Session, centre_id: uuid.UUID) -> dict[uuid.UUID, dt.datetime]:
    """The phones in service, each with when it was registered."""
    query = select(Handset.id, Handset.created_at).where(
        Handset.centre_id == centre_id, Handset.retired_at.is_(None)
    )
    return {row.id: row.created_at for row in session.execute(query)}


def last_called(session: Session, centre_id: uuid.UUID) -> dict[uuid.UUID, dt.datetime]:
    """When each phone of a centre was called last, for whatever reason."""
    query = select(DialTest.handset_id, func.max(DialTest.at)).where(
        DialTest.centre_id == centre_id, DialTest.result != WITHDRAWN, standing()
    )
    return {row[0]: row[1] for row in session.execute(query.group_by(DialTest.handset_id))}


def kits(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID], at: dt.datetime
) -> dict[uuid.UUID, Kit]:
    """Post, employee and number of phones at an instant; phones at no post are absent."""
    held = holders_of(session, principal, handset_ids, at)
    posts = {custody.post_id for custody in held.values()}
    numbers: dict[uuid.UUID, tuple[uuid.UUID, str]] = {}
    wanted = sorted(posts)
    for start in range(0, len(wanted), CHUNK):
        query = (
            select(KitAssignment.post_id, Number.id, Number.e164)
            .join(Number, Number.id == KitAssignment.number_id)
            .where(
                KitAssignment.post_id.in_(wanted[start : start + CHUNK]),
                KitAssignment.voided_at.is_(None),
                holds_at(KitAssignment.valid_from, KitAssignment.valid_to, at),
            )
            .order_by(KitAssignment.valid_from, KitAssignment.id)
        )
        for post_id, number_id, e164 in session.execute(query):
            numbers.setdefault(post_id, (number_id, e164))
    return {
        handset_id: Kit(
            handset_id, c.post_id, c.post_name, c.employee_id, *(numbers.get(c.post_id, (None, None)))
        )
        for handset_id, c in held.items()
    }


def insert_test(session: Session, values: Mapping[str, Any]) -> DialTest:
    row = DialTest(**values)
    session.add(row)
    session.flush()
    return row


def insert_correction(session: Session, values: Mapping[str, Any]) -> bool:
    """False when somebody corrected the same record before."""
    new = insert_into(session, DialTest).values(**values).on_conflict_do_nothing(index_elements=["corrects"])
    return session.scalar(new.returning(DialTest.id)) is not None


def find_test(session: Session, principal: Principal, test_id: uuid.UUID) -> DialTest | None:
    return session.scalar(
        select(DialTest).where(DialTest.id == test_id, within(principal, DialTest.centre_id))
    )


def standing() -> ColumnElement[bool]:
    """Tests that no other took the place of."""
    later = aliased(DialTest)
    return ~exists().where(later.corrects == DialTest.id)


def facts(session: Session, handset_id: uuid.UUID) -> Sequence[DialTest]:
    query = select(DialTest).where(
        DialTest.handset_id == handset_id, DialTest.result != WITHDRAWN, standing()
    )
    return session.scalars(query.order_by(DialTest.at, DialTest.id)).all()


def tests_of_calls(session: Session, call_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, DialTest]:
    """The standing record of each call; a withdrawn one is none."""
    query = select(DialTest).where(DialTest.call_id.in_(call_ids), DialTest.result != WITHDRAWN, standing())
    return {row.call_id: row for row in session.scalars(query)}


def query_tests(
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    result: str | None = None,
    words: str = "",
    corrected: bool = False,
) -> Select[DialTest]:
    """With `corrected` also those that another took the place of, and those that were withdrawn."""
    found = select(DialTest).where(within(principal, DialTest.centre_id))
    if not corrected:
        found = found.where(standing())
        if result != WITHDRAWN:
            found = found.where(DialTest.result != WITHDRAWN)
    if centre_id:
        found = found.where(DialTest.centre_id == centre_id)
    if handset_id:
        found = found.where(DialTest.handset_id == handset_id)
    if result:
        found = found.where(DialTest.result == result)
    if words:
        found = found.where(
            or_(
                DialTest.e164.contains(words, autoescape=True),
                DialTest.handset_id.in_(select(Handset.id).where(_phone_is(words))),
                DialTest.post_id.in_(select(Post.id).where(Post.name.icontains(words, autoescape=True))),
            )
        )
    return found


def corrected_ids(session: Session, test_ids: Collection[uuid.UUID]) -> set[uuid.UUID]:
    query = select(DialTest.corrects).where(DialTest.corrects.in_(test_ids))
    return {found for found in session.scalars(query) if found is not None}


def _phone_is(words: str) -> ColumnElement[bool]:
    return or_(
        Handset.asset_tag.icontains(words, autoescape=True), Handset.serial.icontains(words, autoescape=True)
    )


def phones_like(
    session: Session, principal: Principal, words: str, at: dt.datetime, limit: int
) -> list[uuid.UUID]:
    """Phones in service by asset tag, serial, post or number."""
    posts = (
        select(KitAssignment.post_id)
        .join(Number, Number.id == KitAssignment.number_id)
        .where(Number.e164.contains(words, autoescape=True), KitAssignment.voided_at.is_(None))
        .where(holds_at(KitAssignment.valid_from, KitAssignment.valid_to, at))
    )
    named = select(Post.id).where(
        or_(Post.name.icontains(words, autoescape=True), Post.code.icontains(words, autoescape=True))
    )
    held = select(KitAssignment.handset_id).where(
        KitAssignment.voided_at.is_(None),
        holds_at(KitAssignment.valid_from, KitAssignment.valid_to, at),
        or_(KitAssignment.post_id.in_(posts), KitAssignment.post_id.in_(named)),
        KitAssignment.handset_id.is_not(None),
    )
    query = select(Handset.id).where(
        Handset.retired_at.is_(None),
        within(principal, Handset.centre_id),
        or_(_phone_is(words), Handset.id.in_(held)),
    )
    return list(session.scalars(query.order_by(Handset.asset_tag).limit(limit)))


def tags(session: Session, principal: Principal, handset_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Asset tags, retired phones too."""
    query = select(Handset.id, Handset.asset_tag).where(
        Handset.id.in_(handset_ids), within(principal, Handset.centre_id)
    )
    return {row.id: row.asset_tag for row in session.execute(query)}


def post_names(session: Session, post_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, str]:
    """Internal: of rows that the caller may see."""
    query = select(Post.id, Post.name).where(Post.id.in_(post_ids), within(SYSTEM, Post.centre_id))
    return {row.id: row.name for row in session.execute(query)}
