"""Rule a phone again and bring its stored incidents to what the evidence says now. Nothing is ever deleted.

The same evidence gives the same incidents for any order of arrival; a second run changes nothing.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Sequence
from dataclasses import dataclass

import structlog
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from app.incidents import store
from app.incidents.gather import Gathered, gather, inputs_sha256, policy_line, trace_of
from app.incidents.model import Incident, IncidentStrike
from app.incidents.notices import tell_change
from app.incidents.pending import note_failure, note_success
from app.incidents.rules import Verdict, causes_of, match
from app.incidents.states import Event, State, advance
from app.incidents.verdicts import bounds, employee_of, stored_verdict, verdicts_of
from app.incidents.writing import write_change
from app.kernel.db import from_us, to_us
from app.kernel.ids import new_id
from app.kernel.tenancy import SYSTEM
from app.policy import Policy, PolicyFiles, effective
from app.registry import find_handset, holder_of
from app.uptime import (
    Dossier,
    PhoneRuling,
    hold_phone,
    limits_of,
    put_back,
    rule_phone,
    take_due,
)

log = structlog.get_logger(__name__)
PHONES_AT_ONCE = 50


@dataclass(frozen=True)
class _Ruling:
    """One ruling of one phone and what it was made from; `causes`: what differs from the ruling before."""

    gathered: Gathered
    found: Sequence[Verdict]
    policy: Policy
    procedure: Policy
    sha256: str
    causes: Sequence[str]
    now: dt.datetime


def settle_due(session: Session, now: dt.datetime, policies: PolicyFiles, limit: int = PHONES_AT_ONCE) -> int:
    """Rule the phones that are due, longest due first; returns how many. One that cannot be ruled stops no other."""
    return sum(
        _attempt(session, handset_id, centre_id, now, policies)
        for handset_id, centre_id in take_due(session, now, limit)
    )


def _attempt(
    session: Session, handset_id: uuid.UUID, centre_id: uuid.UUID, now: dt.datetime, policies: PolicyFiles
) -> bool:
    try:
        with session.begin_nested():
            _settle(session, handset_id, now, policies)
    except OperationalError:
        raise
    except Exception as exc:
        # Tried again later: what it has ruled so far stands meanwhile.
        log.exception("settling_failed", handset=str(handset_id), kind=type(exc).__name__)
        note_failure(session, handset_id, centre_id, now, policies)
        return False
    return True


def settle_phone(
    session: Session, handset_id: uuid.UUID, centre_id: uuid.UUID, now: dt.datetime, policies: PolicyFiles
) -> None:
    """Rule one phone at once, in the caller's transaction, after whoever rules it already."""
    hold_phone(session, handset_id, centre_id, now)
    _settle(session, handset_id, now, policies)


def rule_now(gathered: Gathered, policy: Policy, now: dt.datetime) -> PhoneRuling:
    """The engine's ruling of what was gathered, exactly as a replay of its trace."""
    trace = trace_of(gathered.all, policy_line(policy, now))
    at = to_us(now)
    phone = str(gathered.handset_id)
    dossier = trace.phones.get(phone) or Dossier(phone, at, at)
    assert trace.first is not None
    assert trace.last is not None
    limits = limits_of(policy.body)
    return rule_phone(dossier, trace.observers(limits.beat_within), limits, trace.first, trace.last)


def _settle(session: Session, handset_id: uuid.UUID, now: dt.datetime, policies: PolicyFiles) -> None:
    # The queue may still name the centre that the phone has left: it would be ruled by another policy than its trace.
    centre_id = find_handset(session, SYSTEM, handset_id).centre_id
    policy = effective(session, policies, "uptime", centre_id)
    procedure = effective(session, policies, "incidents", centre_id)
    gathered = gather(session, handset_id, now)
    ruling = rule_now(gathered, policy, now)
    hashes = gathered.hashes(policy)
    before = store.ruled(session, handset_id)
    made = _Ruling(
        gathered=gathered,
        found=verdicts_of(ruling),
        policy=policy,
        procedure=procedure,
        sha256=inputs_sha256(hashes),
        causes=causes_of(before.inputs if before else None, hashes),
        now=now,
    )
    _reconcile(session, handset_id, centre_id, made)
    store.keep_ruled(
        session,
        {
            "handset_id": handset_id,
            "centre_id": centre_id,
            "settled_at": now,
            "inputs": hashes,
            "inputs_sha256": made.sha256,
            "policy_version": policy.version,
            "policy_sha256": policy.sha256,
            "shares": sorted(map(list, ruling.shares)),
        },
    )
    waits = any(one.pending for one in made.found)
    if put_back(session, handset_id, _next_look(made), waits=waits):
        note_success(session, handset_id, now)


def _next_look(made: _Ruling) -> dt.datetime:
    """At the latest after a while; sooner where a suspicion's time runs out."""
    unmet = dt.timedelta(days=made.policy.body["unmet_days"])
    ends = [from_us(one.end) + unmet for one in made.found if one.status == "suspected"]
    latest = made.now + dt.timedelta(hours=made.procedure.body["resettle_hours"])
    return min([latest, *(end for end in ends if end > made.now)])


def _reconcile(session: Session, handset_id: uuid.UUID, centre_id: uuid.UUID, made: _Ruling) -> None:
    rows = store.of_phone(session, handset_id)
    strikes = store.strikes_of(session, [row.id for row in rows])
    known = [stored_verdict(row, strikes[row.id]) for row in rows]
    matching = match([(one, row.gone_at is None) for one, row in zip(known, rows, strict=True)], made.found)
    named: dict[int, Incident] = {}
    for number, verdict in enumerate(made.found):
        if number in matching.same:
            at = matching.same[number]
            named[number] = rows[at]
            _bring(session, rows[at], known[at], verdict, made)
        else:
            parent = matching.parted.get(number)
            named[number] = _open(session, handset_id, centre_id, verdict, made, parent is not None)
    for at, row in enumerate(rows):
        if row.gone_at is None and at not in matching.same.values():
            into = named.get(matching.joined.get(at, -1))
            _drop(session, row, known[at], into, made)


def _open(
    session: Session, handset_id: uuid.UUID, centre_id: uuid.UUID, verdict: Verdict, made: _Ruling, part: bool
) -> Incident:
    # Whose phone it was then: their lead decides, not that of the centre to which it has gone since.
    held = holder_of(session, SYSTEM, handset_id, from_us(verdict.start))
    row = Incident(
        id=new_id(),
        centre_id=held.centre_id if held else centre_id,
        handset_id=handset_id,
        state=State.WAITING if verdict.pending else State.RULED,
        opened_at=made.now,
        appeal_until=_appeal_until(None, verdict, made),
        **_columns(verdict, made),
    )
    session.add(row)
    session.flush()
    _write_strikes(session, row, verdict)
    why = "由另一事件分出" if part else "发现新的事件"
    change = write_change(session, row, None, verdict, ["tests"] if part else [], why, made.now)
    tell_change(session, row, None, verdict, change, made.procedure, made.now)
    return row


def _bring(session: Session, row: Incident, known: Verdict, verdict: Verdict, made: _Ruling) -> None:
    """An incident that is still there takes the verdict that the evidence gives now."""
    returned = row.gone_at is not None
    if known == verdict and not returned:
        return
    state = State(row.state)
    if verdict.pending and state in {State.RULED, State.DECIDED, State.FINAL}:
        state = advance(state, Event.REOPEN)
    elif not verdict.pending and state is State.WAITING:
        state = advance(state, Event.SETTLE)
    differs = returned or verdict.differs(known)
    if known.strikes != verdict.strikes or returned:
        _write_strikes(session, row, verdict)
    values = {"state": state, "gone_at": None, "gone_to": None, **_columns(verdict, made)}
    if differs:
        until = _appeal_until(None if returned else known, verdict, made)
        values["appeal_until"] = until or row.appeal_until
    else:
        values["changed_at"] = row.changed_at
    store.change(session, row, **values)
    if differs:
        before = None if returned else known
        change = write_change(session, row, before, verdict, made.causes, "", made.now)
        tell_change(session, row, before, verdict, change, made.procedure, made.now)


def _drop(session: Session, row: Incident, known: Verdict, into: Incident | None, made: _Ruling) -> None:
    """Nothing of it is left, or it is part of another now: it stays on record and costs nothing."""
    _write_strikes(session, row, None)
    values = {"gone_at": made.now, "gone_to": into.id if into else None, "strikes": 0, "changed_at": made.now}
    store.change(session, row, **values)
    why = "并入另一事件" if into else "新的证据使这个事件不复存在"
    change = write_change(session, row, known, None, made.causes, why, made.now)
    tell_change(session, row, known, None, change, made.procedure, made.now)


def _columns(verdict: Verdict, made: _Ruling) -> dict[str, object]:
    return {
        **bounds(verdict),
        "kind": verdict.kind,
        "status": verdict.status,
        "employee_id": employee_of(verdict.answers),
        "answers": verdict.answers,
        "month": verdict.month,
        "strikes": len(verdict.strikes),
        "inputs_sha256": made.sha256,
        "policy_version": made.policy.version,
        "policy_sha256": made.policy.sha256,
        "policy_body": dict(made.policy.body),
        "changed_at": made.now,
    }


def _appeal_until(known: Verdict | None, verdict: Verdict, made: _Ruling) -> dt.datetime | None:
    """A new deadline where the verdict costs somebody something whom it did not cost that before."""
    if verdict.status != "confirmed":
        return None
    if known is not None and known.status == "confirmed" and verdict.persons <= known.persons:
        return None
    return made.now + dt.timedelta(days=made.procedure.body["appeal_days"])


def _write_strikes(session: Session, row: Incident, verdict: Verdict | None) -> None:
    rows = [
        IncidentStrike(
            id=new_id(),
            incident_id=row.id,
            handset_id=row.handset_id,
            centre_id=row.centre_id,
            at=from_us(strike.at),
            employee_id=employee_of(strike.answers),
            answers=strike.answers,
            month=strike.month,
        )
        for strike in (verdict.strikes if verdict else ())
    ]
    store.replace_strikes(session, row.id, rows)
