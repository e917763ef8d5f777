"""Start tests, take agents' words on them, and say which failed tries speak against a phone."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.commands import ResultInput
from app.dialling import dial_facts
from app.kernel.db import from_us, to_us
from app.kernel.errors import Conflict, NotFound
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal
from app.observers import Limits, Watched, limits_of, watched
from app.probes import store
from app.probes.model import Probe
from app.probes.rules import Numbers, Try, counts, weigh
from app.probes.schemas import parse_told
from app.probes.states import Event, State
from app.readings import AgentRef, BadEntry, dated
from app.registry import Handset, find_handset
from app.uptime import contacts, queue_settling

STARTERS = ("operations", "lead", "it")
_ALIVE = ("answered", "rings")
_AFTER = dt.timedelta(seconds=30)
"""A look at a failed test waits so much longer than the time in which the phone may still be heard."""
_EVENTS = {"reached": Event.REACH, "not_reached": Event.FAIL, "inconclusive": Event.DOUBT}


@dataclass(frozen=True)
class ProbeFact:
    """A failed try that counts, as the engine takes it: an observer's "up" and the `probe_failed` that rests on it."""

    at: dt.datetime
    observer: str
    reason: str
    observer_up_at: dt.datetime | None
    observer_down_at: dt.datetime | None


@dataclass(frozen=True)
class WeighedTry:
    at: dt.datetime
    checked_at: dt.datetime
    reason: str
    counts: bool


def start_probe(
    session: Session, principal: Principal, handset_id: uuid.UUID, cause: str, now: dt.datetime
) -> uuid.UUID:
    """Register a test for now and return its id, or that of the test of this phone that runs or is due.

    `cause`: `report` or `person`; a person must have one of the roles `STARTERS` in the phone's centre. Raise
    `NotFound`, `Forbidden`, or `Conflict` for a retired phone.
    """
    handset = find_handset(session, principal, handset_id)
    if cause == "person":
        principal.require_role(handset.centre_id, *STARTERS)
    if handset.retired_at is not None:
        raise Conflict("该手机已停用 / this phone is retired", code="retired_phone")
    known = store.standing(session, handset_id, now)
    if known is not None:
        return known.id
    row = new_probe(handset.centre_id, handset.id, cause, now, now, principal.user)
    if not store.insert_probes(session, [row]):
        known = store.standing(session, handset_id, now)
        if known is None:
            raise Conflict(
                "the test that stood in the way ended in this moment: try again", code="probe_state"
            )
        return known.id
    if cause == "person":
        _note_start(session, principal, handset, row["id"], now)
    return uuid.UUID(str(row["id"]))


def new_probe(
    centre_id: uuid.UUID,
    handset_id: uuid.UUID,
    cause: str,
    planned_at: dt.datetime,
    now: dt.datetime,
    by: str,
    day: str | None = None,
    number: int | None = None,
) -> dict[str, object]:
    return {
        "id": new_id(), "centre_id": centre_id, "handset_id": handset_id, "cause": cause, "state": State.PLANNED,
        "day": day, "number": number, "planned_at": planned_at, "created_at": now, "created_by": by, "tries": [],
        "reason": None, "finished_at": None,
    }  # fmt: skip


def _note_start(
    session: Session, principal: Principal, handset: Handset, probe_id: object, now: dt.datetime
) -> None:
    record(
        session,
        AuditEvent(
            at=now, actor=principal.user, action="probe.start", object=f"probe:{probe_id}",
            centre_id=handset.centre_id, details={"handset": str(handset.id)},
        ),
    )  # fmt: skip


def take_result(session: Session, agent: AgentRef, result: ResultInput, now: dt.datetime) -> None:
    """An agent's last word on a command: if that is a test, it has ended. Other commands are left alone."""
    probe = store.by_command(session, uuid.UUID(result.id))
    if probe is None or probe.state != State.SENT or result.state in ("running", "not_now"):
        return
    at = dated(now, result.age_us)
    if result.state != "succeeded":
        end_probe(session, probe, Event.DOUBT, result.state, now, agent_id=agent.id)
    elif at is None:
        # The gateway restarted before it could report: when it tried is not known.
        end_probe(session, probe, Event.DOUBT, "undated", now, agent_id=agent.id)
    else:
        _take_told(session, probe, agent, result, at, now)


def _take_told(
    session: Session, probe: Probe, agent: AgentRef, result: ResultInput, at: dt.datetime, now: dt.datetime
) -> None:
    try:
        told = parse_told(result.detail, at)
    except BadEntry:
        end_probe(session, probe, Event.DOUBT, "bad_detail", now, agent_id=agent.id)
        return
    numbers = Numbers.of(probe.numbers or {})
    outcome, reason = weigh(told, probe.sent_at or at, numbers.again)
    tries = [
        {
            "at": to_us(one.at), "checked_at": to_us(one.checked_at),
            "up_for": one.up_for // dt.timedelta(microseconds=1), "reason": one.reason,
        }
        for one in told.tries
    ]  # fmt: skip
    failed = outcome == "not_reached"
    last = max([one.at for one in told.tries], default=at)
    end_probe(
        session, probe, _EVENTS[outcome], reason, now, agent_id=agent.id, finished_at=min(at, now), tries=tries,
        settle_at=last + numbers.heard_after + _AFTER if failed else None,
    )  # fmt: skip


def end_probe(
    session: Session, probe: Probe, event: Event, reason: str | None, now: dt.datetime, **changes: object
) -> None:
    """End a test; one that failed is ruled on again with all that is known of its phone."""
    store.move(session, probe, event, reason=reason, **{"finished_at": now, **changes})
    if event is Event.FAIL:
        queue_settling(session, {probe.handset_id: probe.centre_id}, now)


def failed_probes(session: Session, handset_id: uuid.UUID) -> list[ProbeFact]:
    """The failed tries that speak against a phone, by what is known now. Internal: sees every centre.

    Computed at each call: a reading that comes late, or an outage that is found out later, voids a try.
    """
    return [
        ProbeFact(one.at, f"agent:{probe.agent_id}", one.reason, one.checked_at, None)
        for probe, tries in weighed(session, handset_id, store.failed(session, handset_id))
        for one in tries
        if one.counts
    ]


def tries_of(session: Session, probe: Probe) -> list[WeighedTry]:
    """The failed tries of one test, each with whether it counts."""
    return weighed(session, probe.handset_id, [probe])[0][1]


def weighed(
    session: Session, handset_id: uuid.UUID, probes: Sequence[Probe]
) -> list[tuple[Probe, list[WeighedTry]]]:
    """The tests of one phone with their tries; three queries for all of one centre."""
    if not any(probe.tries for probe in probes):
        return [(probe, []) for probe in probes]
    heard = contacts(session, handset_id)
    alive = [fact.at for fact in dial_facts(session, handset_id) if fact.result in _ALIVE]
    around = _watched(session, probes)
    found = []
    for probe in probes:
        tries = [_try(raw) for raw in probe.tries]
        ended = probe.state == State.NOT_REACHED
        numbers, limits = _numbers_of(probe)
        found.append(
            (
                probe,
                [
                    WeighedTry(
                        one.at,
                        one.checked_at,
                        one.reason,
                        ended
                        and counts(one, heard, alive, numbers)
                        and around[probe.centre_id].trusted(one.at, limits),
                    )
                    for one in tries
                ],
            )
        )
    return found


def _watched(session: Session, probes: Sequence[Probe]) -> dict[uuid.UUID, Watched]:
    """Server and site around all tries of the tests, by centre."""
    found: dict[uuid.UUID, Watched] = {}
    for centre_id in {probe.centre_id for probe in probes}:
        mine = [probe for probe in probes if probe.centre_id == centre_id and probe.tries]
        instants = [from_us(raw["at"]) for probe in mine for raw in probe.tries]
        if instants:
            widest = max((_numbers_of(probe)[1] for probe in mine), key=lambda limits: limits.recover)
            found[centre_id] = watched(session, centre_id, min(instants), max(instants), widest)
    return found


def _numbers_of(probe: Probe) -> tuple[Numbers, Limits]:
    body = probe.numbers
    assert body is not None, "a test with tries was sent, and its numbers noted then"
    return Numbers.of(body), limits_of(body)


def _try(raw: dict[str, object]) -> Try:
    us = {name: int(str(raw[name])) for name in ("at", "checked_at", "up_for")}
    return Try(
        from_us(us["at"]),
        from_us(us["checked_at"]),
        dt.timedelta(microseconds=us["up_for"]),
        str(raw["reason"]),
    )


def get_probe(session: Session, principal: Principal, probe_id: uuid.UUID) -> Probe:
    """Raise `NotFound` for one that is not there, in a foreign centre, or only planned."""
    found = store.find(session, principal, probe_id)
    if found is None or found.state == State.PLANNED:
        raise NotFound("没有这次测试 / no such test")
    return found
