"""What people are shown of tests and of reach. Nobody is ever shown when a test is planned."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from sqlalchemy.orm import Session

from app.kernel.paging import DEFAULT_LIMIT, Page, SortKey, paginate
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles
from app.probes import phone_store, store
from app.probes.journals import JournalNow, journals_now
from app.probes.model import Probe
from app.probes.rules import local_day, whole_day
from app.probes.states import ENDED, State
from app.readings import PhoneNow, phone_states
from app.registry import Custody, holders_of
from app.uptime import proved_shares

PER_PAGE = 50
FILTERS = ("failed", "away", "nojournal")
DAYS = dt.timedelta(days=7)


@dataclass(frozen=True)
class Finished:
    """A test that has ended, for whom it concerns."""

    at: dt.datetime
    state: str
    cause: str
    reason: str | None


@dataclass(frozen=True)
class Wanted:
    """`text`: part of an asset tag or serial; `only`: one of `FILTERS`."""

    text: str = ""
    centre_id: uuid.UUID | None = None
    only: str | None = None
    cursor: str | None = None


@dataclass(frozen=True)
class PhoneLine:
    """One phone: today's tests, those of the last 7 days by outcome, the share of its time that is proved, and whether
    it keeps its journal (`kept`, `none`, `unknown`).
    """

    phone: phone_store.Phone
    holder: Custody | None
    heard_at: dt.datetime | None
    away: bool
    share: float
    journal: str
    remaining: int
    today: Sequence[Probe]
    week: Mapping[str, int] = field(default_factory=dict)


def phone_lines(
    session: Session, principal: Principal, policies: PolicyFiles, wanted: Wanted, now: dt.datetime
) -> Page[PhoneLine]:
    """One page of the phones in service, by asset tag."""
    only = _ids_of(session, principal, policies, wanted, now)
    page = phone_store.phones(
        session, principal, wanted.text, wanted.centre_id, only, wanted.cursor, PER_PAGE
    )
    ids = [phone.id for phone in page.items]
    days = policies.latest("probing").body["share_days"]
    shares = proved_shares(session, principal, ids, now - dt.timedelta(days=days), now)
    tests: dict[uuid.UUID, list[Probe]] = {}
    for probe in store.of_handsets(session, principal, ids, now - DAYS):
        tests.setdefault(probe.handset_id, []).append(probe)
    rooms = _Rooms(
        phone_states(session, principal, ids),
        holders_of(session, principal, ids, now),
        store.out_of_reach_ids(session, principal),
        store.remaining(session, principal, ids, local_day(now).isoformat(), now),
        journals_now(session, principal, policies, now, ids),
    )
    morning = whole_day(local_day(now))[0]
    lines = [_line(phone, rooms, shares[phone.id], tests.get(phone.id, []), morning) for phone in page.items]
    return Page(lines, page.next_cursor)


@dataclass(frozen=True)
class _Rooms:
    states: Mapping[uuid.UUID, PhoneNow]
    holders: Mapping[uuid.UUID, Custody]
    away: set[uuid.UUID]
    remaining: Mapping[uuid.UUID, int]
    journals: Mapping[uuid.UUID, JournalNow]


def _ids_of(
    session: Session, principal: Principal, policies: PolicyFiles, wanted: Wanted, now: dt.datetime
) -> set[uuid.UUID] | None:
    if wanted.only == "failed":
        return store.not_reached_since(session, principal, now - DAYS)
    if wanted.only == "away":
        return store.out_of_reach_ids(session, principal)
    if wanted.only == "nojournal":
        journals = journals_now(session, principal, policies, now)
        return {handset_id for handset_id, journal in journals.items() if journal.state == "none"}
    return None


def _line(
    phone: phone_store.Phone, rooms: _Rooms, share: float, tests: Sequence[Probe], morning: dt.datetime
) -> PhoneLine:
    week: dict[str, int] = {}
    for probe in tests:
        if probe.state in ENDED:
            week[probe.state] = week.get(probe.state, 0) + 1
    state = rooms.states.get(phone.id)
    journal = rooms.journals.get(phone.id)
    return PhoneLine(
        phone=phone,
        holder=rooms.holders.get(phone.id),
        heard_at=state.at if state else None,
        away=phone.id in rooms.away,
        share=share,
        journal=journal.state if journal else "unknown",
        remaining=rooms.remaining.get(phone.id, 0),
        today=[probe for probe in tests if probe.planned_at >= morning],
        week=week,
    )


def list_probes(
    session: Session,
    principal: Principal,
    *,
    centre_id: uuid.UUID | None = None,
    handset_id: uuid.UUID | None = None,
    state: Sequence[str] = (),
    cursor: str | None = None,
    limit: int = DEFAULT_LIMIT,
) -> Page[Probe]:
    """Tests that were sent or have ended, the latest first."""
    query = store.query(principal, centre_id=centre_id, handset_id=handset_id, states=state)
    keys = [
        SortKey("planned_at", Probe.planned_at, descending=True),
        SortKey("id", Probe.id, descending=True),
    ]
    return paginate(session, query, keys, cursor=cursor, limit=limit)


def finished_probes(
    session: Session, principal: Principal, handset_id: uuid.UUID, start: dt.datetime, end: dt.datetime
) -> list[Finished]:
    """The tests of a phone that ended within `[start, end)`, the latest first; for its holder's own page."""
    rows = store.of_handsets(session, principal, [handset_id], start - dt.timedelta(days=1))
    found = [
        Finished(row.finished_at, row.state, row.cause, row.reason)
        for row in rows
        if row.finished_at is not None and start <= row.finished_at < end and row.state != State.MISSED
    ]
    return sorted(found, key=lambda one: one.at, reverse=True)
