"""Everything that the rooms know of one phone, for its page."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.compliance import Status, Verdict, verdicts
from app.kernel.tenancy import Principal
from app.labels import labels_for
from app.overview import store
from app.overview.days import Day, days_of, first_midnight, percent
from app.overview.rules import AppList, Unread, list_apps, unread_of
from app.policy import PolicyFiles
from app.readings import PhoneNow, contact_failures, latest_sections, phone_states
from app.registry import Custody, Handset, find_handset, history_of
from app.uptime import PowerNow, PowerTimeline, power_now, timeline

DAYS_SHOWN = 7
_SECTIONS = ("identity", "setup", "sim", "storage", "packages", "users", "accounts")


@dataclass(frozen=True)
class Failure:
    """An agent that does not reach the phone at present."""

    gateway: str
    target: str
    reason: str
    first_at: dt.datetime
    last_at: dt.datetime
    times: int


@dataclass(frozen=True)
class PhoneView:
    """`sections`: the newest content of each, only those ever read."""

    phone: Handset
    centre_name: str
    power: PowerNow
    verdict: Verdict
    failed: int
    unsure: int
    reading: PhoneNow | None
    gateway: str
    failures: Sequence[Failure]
    sections: Mapping[str, Any]
    unread: Sequence[Unread]
    custody: Sequence[Custody]
    timeline: PowerTimeline
    days: Sequence[Day]
    proved: str
    apps: AppList
    labels: Mapping[str, str]


def phone_view(
    session: Session,
    principal: Principal,
    handset_id: uuid.UUID,
    now: dt.datetime,
    policies: PolicyFiles,
    agents: Mapping[uuid.UUID, str],
    *,
    app_text: str = "",
    system_apps: bool = False,
) -> PhoneView:
    """Raise `NotFound` for a phone that is not there or not the caller's."""
    phone = find_handset(session, principal, handset_id)
    ids = [phone.id]
    reading = phone_states(session, principal, ids).get(phone.id)
    sections = latest_sections(session, ids, _SECTIONS).get(phone.id, {})
    unread = unread_of(reading.unread if reading else (), sections)
    power = timeline(session, principal, phone.id, first_midnight(now, DAYS_SHOWN), now)
    verdict = verdicts(session, principal, ids)[phone.id]
    labels = labels_for(session, policies, phone.centre_id)
    centre_names = {centre.id: centre.name for centre in store.centres(session, principal)}
    return PhoneView(
        phone=phone,
        centre_name=centre_names.get(phone.centre_id, ""),
        power=power_now(session, principal, ids, now, policies)[phone.id],
        verdict=verdict,
        failed=verdict.count(Status.FAIL),
        unsure=verdict.count(Status.UNKNOWN),
        reading=reading,
        gateway=agents.get(reading.agent_id, "") if reading and reading.agent_id else "",
        failures=_failures(session, principal, phone.id, agents),
        sections=sections,
        unread=unread,
        custody=list(reversed(history_of(session, principal, phone.id))),
        timeline=power,
        days=days_of((i.start, i.end, str(i.state)) for i in power.intervals),
        proved=_proved(power),
        apps=list_apps(sections.get("packages"), app_text, system=system_apps, labels=labels),
        labels=labels,
    )


def _proved(power: PowerTimeline) -> str:
    """From the seconds: the timeline's own share is rounded, and nearly all must not read as all."""
    total = sum(power.seconds.values())
    return percent((total - power.seconds["unknown"]) / total if total else 0.0)


def _failures(
    session: Session, principal: Principal, handset_id: uuid.UUID, agents: Mapping[uuid.UUID, str]
) -> list[Failure]:
    found = contact_failures(session, principal, [handset_id]).get(handset_id, [])
    return [
        Failure(agents.get(f.agent_id, ""), f.target, f.reason, f.first_at, f.last_at, f.times)
        for f in reversed(found)
    ]
