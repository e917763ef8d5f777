"""Which phones are to be ruled again, and when. The rulings themselves are made in `app.incidents`."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import and_, func, or_, select, update
from sqlalchemy.orm import Session

from app.kernel.db import insert_into
from app.uptime.model import PhoneBoot, PhonePower, SettleQueue
from app.uptime.store import Columns, execute_rows, insert_from, is_postgres, json_rows, table_of

_NEWS: Columns = {
    "handset_id": "uuid",
    "centre_id": "uuid",
    "boot_id": "uuid",
    "grade": "text",
    "read_at": "bigint",
    "due_at": "bigint",
    "sure": "bigint",
}


def queue_settling(session: Session, phones: Mapping[uuid.UUID, uuid.UUID], at: dt.datetime) -> None:
    """Rule these phones again, not before `at`; `phones` gives each one's centre. The earlier of two times holds.

    Called in the transaction that takes in a fact, so that none is stored without being looked at.
    """
    if not phones:
        return
    rows = [{"handset_id": p, "centre_id": phones[p], "due_at": at, "waits": False} for p in sorted(phones)]
    session.execute(_sooner(is_postgres(session), insert_into(session, table_of(SettleQueue)).values(rows)))


def queue_news(session: Session, rows: Sequence[Mapping[str, Any]]) -> None:
    """Queue the phones to which what is about to be taken in may matter; call it before the boots are widened.

    A row a boot, named as in `_NEWS`: ids are 32 hexadecimal digits, instants microseconds; `read_at` the earliest
    dated reading or null, `sure` 1 for what matters in any case. A reading that only goes on where the phone's latest
    proof stands changes no ruling, unless an incident waits for it: that is nearly all of them, and they cost nothing.
    """
    execute_rows(session, _matters(is_postgres(session)), rows)


@cache
def _matters(postgres: bool) -> Any:
    """Made once: to put it together costs as much as to run it."""
    news = json_rows(postgres, _NEWS).subquery("news")
    power, boot, queue = table_of(PhonePower), table_of(PhoneBoot), table_of(SettleQueue)
    same_boot = and_(
        boot.c.handset_id == news.c.handset_id,
        boot.c.boot_id == news.c.boot_id,
        boot.c.grade == news.c.grade,
    )
    matters = or_(
        news.c.sure == 1,
        queue.c.waits.is_(True),
        power.c.boot_id.is_(None),
        power.c.boot_id != news.c.boot_id,
        boot.c.read_first.is_(None) & news.c.read_at.is_not(None),
        boot.c.read_first > news.c.read_at,
    )
    joined = (
        news.outerjoin(power, power.c.handset_id == news.c.handset_id)
        .outerjoin(queue, queue.c.handset_id == news.c.handset_id)
        .outerjoin(boot, same_boot)
    )
    phone, centre = news.c.handset_id, news.c.centre_id
    query = (
        joined.select()
        .with_only_columns(phone, centre, func.min(news.c.due_at))
        .where(matters)
        .group_by(phone, centre)
        .order_by(phone)
    )
    insert = insert_from(postgres, queue, ["handset_id", "centre_id", "due_at"], query)
    return _sooner(postgres, insert)


def take_due(
    session: Session, now: dt.datetime, limit: int, centre_id: uuid.UUID | None = None
) -> list[tuple[uuid.UUID, uuid.UUID]]:
    """Phones that are due, with their centres, longest due first; locked, without those that another rules now."""
    due = select(SettleQueue.handset_id, SettleQueue.centre_id).where(SettleQueue.due_at <= now)
    if centre_id is not None:
        due = due.where(SettleQueue.centre_id == centre_id)
    due = due.order_by(SettleQueue.due_at, SettleQueue.handset_id).limit(limit)
    return [(row[0], row[1]) for row in session.execute(due.with_for_update(skip_locked=True))]


def hold_phone(session: Session, handset_id: uuid.UUID, centre_id: uuid.UUID, now: dt.datetime) -> None:
    """Wait until nobody else rules this phone, and keep others from it until the transaction ends."""
    queue_settling(session, {handset_id: centre_id}, now)
    session.execute(
        select(SettleQueue.handset_id).where(SettleQueue.handset_id == handset_id).with_for_update()
    )


def put_back(session: Session, handset_id: uuid.UUID, due_at: dt.datetime, *, waits: bool) -> int:
    """When a phone that was ruled, and is still held, is looked at next. How often in a row it had failed before."""
    queue = select(SettleQueue.failures).where(SettleQueue.handset_id == handset_id)
    failed = session.scalar(queue) or 0
    values = {"due_at": due_at, "waits": waits, "failures": 0}
    session.execute(update(SettleQueue).where(SettleQueue.handset_id == handset_id).values(values))
    return failed


def put_off(session: Session, handset_id: uuid.UUID, due_at: dt.datetime) -> int:
    """When a phone that could not be ruled, and is still held, is tried next. How often in a row it has failed now."""
    done = session.scalar(
        update(SettleQueue)
        .where(SettleQueue.handset_id == handset_id)
        .values(due_at=due_at, failures=SettleQueue.failures + 1)
        .returning(SettleQueue.failures)
    )
    return done or 0


def queued_phones(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> set[uuid.UUID]:
    """Phones of a centre of which something came in that no ruling has looked at yet, or that could not be ruled."""
    waits = or_(SettleQueue.due_at <= now, SettleQueue.failures > 0)
    return set(
        session.scalars(select(SettleQueue.handset_id).where(SettleQueue.centre_id == centre_id, waits))
    )


def _sooner(postgres: bool, insert: Any) -> Any:
    old, new = table_of(SettleQueue).c, insert.excluded
    least = func.least if postgres else func.min
    # Without the condition each of them would write the row anew, and wait for whoever rules that phone now.
    return insert.on_conflict_do_update(
        index_elements=["handset_id"],
        set_={"due_at": least(old.due_at, new.due_at), "centre_id": new.centre_id},
        where=new.due_at < old.due_at,
    )
