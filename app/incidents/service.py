"""What people do about an incident: the lead decides, the butler appeals once, a second person decides the appeal."""

from __future__ import annotations

import datetime as dt
import uuid
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.audit import AuditEvent, record
from app.duty import answerable
from app.incidents import store
from app.incidents.model import Incident, IncidentDecision
from app.incidents.notices import tell_appeal, tell_appeal_decided
from app.incidents.rules import PENDING, said_of
from app.incidents.settling import settle_phone
from app.incidents.states import Event, State, advance
from app.incidents.verdicts import stored_verdict
from app.kernel.db import from_us
from app.kernel.errors import Conflict, FieldError, Forbidden, Invalid, NotFound, Stale
from app.kernel.ids import new_id
from app.kernel.tenancy import Principal
from app.policy import PolicyFiles
from app.uptime import hold_phone

MAX_TEXT = 2000
DECIDERS = ("lead",)
REVIEWERS = ("lead", "operations")


@dataclass(frozen=True)
class Word:
    """A decision: `confirmed` or `refuted`, and why. `version`: of the incident that was seen; None: any."""

    status: str
    reason: str
    version: int | None = None


def get(session: Session, principal: Principal, incident_id: uuid.UUID) -> Incident:
    """Raise `NotFound` for an incident that is not there or not the caller's to see."""
    row = store.find(session, principal, incident_id)
    if row is None:
        raise NotFound("没有这个事件 / no such incident")
    return row


def decide(
    session: Session,
    principal: Principal,
    incident_id: uuid.UUID,
    word: Word,
    *,
    now: dt.datetime,
    policies: PolicyFiles,
) -> Incident:
    """The lead's word on what the evidence leaves open, or his waiver of what it proves; the phone is ruled at once.

    Raise `Forbidden` for who is no lead of that centre or answers for the incident himself, `Invalid` without a reason,
    `Conflict` once it is decided or the evidence refutes it, `Stale` when it changed since it was seen.
    """
    row = _held(session, principal, incident_id, word.version, now)
    principal.require_role(row.centre_id, *DECIDERS)
    _require_other(session, principal, row)
    reason = _checked(word)
    if row.status not in PENDING | {"confirmed"}:
        raise Conflict(
            "证据已表明这个事件不成立或免责，无需决定 / the evidence decided in the phone's favour: nothing to decide",
            code="incident_state",
        )
    if row.status == "confirmed" and word.status == "confirmed":
        raise Conflict(
            "已按证据成立，无需再确认 / the evidence proves it: nothing to confirm", code="incident_state"
        )
    _move(session, row, Event.DECIDE)
    _speak(session, principal, row, word.status, reason, "first", now)
    settle_phone(session, row.handset_id, row.centre_id, now, policies)
    _note(session, principal, row, "incidents.decide", reason, now, status=word.status)
    return row


def appeal(
    session: Session, principal: Principal, incident_id: uuid.UUID, statement: str, *, now: dt.datetime
) -> Incident:
    """The one appeal of a person whom a confirmed incident costs something.

    Raise `Forbidden` for whom it does not concern, `Invalid` without a statement, `Conflict` when it is too late, not
    confirmed, or he has appealed before.
    """
    row = _held(session, principal, incident_id, None, now)
    employee = principal.employee
    if employee is None or employee not in answering(session, row):
        raise Forbidden(
            "只有事件的当事管家可以申诉 / only who answers for it may appeal", code="not_answering"
        )
    told = _text("statement", statement)
    if row.status != "confirmed":
        raise Conflict(
            "事件没有成立，无需申诉 / it is not confirmed: nothing to appeal against", code="incident_state"
        )
    if row.appeal_until is None or now > row.appeal_until:
        raise Conflict("申诉期限已过 / the time for appeals is over", code="appeal_late")
    values = {
        "id": new_id(), "incident_id": row.id, "centre_id": row.centre_id, "employee_id": employee, "at": now,
        "actor": principal.user, "statement": told,
    }  # fmt: skip
    if not store.insert_appeal(session, values):
        raise Conflict("您已申诉过一次 / you have appealed once already", code="appeal_twice")
    _move(session, row, Event.APPEAL)
    strikes = store.strikes_of(session, [row.id])[row.id]
    tell_appeal(session, row, stored_verdict(row, strikes), values["id"], now)  # type: ignore[arg-type]
    _note(session, principal, row, "incidents.appeal", "", now)
    return row


def decide_appeal(
    session: Session,
    principal: Principal,
    incident_id: uuid.UUID,
    word: Word,
    *,
    now: dt.datetime,
    policies: PolicyFiles,
) -> Incident:
    """A second person's word on the open appeals of an incident: not who decided, accused, or answers for it.

    Raise as `decide`.
    """
    row = _held(session, principal, incident_id, word.version, now)
    principal.require_role(row.centre_id, *REVIEWERS)
    _require_other(session, principal, row)
    _require_second(session, principal, row)
    reason = _checked(word)
    _move(session, row, Event.DECIDE_APPEAL)
    appellants = tuple(one.employee_id for one in store.appeals_on(session, row.id) if one.decided_at is None)
    decision = _speak(session, principal, row, word.status, reason, "appeal", now)
    store.close_appeals(session, row.id, now)
    settle_phone(session, row.handset_id, row.centre_id, now, policies)
    tell_appeal_decided(session, row, decision.id, appellants, word.status == "confirmed", now)
    _note(session, principal, row, "incidents.decide_appeal", reason, now, status=word.status)
    return row


def _held(
    session: Session, principal: Principal, incident_id: uuid.UUID, version: int | None, now: dt.datetime
) -> Incident:
    """The incident as it stands while nobody else can rule its phone or speak on it."""
    row = get(session, principal, incident_id)
    hold_phone(session, row.handset_id, row.centre_id, now)
    row = get(session, principal, incident_id)
    if row.gone_at is not None:
        raise Conflict(
            "这个事件已撤销或并入另一事件 / it is gone, or part of another now", code="incident_gone"
        )
    if version is not None and row.version != version:
        raise Stale("事件刚刚有变化，请重新查看 / the incident changed meanwhile: look again")
    return row


def _move(session: Session, row: Incident, event: Event) -> None:
    store.change(session, row, state=advance(State(row.state), event))


def _speak(
    session: Session,
    principal: Principal,
    row: Incident,
    status: str,
    reason: str,
    stage: str,
    now: dt.datetime,
) -> IncidentDecision:
    if status not in {"confirmed", "refuted"}:
        raise Invalid(
            "决定只能是成立或不成立", fields=[FieldError("status", "choice", "confirmed 或 refuted")]
        )
    strikes = store.strikes_of(session, [row.id])[row.id]
    start, end = said_of(stored_verdict(row, strikes), status)
    decision = IncidentDecision(
        id=new_id(),
        incident_id=row.id,
        handset_id=row.handset_id,
        centre_id=row.centre_id,
        at=now,
        start_at=from_us(start),
        # Half-open: a single accusation would otherwise be no span at all, and no decision could hold for it.
        end_at=from_us(end + 1),
        status=status,
        stage=stage,
        actor=principal.user,
        reason=reason,
    )
    session.add(decision)
    session.flush()
    return decision


def answering(session: Session, row: Incident) -> set[uuid.UUID]:
    """Everybody whom the incident costs something, or may."""
    strikes = store.strikes_of(session, [row.id])[row.id]
    persons = {strike.employee_id for strike in strikes} or {row.employee_id}
    return {person for person in persons if person is not None}


def concerned(session: Session, row: Incident) -> set[uuid.UUID]:
    """Who answers for it now, or would if one of its hits were another's: custodian and delegate both win or lose by
    it, whichever of them the ruling names today.
    """
    found = answering(session, row)
    for at in [row.start_at, *(from_us(hit["at"]) for hit in row.hits)]:
        found |= answerable(session, row.handset_id, at)
    return found if row.employee_id is None else found | {row.employee_id}


def spoken(session: Session, row: Incident) -> set[str]:
    """The users who decided any part of it, also while that was an incident of its own, and where the phone itself
    proves nothing those whose calls accuse.
    """
    strikes = store.strikes_of(session, [row.id])[row.id]
    start, end = (from_us(at) for at in stored_verdict(row, strikes).extent)
    deciders = {
        one.actor
        for one in store.decisions_of(session, row.handset_id)
        if one.incident_id == row.id or (one.start_at <= end and one.end_at > start)
    }
    return deciders | ({hit["who"] for hit in row.hits} if row.kind == "b" else set())


def _require_other(session: Session, principal: Principal, row: Incident) -> None:
    if principal.employee is not None and principal.employee in concerned(session, row):
        raise Forbidden("不能决定自己的事件 / nobody decides his own incident", code="own_incident")


def _require_second(session: Session, principal: Principal, row: Incident) -> None:
    principal.require_person()
    if principal.user in spoken(session, row):
        raise Forbidden(
            "复核须由作出决定或拨测以外的人进行 / somebody else than who decided or called must do this",
            code="second_person",
        )


def _checked(word: Word) -> str:
    """The reason, once the word is one that can be said."""
    if word.status not in {"confirmed", "refuted"}:
        message = "请选择成立或不成立 / must be confirmed or refuted"
        raise Invalid(message, fields=[FieldError("status", "choice", message)])
    return _text("reason", word.reason)


def _text(field: str, value: str) -> str:
    told = value.strip()
    if not told or len(told) > MAX_TEXT:
        raise Invalid(
            "请写明理由 / say why", fields=[FieldError(field, "length", f"必填，最多 {MAX_TEXT} 字")]
        )
    return told


def _note(
    session: Session,
    principal: Principal,
    row: Incident,
    action: str,
    reason: str,
    now: dt.datetime,
    **details: str,
) -> None:
    record(
        session,
        AuditEvent(
            at=now, actor=principal.user, action=action, object=f"incident:{row.id}", centre_id=row.centre_id,
            reason=reason, details={**details, "now": row.status},
        ),
    )  # fmt: skip
