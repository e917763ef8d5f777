"""Puts together what the rooms know of all phones, for the first page."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from app.commands import active_counts
from app.compliance import Tally, tallies
from app.fleet import Agent, list_agents
from app.kernel.paging import MAX_LIMIT
from app.kernel.tenancy import Principal
from app.kernel.texts import model_name
from app.overview import store
from app.overview.rules import PhoneLine
from app.policy import PolicyFiles
from app.readings import Sighted, contact_failures, list_sightings, phone_states
from app.registry import holders_of
from app.uptime import power_now

SIGHTINGS_SHOWN = 20
HEALTHS = ("fresh", "silent", "never")
_MISSED = 3


@dataclass(frozen=True)
class AgentLine:
    """An agent and its `health`: `fresh`, `silent` (missed three check-ins), `never` reported, or `revoked`."""

    agent: Agent
    health: str


@dataclass(frozen=True)
class SightingLine:
    seen: Sighted
    gateway: str
    model: str


def phone_lines(
    session: Session,
    principal: Principal,
    now: dt.datetime,
    policies: PolicyFiles,
    agents: Mapping[uuid.UUID, str],
) -> list[PhoneLine]:
    """One line for each phone in service that the caller may see, by asset tag; a fixed number of queries for all.

    `agents` maps ids to names. A phone of which a room knows nothing is unknown there, never left out.
    """
    phones = store.live_phones(session, principal)
    ids = [phone.id for phone in phones]
    rooms = _Rooms(
        power=power_now(session, principal, ids, now, policies),
        verdicts=tallies(session, principal, ids),
        states=phone_states(session, principal, ids),
        failures=contact_failures(session, principal, ids),
        holders=holders_of(session, principal, ids, now),
        waiting=active_counts(session, principal, ids),
        agents=agents,
    )
    return [_line(phone, rooms) for phone in phones]


@dataclass(frozen=True)
class _Rooms:
    power: Mapping[uuid.UUID, Any]
    verdicts: Mapping[uuid.UUID, Tally]
    states: Mapping[uuid.UUID, Any]
    failures: Mapping[uuid.UUID, Sequence[Any]]
    holders: Mapping[uuid.UUID, Any]
    waiting: Mapping[uuid.UUID, int]
    agents: Mapping[uuid.UUID, str]


def _line(phone: store.PhoneBrief, rooms: _Rooms) -> PhoneLine:
    power, verdict = rooms.power[phone.id], rooms.verdicts[phone.id]
    state, holder = rooms.states.get(phone.id), rooms.holders.get(phone.id)
    failures = rooms.failures.get(phone.id)
    return PhoneLine(
        id=phone.id,
        centre_id=phone.centre_id,
        centre_name=phone.centre_name,
        asset_tag=phone.asset_tag,
        serial=phone.serial,
        model=model_name(phone.brand, phone.model),
        post=holder.post_name if holder else None,
        employee=holder.employee_name if holder else None,
        power=str(power.state),
        power_since=power.since,
        last_proof_at=power.last_proof_at,
        verdict=str(verdict.status),
        failed=verdict.failed,
        unsure=verdict.unsure,
        battery_percent=state.power.battery_percent if state else None,
        charging=state.power.charging if state else None,
        contact_at=state.at if state else None,
        gateway=rooms.agents.get(state.agent_id) if state and state.agent_id else None,
        unreached=failures[-1].reason if failures else None,
        waiting=rooms.waiting.get(phone.id, 0),
    )


def agent_lines(
    session: Session, principal: Principal, now: dt.datetime, interval_s: int, *, revoked: bool | None = False
) -> list[AgentLine]:
    """All agents (`revoked` None: also the revoked ones, last), by name."""
    agents: list[Agent] = []
    cursor = None
    while True:
        page = list_agents(session, principal, revoked=revoked, cursor=cursor, limit=MAX_LIMIT)
        agents += page.items
        cursor = page.next_cursor
        if cursor is None:
            break
    lines = [AgentLine(agent, _health(agent, now, interval_s)) for agent in agents]
    return sorted(lines, key=lambda line: (line.health == "revoked", line.agent.name))


def _health(agent: Agent, now: dt.datetime, interval_s: int) -> str:
    if agent.revoked_at is not None:
        return "revoked"
    if agent.last_checkin_at is None:
        return "never"
    late = (now - agent.last_checkin_at).total_seconds() > _MISSED * interval_s + 30
    return "silent" if late else "fresh"


def health_counts(lines: Collection[AgentLine]) -> dict[str, int]:
    return {health: sum(1 for line in lines if line.health == health) for health in HEALTHS}


def sighting_lines(
    session: Session, principal: Principal, agents: Mapping[uuid.UUID, str]
) -> list[SightingLine]:
    """Unregistered phones, the one seen last first."""
    page = list_sightings(session, principal, limit=SIGHTINGS_SHOWN)
    return [
        SightingLine(seen, agents.get(seen.agent_id, ""), _model(seen.identity or {})) for seen in page.items
    ]


def _model(identity: Mapping[str, Any]) -> str:
    return " ".join(str(identity[key]) for key in ("brand", "model") if identity.get(key))
