"""When a phone was in contact, how much of its time is proved, and whether it keeps its journal; for tests of reach."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.db import from_us, to_us
from app.kernel.tenancy import SYSTEM, Principal
from app.uptime import store
from app.uptime.rules import State, decide


def contacts(session: Session, handset_id: uuid.UUID) -> list[tuple[dt.datetime, dt.datetime]]:
    """The first and the last dated reading of each boot, in order. Internal: sees every centre.

    Between the two the phone was on, for one boot id is one run.
    """
    found: list[tuple[dt.datetime, dt.datetime]] = []
    for _, boot in store.boots_of(session, SYSTEM, handset_id):
        if boot.read_first is not None and boot.read_last is not None:
            found.append((from_us(boot.read_first), from_us(boot.read_last)))
    return sorted(found)


def proved_shares(
    session: Session,
    principal: Principal,
    handset_ids: Collection[uuid.UUID],
    start: dt.datetime,
    end: dt.datetime,
) -> dict[uuid.UUID, float]:
    """The share of `[start, end)` that is proved on or off, 0 to 1, of each phone asked for."""
    length = to_us(end) - to_us(start)
    shares: dict[uuid.UUID, float] = {}
    for handset_id in handset_ids:
        boots = (boot for _, boot in store.boots_of(session, principal, handset_id))
        decided = decide(boots, to_us(start), to_us(end))
        shares[handset_id] = (decided.total(State.ON) + decided.total(State.OFF)) / length
    return shares


@dataclass(frozen=True)
class JournalSeen:
    """A phone's latest boot: its first and last dated reading, and when the last line of its journal was written that
    anybody has collected (None: none of that boot).
    """

    read_first: dt.datetime
    read_last: dt.datetime
    written_at: dt.datetime | None


def journals_seen(
    session: Session, principal: Principal, handset_ids: Collection[uuid.UUID] | None = None
) -> dict[uuid.UUID, JournalSeen]:
    """The phones among these (None: all in sight) whose latest boot was read by a gateway at a known time."""
    found = {}
    for handset_id, first, last, started, *told in store.latest_boots(session, principal, handset_ids):
        lines = [us for us in told if us is not None]
        written = from_us(started + max(lines)) if lines and started is not None else None
        found[handset_id] = JournalSeen(from_us(first), from_us(last), written)
    return found
