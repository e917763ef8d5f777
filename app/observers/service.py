"""Fold beats into stretches, watch sites and the server, and say whether a phone may be suspected at an instant."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.kernel.tenancy import Principal
from app.observers import store
from app.observers.rules import Beat, Limits, Stretch, gaps, steady_at
from app.readings import AgentRef, dated

_JOINED = dt.timedelta(minutes=10)
"""Beats that say the same trouble this near to each other are told as one; no verdict rests on it."""


@dataclass(frozen=True)
class Outage:
    """A stretch in which an observer was not proved up. `end` None: it lasts. `reason` is a short code.

    `observer`: `agent:ID`, `site:CENTRE`, `intake` or `server`; `name`: its name, for people.
    """

    observer: str
    name: str
    start: dt.datetime
    end: dt.datetime | None
    reason: str


def note_beats(session: Session, agent: AgentRef, beats: Sequence[Beat], now: dt.datetime) -> None:
    """Take an agent's beats in. One whose age is not known says nothing: it cannot be dated."""
    observer = store.agent_name(agent.id)
    ups: list[Stretch] = []
    for beat in beats:
        at = dated(now, beat.age_us)
        if at is None:
            continue
        if beat.up:
            ups.append(Stretch(at - dt.timedelta(microseconds=beat.up_for_us), at))
        else:
            store.note_down(session, observer, agent.centre_id, at, beat.reason or "unknown", _JOINED)
    store.prove_up(session, observer, agent.centre_id, ups)


def server_up_since(session: Session, now: dt.datetime) -> dt.datetime | None:
    """Since when the server has been up without a pause; None: it is not known to be up at `now`."""
    limits, up = store.limits(session, store.SERVER), store.last_up(session, store.SERVER)
    if limits is None or up is None or now - up.end > limits.pause:
        return None
    return up.start


def trusted(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> bool:
    """Whether a phone of this centre may be suspected now. Internal: sees every centre.

    False while the server or the site has just come back, while no gateway of it has been up for long enough, and
    while the site or the company's intake is quiet as a whole.
    """
    limits = store.limits(session, store.site_name(centre_id))
    since = server_up_since(session, now)
    if limits is None or since is None or since > now - limits.recover:
        return False
    if _incident(session, centre_id, now - limits.recover, now):
        return False
    heard = now - limits.recover - limits.lease
    return any(
        gateway.revoked_at is None
        and steady_at(store.ups_of(session, store.agent_name(gateway.id), heard, now), now, limits)
        for gateway in store.gateways(session, centre_id)
    )


@dataclass(frozen=True)
class Watched:
    """What is known by now of server and site over some time; asked for many instants without further queries.

    Of a gateway nothing is asked here: its own self-check of the moment speaks for it.
    """

    server: list[Stretch]
    incidents: list[tuple[dt.datetime, dt.datetime | None]]

    def trusted(self, at: dt.datetime, limits: Limits) -> bool:
        """Whether both could be believed at `at`: up and without incident for as long as a recovery takes."""
        start = at - limits.recover
        if not any(up.start <= start and up.end >= at for up in self.server):
            return False
        return not any(begin <= at and (end is None or end >= start) for begin, end in self.incidents)


def watched(
    session: Session, centre_id: uuid.UUID, start: dt.datetime, end: dt.datetime, limits: Limits
) -> Watched:
    """Server and site over `[start, end]`. Internal: sees every centre."""
    begin = start - limits.recover
    downs = store.downs_of(session, [store.site_name(centre_id), store.INTAKE], begin, end)
    return Watched(
        store.ups_of(session, store.SERVER, begin, end), [(row.start_at, row.end_at) for row in downs]
    )


def _incident(session: Session, centre_id: uuid.UUID, start: dt.datetime, end: dt.datetime) -> bool:
    return bool(store.downs_of(session, [store.site_name(centre_id), store.INTAKE], start, end))


def outages(
    session: Session, principal: Principal, centre_id: uuid.UUID, start: dt.datetime, end: dt.datetime
) -> list[Outage]:
    """Observers of this centre that were not up within `[start, end)`, by beginning; none for a foreign centre."""
    if not principal.sees(centre_id) or end <= start:
        return []
    limits = store.limits(session, store.site_name(centre_id))
    if limits is None:
        return []
    found = _server_outages(session, start, end, limits)
    found += _incidents(session, centre_id, start, end)
    for gateway in store.gateways(session, centre_id):
        found += _agent_outages(session, gateway, start, end, limits)
    return sorted(found, key=lambda outage: (outage.start, outage.observer))


def _server_outages(session: Session, start: dt.datetime, end: dt.datetime, limits: Limits) -> list[Outage]:
    first = store.first_up(session, store.SERVER)
    if first is None:
        return []
    ups = store.ups_of(session, store.SERVER, start, end)
    return [
        Outage(store.SERVER, "服务器", gap.start, None if _lasts(gap, ups, end) else gap.end, "paused")
        for gap in gaps(ups, max(start, first), end)
        if gap.end - gap.start > limits.pause
    ]


def _lasts(gap: Stretch, ups: list[Stretch], end: dt.datetime) -> bool:
    """Whether nobody vouches for the end of the time that was asked for, either."""
    return gap.end == end and not (ups and ups[-1].end >= end)


def _incidents(session: Session, centre_id: uuid.UUID, start: dt.datetime, end: dt.datetime) -> list[Outage]:
    names = {store.site_name(centre_id): "整个站点", store.INTAKE: "上报总量"}
    return [
        Outage(row.observer, names[row.observer], row.start_at, row.end_at, row.reason or "quiet")
        for row in store.downs_of(session, list(names), start, end)
    ]


def _agent_outages(
    session: Session, gateway: store.Gateway, start: dt.datetime, end: dt.datetime, limits: Limits
) -> list[Outage]:
    observer = store.agent_name(gateway.id)
    begin = max(start, gateway.enrolled_at)
    until = end if gateway.revoked_at is None else min(end, gateway.revoked_at)
    if until <= begin:
        return []
    ups = store.ups_of(session, observer, begin, until)
    downs = store.downs_of(session, [observer], begin, until)
    found = []
    for gap in gaps(ups, begin, until):
        lasts = _lasts(gap, ups, end)
        # The next beat of a healthy agent is always still to come.
        if gap.end - gap.start <= (limits.lease if lasts else limits.pause):
            continue
        said = [row for row in downs if row.start_at <= gap.end and (row.end_at or end) >= gap.start]
        reason = said[-1].reason if said else None
        found.append(
            Outage(observer, gateway.name, gap.start, None if lasts else gap.end, reason or "silent")
        )
    return found


@dataclass(frozen=True)
class GatewayNow:
    """`up_since` None: it is not proved up now; `heard_at`: its last proof of being up, if there ever was one."""

    id: uuid.UUID
    name: str
    up_since: dt.datetime | None
    heard_at: dt.datetime | None


def observers_now(session: Session, centre_id: uuid.UUID, now: dt.datetime) -> list[GatewayNow]:
    """The gateways of a centre that are in use. Internal: the caller has looked whether he may see the centre."""
    limits = store.limits(session, store.site_name(centre_id))
    found = []
    for gateway in store.gateways(session, centre_id):
        if gateway.revoked_at is None:
            up = store.last_up(session, store.agent_name(gateway.id))
            lives = up is not None and limits is not None and now - up.end <= limits.lease
            found.append(
                GatewayNow(
                    gateway.id, gateway.name, up.start if up and lives else None, up.end if up else None
                )
            )
    return found


def visible_centres(session: Session, principal: Principal) -> list[store.Centre]:
    return store.centres(session, principal)


def gateway_names(session: Session, principal: Principal) -> dict[uuid.UUID, str]:
    """The names of all agents that the caller may see, the revoked ones too."""
    return store.gateway_names(session, principal)
