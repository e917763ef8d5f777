"""What the scheduler does for this room: the server's own beat, and a look at every site each minute."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from app.observers import store
from app.observers.rules import SAMPLE_EVERY, Stretch, intake_low, limits_of, quiet_together, usual
from app.policy import PolicyFiles, effective_many
from app.readings import heard_count, last_heard

SUBJECT = "probing"
_HEARD = dt.timedelta(days=7)
"""Phones that were not heard for longer tell nothing of their site."""
_SAMPLES = dt.timedelta(days=8)


def beat_server(session: Session, policies: PolicyFiles, now: dt.datetime) -> None:
    """The server says that it is up; after a pause that is too long a new stretch begins."""
    body = policies.latest(SUBJECT).body
    limits = limits_of(body)
    store.keep_limits(session, store.SERVER, None, _numbers(body))
    last = store.last_up(session, store.SERVER)
    start = last.end if last is not None and now - limits.pause <= last.end <= now else now
    store.prove_up(session, store.SERVER, None, [Stretch(start, now)])


def watch_sites(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    """Begin and end the incidents of sites and of the intake; return how many last."""
    centres = store.centre_ids(session)
    found = effective_many(session, policies, SUBJECT, centres)
    heard = _heard_by_centre(session, now)
    lasting = 0
    for centre_id, policy in sorted(found.items()):
        observer = store.site_name(centre_id)
        store.keep_limits(session, observer, centre_id, _numbers(policy.body))
        since = quiet_together(heard.get(centre_id, []), now, limits_of(policy.body))
        lasting += _incident(session, observer, centre_id, since, "site_quiet", now)
    return lasting + _watch_intake(session, policies, now)


def _numbers(body: Mapping[str, Any]) -> dict[str, Any]:
    """What of the policy is asked of observers."""
    names = (
        "lease_minutes", "recover_minutes", "pause_seconds", "site_phones", "site_percent", "site_within_minutes",
        "quiet_minutes", "usual_percent",
    )  # fmt: skip
    return {name: body[name] for name in names}


def _heard_by_centre(session: Session, now: dt.datetime) -> dict[uuid.UUID, Sequence[dt.datetime]]:
    rows = last_heard(session, since=now - _HEARD)
    return {
        centre: [row.at for row in group] for centre, group in groupby(rows, key=lambda row: row.centre_id)
    }


def _watch_intake(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    limits = limits_of(policies.latest(SUBJECT).body)
    samples = store.samples(session, now - _SAMPLES)
    heard = heard_count(session, now - SAMPLE_EVERY)
    low = intake_low(heard, usual(samples, now), limits)
    lasting = _incident(session, store.INTAKE, None, now - SAMPLE_EVERY if low else None, "intake_low", now)
    # A low number is no measure of what is usual: an outage would else excuse itself.
    if not low and (not samples or now - samples[-1][0] >= SAMPLE_EVERY):
        store.add_sample(session, now, heard)
    return lasting


def _incident(
    session: Session,
    observer: str,
    centre_id: uuid.UUID | None,
    since: dt.datetime | None,
    reason: str,
    now: dt.datetime,
) -> int:
    """One row while it lasts, dated back to when it began; 1 while it lasts."""
    standing = store.open_down(session, observer)
    if since is None:
        if standing is not None:
            store.end_down(session, standing.id, now)
        return 0
    if standing is None:
        store.add_span(session, observer, centre_id, "down", since, None, reason)
    return 1


def prune(session: Session, policies: PolicyFiles, now: dt.datetime) -> int:
    days = policies.latest(SUBJECT).body["keep_days"]
    return store.prune(session, now - dt.timedelta(days=days), now - _SAMPLES)
