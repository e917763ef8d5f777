"""Queries of the stretches."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import String, Uuid, column, delete, func, or_, select, table, type_coerce, update
from sqlalchemy.orm import Session

from app.kernel.db import UtcDateTime, insert_into
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal, within
from app.observers.model import IntakeSample, ObserverSpan, WatchedBy
from app.observers.rules import TOUCH, Limits, Stretch, limits_of, union
from app.registry import ServiceCentre

SERVER, INTAKE = "server", "intake"
# Only incidents are open; what is up ends with its last proof.
_END = type_coerce(ObserverSpan.end_at, UtcDateTime())
# By name, not by class: the fleet's check-in stands above this room and hands it the beats.
_AGENT = table(
    "agent",
    column("id", Uuid()),
    column("centre_id", Uuid()),
    column("name", String()),
    column("kind", String()),
    column("enrolled_at", UtcDateTime()),
    column("revoked_at", UtcDateTime()),
)


@dataclass(frozen=True)
class Centre:
    id: uuid.UUID
    name: str


@dataclass(frozen=True)
class Gateway:
    id: uuid.UUID
    name: str
    enrolled_at: dt.datetime
    revoked_at: dt.datetime | None


def agent_name(agent_id: uuid.UUID) -> str:
    return f"agent:{agent_id}"


def site_name(centre_id: uuid.UUID) -> str:
    return f"site:{centre_id}"


def prove_up(
    session: Session, observer: str, centre_id: uuid.UUID | None, stretches: Sequence[Stretch]
) -> None:
    """Join stretches with those that stand; the rows come out the same for any order and any batches."""
    for stretch in union(stretches):
        touching = select(ObserverSpan).where(
            ObserverSpan.observer == observer,
            ObserverSpan.state == "up",
            ObserverSpan.end_at >= stretch.start - TOUCH,
            ObserverSpan.start_at <= stretch.end + TOUCH,
        )
        rows = session.scalars(touching.order_by(ObserverSpan.start_at)).all()
        if not rows:
            add_span(session, observer, centre_id, "up", stretch.start, stretch.end)
            continue
        first, *others = rows
        first.start_at = min(first.start_at, stretch.start)
        first.end_at = max([stretch.end, *[row.end_at for row in rows if row.end_at is not None]])
        for row in others:
            session.delete(row)
        session.flush()


def add_span(
    session: Session,
    observer: str,
    centre_id: uuid.UUID | None,
    state: str,
    start: dt.datetime,
    end: dt.datetime | None,
    reason: str | None = None,
) -> None:
    values = {
        "id": new_id(), "observer": observer, "centre_id": centre_id, "state": state, "start_at": start,
        "end_at": end, "reason": reason,
    }  # fmt: skip
    session.execute(insert_into(session, ObserverSpan).values(values))


def note_down(
    session: Session, observer: str, centre_id: uuid.UUID, at: dt.datetime, reason: str, near: dt.timedelta
) -> None:
    """A beat that said down: one more of a row of the same reason that lies near, else a row of its own."""
    found = session.scalar(
        select(ObserverSpan)
        .where(
            ObserverSpan.observer == observer,
            ObserverSpan.state == "down",
            ObserverSpan.reason == reason,
            ObserverSpan.end_at >= at - near,
            ObserverSpan.start_at <= at + near,
        )
        .limit(1)
    )
    if found is None:
        add_span(session, observer, centre_id, "down", at, at, reason)
        return
    found.start_at = min(found.start_at, at)
    found.end_at = max(found.end_at or at, at)
    session.flush()


def ups_of(session: Session, observer: str, start: dt.datetime, end: dt.datetime) -> list[Stretch]:
    """Proved stretches that share an instant with `[start, end]`, in order."""
    query = select(ObserverSpan.start_at, _END).where(
        ObserverSpan.observer == observer,
        ObserverSpan.state == "up",
        ObserverSpan.end_at >= start,
        ObserverSpan.start_at <= end,
    )
    return [Stretch(*row) for row in session.execute(query.order_by(ObserverSpan.start_at))]


def last_up(session: Session, observer: str) -> Stretch | None:
    query = select(ObserverSpan.start_at, _END).where(
        ObserverSpan.observer == observer, ObserverSpan.state == "up"
    )
    row = session.execute(query.order_by(ObserverSpan.end_at.desc()).limit(1)).first()
    return None if row is None else Stretch(*row)


def first_up(session: Session, observer: str) -> dt.datetime | None:
    query = select(func.min(ObserverSpan.start_at)).where(
        ObserverSpan.observer == observer, ObserverSpan.state == "up"
    )
    return session.scalar(query)


def downs_of(
    session: Session, observers: Collection[str], start: dt.datetime, end: dt.datetime
) -> Sequence[ObserverSpan]:
    """Rows that say down and share an instant with `[start, end]`, in order."""
    query = select(ObserverSpan).where(
        ObserverSpan.observer.in_(observers),
        ObserverSpan.state == "down",
        ObserverSpan.start_at <= end,
        or_(ObserverSpan.end_at.is_(None), ObserverSpan.end_at >= start),
    )
    return session.scalars(query.order_by(ObserverSpan.start_at)).all()


def open_down(session: Session, observer: str) -> ObserverSpan | None:
    query = select(ObserverSpan).where(
        ObserverSpan.observer == observer, ObserverSpan.state == "down", ObserverSpan.end_at.is_(None)
    )
    return session.scalar(query.limit(1))


def gateways(session: Session, centre_id: uuid.UUID) -> list[Gateway]:
    """The centre's gateways by name, the revoked ones too: an agent on a phone observes nothing but that phone."""
    query = select(_AGENT).where(_AGENT.c.centre_id == centre_id, _AGENT.c.kind == "gateway")
    return [
        Gateway(row.id, row.name, row.enrolled_at, row.revoked_at)
        for row in session.execute(query.order_by(_AGENT.c.name, _AGENT.c.id))
    ]


def gateway_names(session: Session, principal: Principal) -> dict[uuid.UUID, str]:
    query = select(_AGENT.c.id, _AGENT.c.name)
    if principal.centres is not None:
        query = query.where(_AGENT.c.centre_id.in_(principal.centres))
    return {row.id: row.name for row in session.execute(query)}


def centres(session: Session, principal: Principal) -> list[Centre]:
    query = select(ServiceCentre.id, ServiceCentre.name).where(
        ServiceCentre.retired_at.is_(None), within(principal, ServiceCentre.id)
    )
    return [Centre(*row) for row in session.execute(query.order_by(ServiceCentre.code))]


def centre_ids(session: Session) -> list[uuid.UUID]:
    query = select(ServiceCentre.id).where(ServiceCentre.retired_at.is_(None))
    return list(session.scalars(query.order_by(ServiceCentre.id)))


def keep_limits(session: Session, observer: str, centre_id: uuid.UUID | None, body: dict[str, Any]) -> None:
    """Note the numbers by which this observer is watched now."""
    found = session.get(WatchedBy, observer)
    if found is None:
        session.add(WatchedBy(observer=observer, centre_id=centre_id, body=body))
        session.flush()
    elif found.body != body:
        found.body = body
        session.flush()


def limits(session: Session, observer: str) -> Limits | None:
    """None: nobody watches it yet."""
    found = session.get(WatchedBy, observer)
    return None if found is None else limits_of(found.body)


def samples(session: Session, since: dt.datetime) -> list[tuple[dt.datetime, int]]:
    query = select(IntakeSample.at, IntakeSample.heard).where(IntakeSample.at >= since)
    return [(row.at, row.heard) for row in session.execute(query.order_by(IntakeSample.at))]


def add_sample(session: Session, at: dt.datetime, heard: int) -> None:
    session.execute(insert_into(session, IntakeSample).values(at=at, heard=heard).on_conflict_do_nothing())


def end_down(session: Session, span_id: uuid.UUID, at: dt.datetime) -> None:
    session.execute(
        update(ObserverSpan)
        .where(ObserverSpan.id == span_id, ObserverSpan.end_at.is_(None))
        .values(end_at=at)
    )


def prune(session: Session, spans_before: dt.datetime, samples_before: dt.datetime) -> int:
    gone = delete(ObserverSpan).where(ObserverSpan.end_at < spans_before).returning(ObserverSpan.id)
    session.execute(delete(IntakeSample).where(IntakeSample.at < samples_before))
    return len(session.execute(gone).all())
